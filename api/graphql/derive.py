"""Types of the graph made from the shapes of the REST API, so that neither can say what the other
does not: a view (TypedDict) becomes an object type, a body (pydantic) an input type, and what
fills and reads them is the same code.

Where a view names a thing that is a node of the graph (an organisation, a service, an appeal), the
derived field leads to the node itself (EDGES).
"""

import enum
import types
from asyncio import gather
from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import iscoroutinefunction
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import strawberry
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from strawberry.utils.str_converters import to_camel_case
from typing_extensions import is_typeddict

from api.graphql.fast import field, quick, value_of
from api.graphql.scalars import JSON
from api.graphql.words import describe
from api.rest import bulk

Resolve = Callable[..., Any]


class Edge(NamedTuple):
    """Where a field leads instead: the type, and what finds it from the view's value."""

    type: Any
    resolve: Resolve

    @property
    def waits(self) -> bool:
        """Whether it must be awaited."""
        return iscoroutinefunction(self.resolve)


EDGES: dict[Any, Edge] = {}
"""View → node. Filled by the rooms of the nodes, before the first view is derived."""

_NAMES: Mapping[str, str] = {
    "api.rest.coverage.AreaView": "CoverageArea",
    "api.rest.incident_views.AreaView": "IncidentArea",
    "api.rest.triage.ExecutorView": "TriageExecutor",
    "api.rest.register.Opened": "OpenedText",
    "api.rest.service.Statistics": "CityFigures",
    "api.rest.history.EventView": "AppealEvent",
    "api.rest.event_types.EventTypeView": "WebhookEventType",
    "api.rest.deliveries.NoticeView": "EndpointNotice",
    "api.rest.routes.DecisionView": "RouteDecision",
    "api.rest.triage.ModelView": "TriageModel",
    "api.rest.triage.WhyView": "TriageReason",
    "api.rest.promises.StageView": "PromisedStage",
}
_views: dict[Any, Any] = {}
_inputs: dict[Any, Any] = {}
_enums: dict[Any, Any] = {}
_taken: dict[str, Any] = {}


def view_type(view: Any) -> Any:
    """The object type of a view."""
    if view in _views:
        return _views[view]
    name = _name(view)
    made = type(name, (), {"__module__": __name__, "__annotations__": {}})
    # Views may hold each other: known before its fields are made.
    _views[view] = made
    for each, hint in get_type_hints(view).items():
        add_field(made, each, hint, describe(name, each))
    strawberry.type(made, name=name, description=_said(view))
    return made


def add_field(made: Any, name: str, hint: Any, description: str) -> None:
    """Give a type that is being made a field of a view."""
    edge = _edge(hint)
    if edge is not None:
        attribute = _edge_field(name, hint, edge, description)
    elif name.isidentifier() and name not in _KEYWORDS:
        attribute = strawberry.field(description=description)
        made.__annotations__[name] = output(hint)
    else:
        attribute = _read(name, output(hint), description)
    setattr(made, name if name not in _KEYWORDS else f"{name}_", attribute)


_KEYWORDS = frozenset({"from"})


def _read(name: str, hint: Any, description: str) -> Any:
    def read(source: strawberry.Parent[Any]) -> Any:
        return value_of(source, name)

    read.__annotations__["return"] = hint
    return quick(description, name=to_camel_case(name))(read)


def _edge(hint: Any) -> Edge | None:
    inner = _without_none(hint)
    return EDGES.get(get_args(inner)[0] if get_origin(inner) is list else inner)


def _edge_field(name: str, hint: Any, edge: Edge, description: str) -> Any:
    """A field that leads to a node, or a list of them; what cannot be seen is null."""
    inner = _without_none(hint)
    listed = get_origin(inner) is list
    resolver = _awaiting(name, edge, listed) if edge.waits else _direct(name, edge, listed)
    answer = edge.type | None
    resolver.__annotations__["return"] = list[answer] if listed else answer  # type: ignore[valid-type]
    return (field if edge.waits else quick)(description)(resolver)


def _direct(name: str, edge: Edge, listed: bool) -> Any:
    def many(source: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        return [edge.resolve(value, info) for value in value_of(source, name)]

    def one(source: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        value = value_of(source, name)
        return None if value is None else edge.resolve(value, info)

    return many if listed else one


def _awaiting(name: str, edge: Edge, listed: bool) -> Any:
    async def many(source: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        return await gather(*(edge.resolve(value, info) for value in value_of(source, name)))

    async def one(source: strawberry.Parent[Any], info: strawberry.Info) -> Any:
        value = value_of(source, name)
        return None if value is None else await edge.resolve(value, info)

    return many if listed else one


def output(hint: Any) -> Any:
    """The annotation of a field that gives what a view's hint says."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return output(args[0])
    if origin in (Union, types.UnionType):
        said = _without_none(hint)
        # One of several shapes is told as it is: a message is read by its type and its schema.
        inner = JSON if get_origin(said) in (Union, types.UnionType) else output(said)
        return inner | None if types.NoneType in args else inner
    if origin in (list, tuple):
        return list[output(args[0])]  # type: ignore[misc]
    if origin is Literal:
        return str
    if origin is dict or hint in (Any, dict):
        return JSON
    if is_typeddict(hint):
        return view_type(hint)
    return str if isinstance(hint, type) and issubclass(hint, enum.Enum) else hint


def input_type(model: type[BaseModel]) -> Any:
    """The input type of a body. What is left out is not sent on, so that it stays what it is."""
    if model in _inputs:
        return _inputs[model]
    name = f"{model.__name__.removesuffix('Body')}Input"
    made = type(name, (), {"__module__": __name__, "__annotations__": {}})
    for each, info in model.model_fields.items():
        made.__annotations__[each] = argument(info)
        options = {} if info.is_required() else {"default": strawberry.UNSET}
        setattr(made, each, strawberry.field(description=describe(name, each), **options))
    _inputs[model] = strawberry.input(made, name=_free(name, model), description=_said(model))
    return made


def argument(info: FieldInfo) -> Any:
    """The annotation by which a field of a body or query is given."""
    hint = given(info.annotation)
    return hint if info.is_required() else hint | None


def given(hint: Any) -> Any:
    """The annotation of an input that takes what a body's hint says."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return given(args[0])
    if origin in (Union, types.UnionType):
        inner = [given(each) for each in args if each is not types.NoneType]
        only = inner[0] if len(set(map(str, inner))) == 1 else str
        return only | None if types.NoneType in args else only
    if origin in (list, tuple):
        return list[given(args[0])]  # type: ignore[misc]
    if origin is Literal:
        return _literal(args)
    if origin is dict or hint is Any:
        return JSON
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return input_type(hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return enum_type(hint)
    return datetime if hint is AwareDatetime else hint


def _literal(args: tuple[Any, ...]) -> Any:
    if args == ("true",):
        return bool
    if all(isinstance(each, enum.Enum) for each in args):
        return enum_type(type(args[0]))
    return _choice(args)


def _choice(args: tuple[str, ...]) -> Any:
    name = _CHOICES[args]
    if name not in _enums:
        members = {each.upper().replace("-", "_"): each for each in args}
        made = enum.Enum(name, members)  # type: ignore[misc]
        _enums[name] = _described(made, _CHOICE_WORDS[name])
    return _enums[name]


_CHOICES: Mapping[tuple[str, ...], str] = {
    ("call", "app", "web", "chat", "email", "sms", "in_person"): "How",
    ("executor", "service"): "FiguresBy",
    ("missed", "waiting", "all"): "ReplayOf",
    ("oldest", "newest"): "FeedStart",
    get_args(bulk.ACTION): "BulkAction",
}
_CHOICE_WORDS = {
    "How": "How the resident gave their word.",
    "BulkAction": "What may be done many at once.",
    "FeedStart": "Where a feed begins: at the oldest message kept, or behind the newest.",
    "ReplayOf": "What is sent again: what never arrived, what waits for a next try, or everything.",
    "FiguresBy": "A row for each executor, or for each service of each executor.",
}


def enum_type(kind: type[enum.Enum]) -> Any:
    """The enum of the graph for one of the domain."""
    if kind not in _enums:
        name = _free(_ENUM_NAMES.get(kind.__name__, kind.__name__), kind)
        _enums[kind] = _described(kind, _said(kind), name)
    return _enums[kind]


_ENUM_NAMES = {
    "Kind": "AppealKind",
    "AppealKind": "LegalKind",
    "Told": "IntervalDetail",
    "Status": "AppealStatus",
}
"""Without the room's name before it, whichever of two is met first."""


def _described(kind: Any, said: str, name: str | None = None) -> Any:
    return strawberry.enum(kind, name=name, description=said)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    inner = [each for each in get_args(hint) if each is not types.NoneType]
    return inner[0] if len(inner) == 1 else Union[tuple(inner)]  # noqa: UP007


def _name(view: Any) -> str:
    plain = _NAMES.get(f"{view.__module__}.{view.__name__}", view.__name__)
    return _free(plain.removesuffix("View"), view)


def _free(name: str, thing: Any) -> str:
    """The name, unless another thing has it: then that of its room goes before it."""
    if _taken.setdefault(name, thing) is thing:
        return name
    room = thing.__module__.rpartition(".")[2].title().replace("_", "")
    longer = f"{room}{name}"
    if _taken.setdefault(longer, thing) is not thing:
        raise AssertionError(longer)
    return longer


def _said(thing: Any) -> str:
    return " ".join((thing.__doc__ or "").split())
