"""One operation from its text to its answer, whichever way it came: HTTP, SSE or a socket."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event
from graphql.execution.execute import execute_root_selection_set
from strawberry.execution import optimized_is_awaitable

from api.errors import Malformed, TimedOut
from api.graphql.answers import Voice, encode, refuse, tell
from api.graphql.census import weigh_values
from api.graphql.documents import Document, Documents, read_hash
from api.graphql.weighing import Weight
from api.limits import NOTHING, Quota, Standing
from domain.access import Principal
from domain.errors import Fault, Refusal


@dataclass(frozen=True, slots=True)
class Params:
    """What a request asks for (GraphQL over HTTP, §5.1), read and not yet judged."""

    query: str | None = None
    name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] | None = None
    document: str | None = None


def read_params(said: object) -> Params:
    """The parameters of a request. Raises Malformed for those of a wrong type."""
    if not isinstance(said, dict):
        raise _misread("")
    wrong = [
        name
        for name, kind in _KINDS.items()
        if said.get(name) is not None and not isinstance(said[name], kind)
    ]
    if wrong:
        raise _misread(*wrong)
    if not any(said.get(name) is not None for name in ("query", "documentId", "extensions")):
        raise _misread("query")
    return Params(
        said.get("query"),
        said.get("operationName"),
        said.get("variables"),
        said.get("extensions"),
        said.get("documentId"),
    )


_KINDS = {
    "query": str,
    "operationName": str,
    "variables": dict,
    "extensions": dict,
    "documentId": str,
}


def _misread(*names: str) -> Malformed:
    return Malformed("GraphQL", [Fault(f"/{name}" if name else "", "format", {}) for name in names])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, how they are spoken to, and by what they can be judged again."""

    principal: Principal | None
    voice: Voice
    header: str | None = None
    """The Authorization header; None for the public."""
    address: str = ""
    key: str | None = None
    """The Idempotency-Key header, where one came."""

    @property
    def purse(self) -> str:
        """Whose budget an operation is paid from."""
        return str(self.principal.id) if self.principal else f"public {self.address}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that is sound, within bounds and paid for."""

    document: Document
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]
    weight: Weight
    standing: Standing

    @property
    def name(self) -> str | None:
        """The operation's name."""
        return self.operation.name.value if self.operation.name else None

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.operation.operation


MakeContext = Callable[[Caller], Any]
Renew = Callable[[Any, Caller], None]
"""Makes the context of a subscription fit for one more event: another moment, nothing loaded."""


INTROSPECTIONS = 8
"""Answers about the schema that are remembered: some megabytes each."""


class Engine:
    """Prepares and runs operations of one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        documents: Documents,
        *,
        context: MakeContext,
        renew: Renew = lambda context, caller: None,
        executor: type[Executor[Any]] = Executor,
        seconds: float = 10.0,
        budget: int = 0,
        public_budget: int = 0,
    ) -> None:
        self.schema = schema
        self.documents = documents
        self._context, self._renew = context, renew
        self._executor = executor
        self._seconds = seconds
        self._budget = Quota(budget)
        self._budgets = budget, public_budget
        self._introspecting = asyncio.Lock()
        self._schema_said: OrderedDict[Any, ExecutionResult] = OrderedDict()

    def prepare(self, params: Params, caller: Caller) -> Prepared:
        """Read, weigh and charge an operation; no resolver has run.

        Raises Unreadable, or a Refusal: DocumentTooLarge, DocumentTooCostly, RateLimited, …
        """
        variables = params.variables or {}
        weigh_values(variables)
        persisted = read_hash(params.extensions)
        if params.query is None and persisted is None and params.document is None:
            raise _misread("query")
        document = self.documents.find(params.query, persisted, params.document)
        operation = document.operation(params.name)
        weight = self.documents.weigh(document, operation, variables)
        standing = self.charge(caller, weight.cost)
        standing.require()
        return Prepared(document, operation, variables, weight, standing)

    def charge(self, caller: Caller, cost: int) -> Standing:
        """What is left of the caller's budget after this."""
        most = self._budgets[0] if caller.principal else self._budgets[1]
        return self._budget.spend(caller.purse, most, "graph", cost) if most else NOTHING

    async def run(self, prepared: Prepared, caller: Caller) -> dict[str, Any]:
        """The answer to a query or a mutation. Raises TimedOut; a refusal of what the variables
        are worth is an answer without `data`.
        """
        executor = self._build(prepared, caller)
        if isinstance(executor, list):
            return refuse(executor, caller.voice, self.told(prepared))
        try:
            async with asyncio.timeout(self._seconds):
                if prepared.document.introspects(prepared.operation):
                    said = await self._introspected(prepared, executor)
                    return tell(said, caller.voice, self.told(prepared))
                result = await _settled(execute_root_selection_set(executor))
        except TimeoutError:
            raise TimedOut(seconds=self._seconds) from None
        return tell(result, caller.voice, self.told(prepared))

    async def _introspected(self, prepared: Prepared, executor: Executor[Any]) -> ExecutionResult:
        """What the schema says of itself. The whole of it keeps Python busy for the better part of
        a second, so it is made beside the loop, one at a time, and remembered.
        """
        key = prepared.document.hash, prepared.name, encode(prepared.variables)
        async with self._introspecting:
            known = self._schema_said.get(key)
            if known is None:
                made = await asyncio.to_thread(execute_root_selection_set, executor)
                known = self._schema_said[key] = cast("ExecutionResult", made)
                if len(self._schema_said) > INTROSPECTIONS:
                    self._schema_said.popitem(last=False)
            return known

    def told(self, prepared: Prepared) -> dict[str, Any]:
        """What the answer says of its price."""
        cost: dict[str, Any] = {
            "requested": prepared.weight.cost,
            "limit": self.documents.bounds.cost,
        }
        if prepared.standing.most:
            cost |= {
                "budget": prepared.standing.most,
                "remaining": prepared.standing.left,
                "resetsIn": prepared.standing.seconds,
            }
        return {"cost": cost}

    def _build(self, prepared: Prepared, caller: Caller) -> Executor[Any] | list[GraphQLError]:
        return self._executor.build(
            self.schema,
            prepared.document.ast,
            None,
            self._context(caller),
            dict(prepared.variables),
            prepared.name,
            hide_suggestions=True,
            is_awaitable=cast("Any", optimized_is_awaitable),
            max_coercion_errors=10,
        )

    async def follow(self, prepared: Prepared, caller: Caller) -> AsyncGenerator[bytes, None]:
        """The answers of a subscription as encoded execution results, for as long as it lasts.

        Ends with Refused when it cannot begin, or cannot go on.
        """
        executor = self._build(prepared, caller)
        if isinstance(executor, list):
            raise Refused(refuse(executor, caller.voice))
        source = await _settled(create_source_event_stream(executor))
        if isinstance(source, ExecutionResult):
            raise Refused(refuse(source.errors or (), caller.voice))
        try:
            async for value in source:
                yield await self._event(executor, value, prepared, caller)
        except Refusal as refusal:
            raise Refused(refuse(refusal, caller.voice), refusal) from None
        except Exception as error:
            fault = GraphQLError("", original_error=error)
            raise Refused(refuse([fault], caller.voice)) from None
        finally:
            await source.aclose()

    async def _event(
        self, executor: Executor[Any], value: Any, prepared: Prepared, caller: Caller
    ) -> bytes:
        shared: dict[Any, bytes] | None = getattr(value, "rendered", None)
        key = (prepared.document.hash, prepared.name, caller.voice.language,
               encode(prepared.variables), self._whose(prepared, caller))  # fmt: skip
        if shared is not None and key in shared:
            return shared[key]
        self._renew(executor.context_value, caller)
        turn = executor.build_per_event_executor(value)
        try:
            async with asyncio.timeout(self._seconds):
                result = await _settled(execute_subscription_event(turn))
        except TimeoutError:
            raise TimedOut(seconds=self._seconds) from None
        said = encode(tell(result, caller.voice))
        if shared is not None:
            shared[key] = said
        return said

    @staticmethod
    def _whose(prepared: Prepared, caller: Caller) -> Any:
        """For whom the same answer holds: what asks for nothing beyond the event is everybody's
        who may hear of it.
        """
        if prepared.weight.cost <= 1 or caller.principal is None:
            return None
        return caller.principal


async def _settled(found: Any) -> Any:
    """What may have to be waited for, waited for."""
    return await found if optimized_is_awaitable(found) else found


class Refused(Exception):
    """A subscription that cannot begin or go on: `body` tells why, as an answer without data."""

    def __init__(self, body: dict[str, Any], refusal: Refusal | None = None) -> None:
        super().__init__("refused")
        self.body, self.refusal = body, refusal
