"""Everything that a client may do over REST, as mutations: made from the same table of operations.

An input is the body of the operation and is judged by its model; the act, its permission, its unit
of work and its Idempotency-Key are those of api/rest. What is new here is how the answer is read:
a union of what was made and of the city's ways to say no.
"""

from collections.abc import Awaitable, Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, NamedTuple, Union

import orjson
import strawberry
from strawberry.utils.str_converters import to_camel_case

from api.graphql import loading
from api.graphql.acts import Act, FileInput
from api.graphql.appeals import Appeal, parts_below
from api.graphql.appeals import made as made_appeal
from api.graphql.arguments import argument, path_argument, path_names, query_arguments
from api.graphql.derive import input_type, view_type
from api.graphql.fast import plain
from api.graphql.incidents import Incident
from api.graphql.incidents import made as made_incident
from api.graphql.outcomes import FAMILIES, problem_of
from api.rest.appeals import RegisteredAppeal
from api.rest.incident_views import IncidentView, KnownIncident
from api.rest.operation import Operation, Upload
from api.rest.table import OPERATIONS
from api.rest.views import AppealView
from api.watch import watch
from domain.errors import Refusal

_REPLAYED = "Whether this is the answer to an earlier request with the same key."


class Payload(NamedTuple):
    """What a success is told as: the type, and how the answer becomes one."""

    type: Any
    read: Callable[[Any, Any, bool], Awaitable[Any]]


@strawberry.type(description="The appeal as it stands after the act.")
class AppealPayload:
    """Read after the act was committed, in the parts that are asked for."""

    appeal: Appeal | None = plain("The appeal, where it still exists for the caller.")
    replayed: bool = plain(_REPLAYED)


@strawberry.type(description="The new appeal, and what the city knew already of its matter.")
class RegisteredPayload(AppealPayload):
    """See AppealPayload."""

    incidents: list[view_type(KnownIncident)] = plain(  # type: ignore[valid-type]
        "What is known already of its service at its place."
    )


@strawberry.type(description="The incident as it stands after the act.")
class IncidentPayload:
    """As the act answered."""

    incident: Incident | None = plain("The incident.")
    replayed: bool = plain(_REPLAYED)


@strawberry.type(description="It is done; there is nothing more to say of it.")
class DonePayload:
    """For what is gone afterwards."""

    done: bool = plain("True.")


async def _appeal(body: Any, info: Any, replayed: bool) -> AppealPayload:
    return AppealPayload(appeal=await _read(body, info), replayed=replayed)


async def _registered(body: Any, info: Any, replayed: bool) -> RegisteredPayload:
    return RegisteredPayload(
        appeal=await _read(body, info), replayed=replayed, incidents=body["incidents"]
    )


async def _read(body: Any, info: Any) -> Appeal | None:
    wanted = parts_below(info._raw_info, "appeal")
    sketch = await loading.appeals_by(info.context, "number", wanted).load(body["number"])
    return made_appeal(sketch) if sketch is not None else None


async def _incident(body: Any, _: Any, replayed: bool) -> IncidentPayload:
    return IncidentPayload(incident=made_incident(body), replayed=replayed)


async def _done(_: Any, __: Any, ___: bool) -> DonePayload:
    return DonePayload(done=True)


_PAYLOADS: dict[Any, Payload] = {
    AppealView: Payload(AppealPayload, _appeal),
    RegisteredAppeal: Payload(RegisteredPayload, _registered),
    IncidentView: Payload(IncidentPayload, _incident),
    None: Payload(DonePayload, _done),
}
_unions: dict[Any, Any] = {}


def _payload(answer: Any) -> Payload:
    """How an answer is told; of a shape that has no node, as the shape itself."""
    if answer not in _PAYLOADS:
        shape = view_type(answer)
        name = shape.__strawberry_definition__.name
        field = to_camel_case(name[0].lower() + name[1:])
        made = type(f"{name}Payload", (), {"__module__": __name__, "__annotations__": {}})
        made.__annotations__ = {"result": shape, "replayed": bool}
        made.result = plain(shape.__strawberry_definition__.description, name=field)  # type: ignore[attr-defined]
        made.replayed = plain(_REPLAYED)  # type: ignore[attr-defined]
        kind: Any = strawberry.type(made, description="What the act answered.")

        async def read(body: Any, _: Any, replayed: bool) -> Any:
            return kind(result=body, replayed=replayed)

        _PAYLOADS[answer] = Payload(kind, read)
    return _PAYLOADS[answer]


def _outcome(payload: Payload) -> Any:
    """The union of a success and of all refusals."""
    kind = payload.type
    if kind not in _unions:
        name = kind.__name__.removesuffix("Payload")
        union = strawberry.union(f"{name}Outcome", description="What came of it, or why not.")
        _unions[kind] = Annotated[Union[(kind, *FAMILIES)], union]
    return _unions[kind]


def _field(operation: Operation) -> Any:
    """The mutation of an operation."""
    names = path_names(operation)
    act, payload = Act(operation, names), _payload(operation.answer)

    async def resolve(info: strawberry.Info, **given: Any) -> Any:
        try:
            reply = await act.do(info.context, given)
        except Refusal as refusal:
            who = info.context.principal
            watch(
                refusal,
                route=operation.id,
                who=str(who.id) if who else None,
                request_id=info.context.request_id,
            )
            return problem_of(refusal, info.context)
        body = orjson.loads(reply.body) if isinstance(reply.body, bytes) else reply.body
        return await payload.read(body, info, "idempotency-replayed" in reply.headers)

    arguments = [Parameter("info", Parameter.KEYWORD_ONLY, annotation=strawberry.Info)]
    arguments += [path_argument(name) for name in names] + _arguments(operation)
    arguments += query_arguments(operation)
    outcome = _outcome(payload)
    resolve.__signature__ = Signature(arguments, return_annotation=outcome)  # type: ignore[attr-defined]
    resolve.__annotations__ = {a.name: a.annotation for a in arguments} | {"return": outcome}
    return strawberry.field(resolver=resolve, description=f"{operation.summary}.")


def _arguments(operation: Operation) -> list[Parameter]:
    found = []
    if isinstance(operation.body, Upload):
        found.append(argument("input", FileInput, "The file."))
    elif operation.body is not None and operation.body.model_fields:
        kind = input_type(operation.body)
        found.append(argument("input", kind, "What is said."))
    if operation.if_match:
        words = "Do it only if the version is still this one"
        needed = "; needed." if operation.method == "PATCH" else "."
        found.append(argument("if_version", int | None, words + needed, None))
    if operation.keyed:
        words = (
            "Names the request, so that a repeat is answered and not done again; needed here or as"
            " the header Idempotency-Key."
        )
        found.append(argument("idempotency_key", str | None, words, None))
    return found


WRITES = tuple(operation for operation in OPERATIONS if operation.writes is not None)
"""Each is a mutation of the operation's own name."""


def _mutation() -> Any:
    made = type("Mutation", (), {"__module__": __name__, "__annotations__": {}})
    for operation in WRITES:
        setattr(made, operation.id, _field(operation))
    words = "What can be done: what can be done over REST, by the same rules."
    return strawberry.type(made, description=words)


Mutation = _mutation()
