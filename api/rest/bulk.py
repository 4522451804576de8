"""Many acts in one call, for the systems of executors: each by itself, each with its outcome.

An act is whole or not at all, as it would be alone; it does not wait for the others, nor fall with
them. Each is kept under a key of its own, made from the call's, so that a call that was cut off,
or answered 503, may be sent again: what was done is told again and not done again.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import BeforeValidator, FailFast, Field
from typing_extensions import TypedDict

from api.errors import Asked, KeyReused, problem
from api.limits import Turns
from api.rest import fields as f
from api.rest.actions import BODIES
from api.rest.decode import canonical, decode_body
from api.rest.incident_actions import BODIES as INCIDENT_BODIES
from api.rest.incident_views import IncidentView, incident_view
from api.rest.incidents import IncidentBody, IncidentChangeBody, changing, opening
from api.rest.operation import Call, Operation, Reply
from api.rest.views import AppealView, appeal_view
from domain.access import Permission
from domain.appeals.use_cases import perform
from domain.appeals.workflow import Action
from domain.errors import Invalid, Refusal, Unavailable
from domain.incidents import use_cases as incidents
from domain.incidents.commands import IncidentCommand
from domain.incidents.workflow import IncidentAction
from domain.ports import Answer, KeyTaken, UnitOfWork

Body = TypeVar("Body", bound=f.Body)

MOST = 100
TURNS = Turns(2)
"""Calls of one caller at once in one process: each stands for a hundred."""

OF_APPEALS = frozenset(
    {"accept", "decline", "report", "extend", "pause", "resume", "resolve", "comment"}
)
OF_INCIDENTS = frozenset({"change", "start", "accept", "report", "resolve", "cancel", "broadcast"})
ACTION = Literal[
    "accept", "decline", "report", "extend", "pause", "resume", "resolve", "comment",
    "open", "change", "start", "cancel", "broadcast",
]  # fmt: skip
"""What an executor's system does; a resident's word is given one by one."""


class ActBody(f.Body):
    """One act: on the appeal of a `number`, on an `incident`, or, of neither, `open` for a new
    incident. `body` is what the act alone takes (`POST /v1/appeals/{number}/{action}`,
    `POST /v1/incidents`, `/v1/incidents/{id}/{action}`, for `change` its PATCH), `version` what its
    If-Match would say.
    """

    number: Annotated[f.Word, Field(max_length=40)] | None = None
    incident: f.Id | None = None
    action: ACTION
    body: f.Answers = Field(default_factory=dict)
    version: Annotated[int, Field(ge=1, le=1_000_000_000), BeforeValidator(f.whole)] | None = None


class ActsBody(f.Body):
    """The acts, done in this order."""

    acts: Annotated[tuple[ActBody, ...], Field(min_length=1, max_length=MOST), FailFast()]


class OutcomeView(TypedDict):
    """What came of an act: the appeal or the incident after it, or the problem that the act alone
    would have met. `status` is what the act alone would have been answered.

    `replayed`: it was done by an earlier try of the same call.
    """

    number: str | None
    action: str
    status: int
    replayed: bool
    appeal: AppealView | None
    incident: IncidentView | None
    problem: dict[str, Any] | None


class ActsAnswer(TypedDict):
    """The outcomes, in the order of the acts."""

    done: int
    refused: int
    outcomes: list[OutcomeView]


async def act_many(call: Call, uow: UnitOfWork) -> Reply:
    """Do each act in a unit of its own; the door keeps the outcomes under the call's key."""
    key = call.key or ""
    if await call.house.answers.find(call.principal, key) is not None:
        # What was refused then may be possible now: the first answer stands for all of it.
        raise KeyTaken
    with TURNS.one(str(uow.principal.id)):
        outcomes = [
            await _outcome(call, act, f"{key}\n{place}") for place, act in enumerate(call.body.acts)
        ]
    done = sum(outcome["status"] < 300 for outcome in outcomes)
    return Reply({"done": done, "refused": len(outcomes) - done, "outcomes": outcomes})


async def _outcome(call: Call, act: ActBody, key: str) -> dict[str, Any]:
    own = f"act-{sha256(key.encode()).hexdigest()}"
    # Acts on appeals are told from each other as they were before there were incidents here.
    left_out = {"incident"} if act.incident is None else None
    said = canonical(act.model_dump_json(exclude=left_out).encode())
    fingerprint = sha256(b"actMany\n" + said).digest()
    told: dict[str, Any] = {"number": act.number, "action": act.action, "status": 200,
                            "replayed": False, "appeal": None, "incident": None,
                            "problem": None}  # fmt: skip
    try:
        return told | _done(act, await _do(call, act, own, fingerprint))
    except Unavailable:
        # No outcome of the act: kept under the call's key, it would never be done by a repeat.
        raise
    except (KeyTaken, Refusal) as refused:
        first = await call.house.answers.find(call.principal, own)
        if first is None and isinstance(refused, Refusal):
            return told | _refused(call, act, refused)
        if first is None or first.fingerprint != fingerprint:
            return told | _refused(call, act, KeyReused())
        return told | _done(act, first) | {"replayed": True}


async def _do(call: Call, act: ActBody, key: str, fingerprint: bytes) -> Answer:
    """One act, committed with its answer; that answer. Raises Refusal, KeyTaken."""
    do = _aimed(act)
    status = 201 if act.action == "open" else 200
    async with call.house.units.open(call.principal) as uow:
        version, view = await do(call, act, uow)
        shown = orjson.dumps(view, default=str, option=orjson.OPT_UTC_Z)
        headers: Mapping[str, str] = {"etag": f'"{version}"'}
        answer = Answer(key, fingerprint, status, headers, shown)
        await uow.commit(answer)
    return answer


Done = tuple[int, AppealView | IncidentView]
"""The version and the view of what was acted on, after it."""


def _aimed(act: ActBody) -> Callable[[Call, ActBody, UnitOfWork], Awaitable[Done]]:
    """How such an act is done. Raises Invalid for one that names the wrong thing or none."""
    if act.action == "open":
        if (extra := act.number or act.incident) is not None:
            raise Invalid.at("/number" if act.number else "/incident", "unknown", value=str(extra))
        return _open
    if act.incident is None:
        if act.number is None:
            raise Invalid.at("/number" if act.action in OF_APPEALS else "/incident", "required")
        if act.action not in OF_APPEALS:
            raise Invalid.at("/action", "enum", expected=sorted(OF_APPEALS))
        return _act_on_appeal
    if act.number is not None:
        raise Invalid.at("/number", "unknown", value=act.number)
    if act.action not in OF_INCIDENTS:
        raise Invalid.at("/action", "enum", expected=sorted(OF_INCIDENTS))
    return _act_on_incident


async def _act_on_appeal(call: Call, act: ActBody, uow: UnitOfWork) -> Done:
    action = Action(act.action)
    model, make = BODIES[action]
    appeal = await perform(
        act.number or "",
        action,
        make(_body(model, act)),
        uow=uow,
        reference=call.reference,
        at=call.house.now(),
        expected=None if act.version is None else {act.version},
    )
    return appeal.version, appeal_view(appeal, call)


async def _act_on_incident(call: Call, act: ActBody, uow: UnitOfWork) -> Done:
    if act.incident is None:
        raise AssertionError(act)
    action = IncidentAction(act.action)
    if action is IncidentAction.CHANGE:
        command: IncidentCommand = changing(_body(IncidentChangeBody, act))
    else:
        model, make = INCIDENT_BODIES[action]
        command = make(_body(model, act))
    incident = await incidents.perform(
        act.incident,
        action,
        command,
        uow=uow,
        reference=call.reference,
        at=call.house.now(),
        expected=None if act.version is None else {act.version},
    )
    return incident.version, incident_view(incident, call)


async def _open(call: Call, act: ActBody, uow: UnitOfWork) -> Done:
    incident = await incidents.open_incident(
        opening(_body(IncidentBody, act)),
        uow=uow,
        reference=call.reference,
        at=call.house.now(),
    )
    return incident.version, incident_view(incident, call)


def _body(model: type[Body], act: ActBody) -> Body:
    body: Body = decode_body(model, json.dumps(act.body).encode())
    return body


def _done(act: ActBody, answer: Answer) -> dict[str, Any]:
    kind = "appeal" if act.number is not None else "incident"
    return {"status": answer.status, kind: orjson.Fragment(answer.body)}


def _refused(call: Call, act: ActBody, refusal: Refusal) -> dict[str, Any]:
    asked = Asked(_place(act), call.language, call.request_id)
    told = problem(refusal, asked)
    return {"status": told.status_code, "problem": orjson.loads(told.body)}


def _place(act: ActBody) -> str:
    """Where the act alone would have been asked for."""
    if act.number is not None:
        return f"/v1/appeals/{act.number}/{act.action}"
    if act.incident is None:
        return "/v1/incidents"
    return f"/v1/incidents/{act.incident}" + ("" if act.action == "change" else f"/{act.action}")


OPERATIONS = (
    Operation(
        "actMany", "POST", "/v1/acts", "Actions",
        "Do up to a hundred acts on appeals and incidents in one call, each with its own outcome",
        writes=act_many, permission=Permission.PERFORM, body=ActsBody, answer=ActsAnswer,
    ),
)  # fmt: skip
