"""Running a document: from a text and its variables to the answer's `data` and `errors`."""

from collections.abc import Mapping
from typing import Any, cast

from graphql import ExecutionResult
from graphql.execution import execute
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable

from api.graphql.context import Context
from api.graphql.documents import Documents
from api.graphql.fast import FastExecutor
from api.graphql.refusals import told


async def run(
    schema: Schema,
    documents: Documents,
    context: Context,
    query: str,
    variables: Mapping[str, Any] | None = None,
    operation: str | None = None,
) -> dict[str, Any]:
    """The answer, as orjson can write it (with `default=str`)."""
    prepared = documents.prepare(query)
    if prepared.document is None:
        return answer(ExecutionResult(None, list(prepared.errors)), context, started=False)
    result = execute(
        schema._schema,
        prepared.document,
        context_value=context,
        variable_values=dict(variables or {}),
        operation_name=operation,
        is_awaitable=cast("Any", optimized_is_awaitable),
        executor_class=FastExecutor,
        hide_suggestions=True,
        operation_extensions=None,
    )
    if optimized_is_awaitable(result):
        result = await cast("Any", result)
    return answer(cast("ExecutionResult", result), context, started=True)


def answer(result: ExecutionResult, context: Context, *, started: bool) -> dict[str, Any]:
    """The result as it is written; without `data` where nothing was begun."""
    said: dict[str, Any] = {}
    if result.errors:
        said["errors"] = [
            told(error, language=context.language, request_id=context.request_id)
            for error in result.errors
        ]
    if started:
        said["data"] = result.data
    return said
