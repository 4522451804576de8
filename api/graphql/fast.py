"""The executor of the graph: graphql-core's own, with a short way for what needs no ceremony.

graphql-core builds an info object, looks up arguments and walks a chain of wrappers for each
field of each row. Most fields need none of it: they are attributes, or small functions of their
source that are given no arguments (`quick`). These are read directly here, by a plan made once
for each selection; lists, awaitables, arguments and every error take graphql-core's way, so that
answers are the same to the byte (tests/api/graphql/test_fast.py compares them).

What has computed for TURN seconds gives way: the objects that follow are made when the loop has
had its turn, so that others are answered meanwhile and the limit of time can end it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any, NamedTuple, TypeVar, cast

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    Undefined,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import Path, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

from api.graphql import patience

TURN = 0.01
"""Seconds."""
QUICK = "quick"
NEEDS = "needs"
_DEFINITION = "strawberry-definition"

F = TypeVar("F", bound=Callable[..., Any])


def quick(description: str, *needs: str, **options: Any) -> Callable[[F], Any]:
    """A field that is a small, pure and synchronous function of its source.

    Of `info` it may use the context alone; arguments must have defaults. `needs` are the parts
    that must have been read for it (integrations/postgres/sketches.py).
    """

    def made(function: F) -> Any:
        metadata = {QUICK: function, NEEDS: needs}
        return strawberry.field(function, description=description, metadata=metadata, **options)

    return made


def field(description: str, *needs: str, **options: Any) -> Callable[[F], F]:
    """A field that takes graphql-core's own way: it awaits, or its arguments have no defaults."""

    def made(function: F) -> F:
        made_field: Any = strawberry.field(
            function, description=description, metadata={NEEDS: needs}, **options
        )
        return cast("F", made_field)

    return made


def plain(description: str, *needs: str, **options: Any) -> Any:
    """A field that is an attribute of its source of the same name."""
    metadata = {NEEDS: needs} if needs else {}
    return strawberry.field(description=description, metadata=metadata, **options)


def optional(description: str) -> Any:
    """A field of an input that may be left out, and then is null."""
    return strawberry.field(description=description, default=None)


def value_of(source: Any, name: str) -> Any:
    """A field of a view (a dict), or an attribute of anything else."""
    return source[name] if type(source) is dict else getattr(source, name)


class Brief(NamedTuple):
    """What a quick function sees of graphql-core's info."""

    context: Any


class Step(NamedTuple):
    """One field of a plan. `read` is None where it takes the long way."""

    name: str
    details: FieldDetailsList
    read: Callable[[Any, Any], Any] | None = None
    coerce: Callable[[Any], Any] | None = None
    nullable: bool = True
    definition: Any = None


class _Later:
    """What is begun when it is awaited, and is nothing where an operation ends before that."""

    __slots__ = ("_begin",)

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._begin().__await__()


class FastExecutor(Executor[Any]):
    """graphql-core's plain executor (no @defer and @stream) with the short way."""

    build_resolve_info: Any = StrawberryGraphQLCoreExecutionContext.build_resolve_info

    def __init__(self, *args: Any, **options: Any) -> None:
        self.operation_extensions = options.pop("operation_extensions", None)
        super().__init__(*args, **options)
        # The sets are kept beside their plans, so that their ids name nothing else meanwhile.
        self._plans: dict[tuple[str, int], tuple[GroupedFieldSet, list[Step]]] = {}
        self._brief = Brief(self.context_value)
        self._begun = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._limit: patience.Limit | None = None
        self._turn_ends: float | None = None

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Any:
        """The fields of one object, as the base class gives them; to be awaited where others have
        their turn first.
        """
        if not self._begun:
            self._begin()
        now = time.monotonic()
        limit = self._limit
        goes_on = limit is None or limit.count(now, beside=self._loop is None)
        if goes_on and (self._loop is None or self._in_turn(now)):
            return self._fields(parent_type, source_value, path, grouped_field_set)
        return _Later(partial(self._given_way, parent_type, source_value, path, grouped_field_set))

    def _begin(self) -> None:
        self._begun = True
        self._limit = patience.current()
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            # Beside the loop, in a thread: it keeps nobody waiting.
            self._loop = None

    def _in_turn(self, now: float) -> bool:
        """Whether there is time left of this turn, which begins with its first object and ends
        when the loop goes on to others.
        """
        if self._turn_ends is None and self._loop is not None:
            self._turn_ends = now + TURN
            self._loop.call_soon(self._turn_over)
        return self._turn_ends is None or now < self._turn_ends

    def _turn_over(self) -> None:
        self._turn_ends = None

    async def _given_way(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        path: Path | None,
        fields: GroupedFieldSet,
    ) -> Any:
        while True:
            await asyncio.sleep(0)
            if self._in_turn(time.monotonic()):
                break
        found = self._fields(parent_type, source, path, fields)
        return await found if self.is_awaitable(found) else found

    def _fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
    ) -> Any:
        results: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for step in self._plan(parent_type, grouped_field_set):
                value = self._read(source_value, step)
                if value is None or (step.coerce is not None and value is not Undefined):
                    # A leaf, or nothing: it waits for nobody.
                    results[step.name] = value
                    continue
                value = self._completed(parent_type, source_value, path, step, value)
                if value is not Undefined:
                    results[step.name] = value
                    if value is not None and self.is_awaitable(value):
                        waiting.append(step.name)
        except Exception:
            if waiting:
                self.settle_in_background([results[name] for name in waiting])
            raise
        return _awaited(results, waiting) if waiting else results

    def _read(self, source: Any, step: Step) -> Any:
        """The value of a step, coerced where it is a leaf; Undefined where the long way must be
        taken, be it only to tell the error with its place.
        """
        if step.read is None:
            return Undefined
        try:
            value = step.read(source, self._brief)
            if value is None:
                return None if step.nullable else Undefined
            if step.coerce is None:
                return value
            coerced = step.coerce(value)
        except Exception:
            return Undefined
        return Undefined if coerced is None else coerced

    def _completed(
        self, parent_type: GraphQLObjectType, source: Any, path: Path | None, step: Step, value: Any
    ) -> Any:
        """The object that a quick field gave, or its list of them, with what is asked of it;
        graphql-core's own way for a field that was not read.
        """
        here = Path(path, step.name, parent_type.name)
        if value is Undefined:
            return self.execute_field(parent_type, source, step.details, here, None)
        definition = step.definition
        nodes = [detail.node for detail in step.details]
        info = self.build_resolve_info(definition, nodes, parent_type, here)
        try:
            completed = self.complete_value(definition.type, step.details, info, here, value, None)
        except Exception as error:
            # Not the long way once more: errors deep down would be met twice at each step up.
            self.handle_field_error(error, definition.type, step.details, here)
            return None
        if not self.is_awaitable(completed):
            return completed
        return self._later(completed, definition, step.details, here)

    async def _later(
        self,
        awaitable: Awaitable[Any],
        definition: GraphQLField,
        details: FieldDetailsList,
        path: Path,
    ) -> Any:
        try:
            return await awaitable
        except Exception as error:
            self.handle_field_error(error, definition.type, details, path)
            return None

    def _plan(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> list[Step]:
        key = (parent_type.name, id(fields))
        known = self._plans.get(key)
        if known is None:
            steps = [self._step(parent_type, name, details) for name, details in fields.items()]
            known = self._plans[key] = fields, steps
        return known[1]

    def _step(self, parent_type: GraphQLObjectType, name: str, details: FieldDetailsList) -> Step:
        node = details[0].node
        definition = self.schema.get_field(parent_type, node.name.value)
        wrapped = self.middleware_manager and self.middleware_manager.middlewares
        if definition is None or node.arguments or wrapped:
            return Step(name, details)
        read = _reader(definition)
        if read is None:
            return Step(name, details)
        inner = definition.type
        nullable = not isinstance(inner, GraphQLNonNull)
        if isinstance(inner, GraphQLNonNull):
            inner = inner.of_type
        if isinstance(inner, GraphQLScalarType | GraphQLEnumType):
            return Step(name, details, read, inner.coerce_output_value, nullable, definition)
        if isinstance(inner, GraphQLObjectType | GraphQLList):
            return Step(name, details, read, None, nullable, definition)
        return Step(name, details)


async def _awaited(results: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
    if len(waiting) == 1:
        results[waiting[0]] = await results[waiting[0]]
    else:
        found = await gather_with_cancel(*(results[name] for name in waiting))
        results.update(zip(waiting, found, strict=True))
    return results


def _reader(definition: GraphQLField) -> Callable[[Any, Any], Any] | None:
    """How a field is read the short way; None where it is not."""
    field = (definition.extensions or {}).get(_DEFINITION)
    if not isinstance(field, StrawberryField) or field.extensions or field.permission_classes:
        return None
    if field.base_resolver is not None:
        function = field.metadata.get(QUICK)
        return _quick(function) if function is not None else None
    name = field.python_name

    return lambda source, _: value_of(source, name)


def _quick(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """The function, called with the source and, where it wants one, an info."""
    parameters = list(signature(function).parameters.values())
    wanting = [p for p in parameters if p.default is Parameter.empty]
    if iscoroutinefunction(function) or len(wanting) > 2:
        raise TypeError(f"{function.__qualname__} is not quick")
    if len(wanting) == 2:
        return function
    return lambda source, _: function(source)
