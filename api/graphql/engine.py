"""One operation from its text to its answer, whichever way it came: HTTP, SSE or a socket."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
)
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event
from graphql.execution.execute import execute_root_selection_set
from strawberry.execution import optimized_is_awaitable

from api.errors import DocumentTooCostly
from api.graphql.answers import encode, refuse, tell
from api.graphql.audiences import Audience, Audiences
from api.graphql.calls import Caller, Params, Prepared, misread
from api.graphql.census import weigh_values
from api.graphql.documents import Documents, read_hash
from api.graphql.patience import limited
from api.limits import NOTHING, Quota, Standing
from domain.access import Principal
from domain.errors import Refusal

MakeContext = Callable[[Caller], Any]
Pay = Callable[[Caller, int], Standing]
"""Spends so many requests of a caller's quota."""
Who = Callable[[Any], Principal | None]
"""Who asks now, by the context of their request: a subscriber is judged again and again."""


INTROSPECTIONS = 8
"""Answers about the schema that are remembered: some megabytes each."""
OVERRUN = 10
LEAST = 1_000
"""An operation may make so many times as many objects as were paid for, and so many in any case:
a city may have longer lists than the sizes of sizes.py, which are those of a large one."""


class Engine:
    """Prepares and runs operations of one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        documents: Documents,
        *,
        context: MakeContext,
        who: Who = lambda context: None,
        executor: type[Executor[Any]] = Executor,
        seconds: float = 10.0,
        budget: int = 0,
        public_budget: int = 0,
        pay: Pay = lambda caller, requests: NOTHING,
    ) -> None:
        self.schema = schema
        self.documents = documents
        self._context, self._who = context, who
        self.pay = pay
        self._audiences = Audiences()
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
            raise misread("query")
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
        executor = self._build(prepared, self._context(caller))
        if isinstance(executor, list):
            return refuse(executor, caller.voice, self.told(prepared))
        if prepared.document.introspects(prepared.operation):
            async with limited(self._seconds):
                result = await self._introspected(prepared, executor)
            return tell(result, caller.voice, self.told(prepared))
        try:
            async with limited(self._seconds, _most(prepared)):
                result = await _settled(execute_root_selection_set(executor))
        except DocumentTooCostly as refusal:
            return refuse(refusal, caller.voice, self.told(prepared))
        return tell(result, caller.voice, self.told(prepared))

    async def _introspected(self, prepared: Prepared, executor: Executor[Any]) -> ExecutionResult:
        """What the schema says of itself. The whole of it keeps Python busy for the better part of
        a second, so it is made beside the loop, one at a time, and remembered. A thread cannot be
        ended from without: whoever is not waited for any longer has their turn until theirs ends.
        """
        key = prepared.document.hash, prepared.name, encode(prepared.variables)
        await self._introspecting.acquire()
        known = self._schema_said.get(key)
        if known is not None:
            self._introspecting.release()
            return known
        thread = asyncio.ensure_future(asyncio.to_thread(execute_root_selection_set, executor))
        thread.add_done_callback(self._introspection_over)
        made = self._schema_said[key] = cast("ExecutionResult", await asyncio.shield(thread))
        if len(self._schema_said) > INTROSPECTIONS:
            self._schema_said.popitem(last=False)
        return made

    def _introspection_over(self, thread: asyncio.Future[Any]) -> None:
        self._introspecting.release()
        if not thread.cancelled():
            # Looked at, so that nobody is told of an error that nobody waits for.
            thread.exception()

    def told(self, prepared: Prepared) -> dict[str, Any]:
        """What the answer says of its price."""
        return self._priced(prepared.weight.cost, prepared.standing)

    def told_refused(self, error: Exception, caller: Caller) -> dict[str, Any]:
        """What the answer to an operation that did not begin says of it: null where nobody came to
        weigh it.
        """
        cost = error.params.get("cost") if isinstance(error, DocumentTooCostly) else None
        return self._priced(cost, self.charge(caller, 0))

    def _priced(self, requested: object, standing: Standing) -> dict[str, Any]:
        cost: dict[str, Any] = {"requested": requested, "limit": self.documents.bounds.cost}
        if standing.most:
            cost |= {
                "budget": standing.most,
                "remaining": standing.left,
                "resetsIn": standing.seconds,
            }
        return {"cost": cost}

    def _build(self, prepared: Prepared, context: Any) -> Executor[Any] | list[GraphQLError]:
        return self._executor.build(
            self.schema,
            prepared.document.ast,
            None,
            context,
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
        context = self._context(caller)
        source = await self._source(prepared, caller, context)
        audience, known = None, caller.principal
        try:
            async for value in source:
                principal = self._who(context)
                if audience is None or principal is not known:
                    audience = self._audiences.find(prepared, caller, principal)
                    known = principal
                yield await self._audiences.tell(
                    audience, value, partial(self._entry, audience, value)
                )
        except Refusal as refusal:
            raise Refused(refuse(refusal, caller.voice), refusal) from None
        except Exception as error:
            fault = GraphQLError("", original_error=error)
            raise Refused(refuse([fault], caller.voice)) from None
        finally:
            await source.aclose()

    async def _source(self, prepared: Prepared, caller: Caller, context: Any) -> Any:
        """What happens, as the field at the root tells it. Raises Refused."""
        executor = self._build(prepared, context)
        if isinstance(executor, list):
            raise Refused(refuse(executor, caller.voice))
        source = await _settled(create_source_event_stream(executor))
        if isinstance(source, ExecutionResult):
            raise Refused(refuse(source.errors or (), caller.voice))
        return source

    async def _entry(self, audience: Audience, value: Any) -> bytes:
        """The answer to one event, read at this moment for whoever is in the audience."""
        caller = audience.caller
        executor = self._build(audience.prepared, self._context(caller))
        if isinstance(executor, list):
            raise Refused(refuse(executor, caller.voice))
        turn = executor.build_per_event_executor(value)
        async with limited(self._seconds, _most(audience.prepared)):
            result = await _settled(execute_subscription_event(turn))
        return encode(tell(result, caller.voice))


def _most(prepared: Prepared) -> int:
    """How many objects an operation may make."""
    return max(LEAST, OVERRUN * prepared.weight.cost)


async def _settled(found: Any) -> Any:
    """What may have to be waited for, waited for."""
    return await found if optimized_is_awaitable(found) else found


class Refused(Exception):
    """A subscription that cannot begin or go on: `body` tells why, as an answer without data."""

    def __init__(self, body: dict[str, Any], refusal: Refusal | None = None) -> None:
        super().__init__("refused")
        self.body, self.refusal = body, refusal
