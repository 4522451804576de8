"""Everything else that a client may read over REST, as fields of the query: made from the same
table of operations, and answered by the same handlers.

Each is a field of Query and of nothing that stands in a list, so that the number of statements
follows from the query and not from how many rows it finds.
"""

from collections.abc import Mapping
from inspect import Parameter, Signature
from typing import Any

import orjson
import strawberry

from api.graphql.acts import body_for
from api.graphql.arguments import argument, path_argument, path_names, query_arguments
from api.graphql.derive import input_type, output
from api.graphql.enums import Language
from api.graphql.patience import waiting
from api.graphql.saying import as_query
from api.rest.feed import FeedQuery
from api.rest.fields import Query as QueryModel
from api.rest.operation import Operation, require_step
from api.rest.table import OPERATIONS

ELSEWHERE = frozenset(
    {
        # Hand-made, in pages and with edges (query.py).
        "listAppeals", "readAppeal", "listAppealClocks", "listAppealEvents",
        "listAppealAttachments", "listServices", "readService", "readForm", "readCatalogue",
        "listOrganisations", "readOrganisation", "listIncidents", "readIncident",
        # For load balancers, and files: not of the graph.
        "readHealth", "readReady", "readAttachmentContent",
    }
)  # fmt: skip

_NAMES: Mapping[str, str] = {
    "readApplicant": "applicantInTheClear",
    "listClocks": "dueClocks",
    "listOwnReads": "readsOfMyRecord",
    "exportOwnRecord": "myRecord",
    "listReads": "personalReads",
    "explainRoute": "routingExplained",
    "readAppealRoute": "routeExplained",
    "explainPromises": "promisesExplained",
    "resolveRoute": "routing",
    "readMe": "viewer",
    "suggestAddresses": "addresses",
    "listIncidentEvents": "incidentEvents",
    "listExecutorFigures": "executorFigures",
    "readStatistics": "cityFigures",
}

READS = tuple(
    operation
    for operation in OPERATIONS
    if operation.reads is not None and operation.id not in ELSEWHERE
)


def field_name(operation: Operation) -> str:
    """Its name in the graph: listPolicies is `policies`."""
    plain = operation.id
    for verb in ("read", "list"):
        if plain.startswith(verb) and plain[len(verb) :][:1].isupper():
            plain = plain.removeprefix(verb)
    return _NAMES.get(operation.id, plain[0].lower() + plain[1:])


def read_fields() -> dict[str, Any]:
    """The fields, by their names."""
    return {field_name(operation): _field(operation) for operation in READS}


def _field(operation: Operation) -> Any:
    names = path_names(operation)
    reads = operation.reads
    if reads is None:
        raise AssertionError(operation.id)

    async def resolve(info: strawberry.Info, **given: Any) -> Any:
        context = info.context
        principal = (
            context.anybody() if operation.open_to_all else context.require(operation.permission)
        )
        language = given.pop("language", None)
        path = {name: str(given.pop(name)) for name in names}
        for step in path.values():
            require_step(step)
        body = body_for(operation, context, principal, given.pop("input", None))
        query = as_query(operation.query or QueryModel, given)
        call = context.call(principal, path=path, query=query, body=body, language=language)
        if isinstance(query, FeedQuery) and query.wait:
            # Whoever waits reads nothing meanwhile, and keeps nobody from reading.
            waiting(query.wait)
            return _told(operation, (await reads(call)).body)
        async with context.turns:
            reply = await reads(call)
        return _told(operation, reply.body)

    arguments = [Parameter("info", Parameter.KEYWORD_ONLY, annotation=strawberry.Info)]
    arguments += [path_argument(name) for name in names] + query_arguments(operation)
    if isinstance(operation.body, type):
        arguments.append(argument("input", input_type(operation.body), "What is said."))
    words = "The language of the answer, instead of the request's own."
    arguments.append(argument("language", Language | None, words, None))
    # A refusal is an error of this field alone, so it may be null.
    answer = output(operation.answer) | None
    ordered = sorted(arguments, key=lambda each: each.default is None)
    resolve.__signature__ = Signature(ordered, return_annotation=answer)  # type: ignore[attr-defined]
    resolve.__annotations__ = {a.name: a.annotation for a in ordered} | {"return": answer}
    return strawberry.field(resolver=resolve, description=f"{operation.summary}.")


def _told(operation: Operation, body: Any) -> Any:
    """A body as the graph takes it: text as text, and what a handler wrote out already read."""
    if not isinstance(body, bytes):
        return body
    return body.decode() if operation.answer is str else orjson.loads(body)
