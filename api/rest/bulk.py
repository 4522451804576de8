"""Many acts in one call, for the systems of executors: each by itself, each with its outcome.

An act is whole or not at all, as it would be alone; it does not wait for the others, nor fall with
them. Each is kept under a key of its own, made from the call's, so that a call that was cut off,
or answered 503, may be sent again: what was done is told again and not done again.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, FailFast, Field
from typing_extensions import TypedDict

from api.errors import Asked, KeyReused, problem
from api.limits import Turns
from api.rest import fields as f
from api.rest.actions import BODIES
from api.rest.decode import canonical, decode_body
from api.rest.operation import Call, Operation, Reply
from api.rest.views import AppealView, appeal_view
from domain.access import Permission
from domain.appeals.use_cases import perform
from domain.appeals.workflow import Action
from domain.errors import Refusal, Unavailable
from domain.ports import Answer, KeyTaken, UnitOfWork

MOST = 100
TURNS = Turns(2)
"""Calls of one caller at once in one process: each stands for a hundred."""

ACTION = Literal["accept", "decline", "report", "extend", "pause", "resume", "resolve", "comment"]
"""What an executor's system does; a resident's word is given one by one."""


class ActBody(f.Body):
    """One act: `body` is what `POST /v1/appeals/{number}/{action}` takes, `version` what its
    If-Match would say.
    """

    number: Annotated[f.Word, Field(max_length=40)]
    action: ACTION
    body: f.Answers = Field(default_factory=dict)
    version: Annotated[int, Field(ge=1, le=1_000_000_000), BeforeValidator(f.whole)] | None = None


class ActsBody(f.Body):
    """The acts, done in this order."""

    acts: Annotated[tuple[ActBody, ...], Field(min_length=1, max_length=MOST), FailFast()]


class OutcomeView(TypedDict):
    """What came of an act: the appeal after it, or the problem that the act alone would have met.

    `replayed`: it was done by an earlier try of the same call.
    """

    number: str
    action: str
    status: int
    replayed: bool
    appeal: AppealView | None
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
    done = sum(outcome["status"] == 200 for outcome in outcomes)
    return Reply({"done": done, "refused": len(outcomes) - done, "outcomes": outcomes})


async def _outcome(call: Call, act: ActBody, key: str) -> dict[str, Any]:
    own = f"act-{sha256(key.encode()).hexdigest()}"
    said = canonical(act.model_dump_json().encode())
    fingerprint = sha256(b"actMany\n" + said).digest()
    told: dict[str, Any] = {"number": act.number, "action": act.action, "status": 200,
                            "replayed": False, "appeal": None, "problem": None}  # fmt: skip
    try:
        appeal = await _do(call, act, own, fingerprint)
        return told | {"appeal": appeal}
    except Unavailable:
        # No outcome of the act: kept under the call's key, it would never be done by a repeat.
        raise
    except (KeyTaken, Refusal) as refused:
        first = await call.house.answers.find(call.principal, own)
        if first is None and isinstance(refused, Refusal):
            return told | _refused(call, act, refused)
        if first is None or first.fingerprint != fingerprint:
            return told | _refused(call, act, KeyReused())
        return told | {"replayed": True, "appeal": orjson.Fragment(first.body)}


async def _do(call: Call, act: ActBody, key: str, fingerprint: bytes) -> orjson.Fragment:
    """One act, committed with its answer; that answer. Raises Refusal, KeyTaken."""
    action = Action(act.action)
    model, make = BODIES[action]
    command = make(decode_body(model, json.dumps(act.body).encode()))
    async with call.house.units.open(call.principal) as uow:
        appeal = await perform(
            act.number,
            action,
            command,
            uow=uow,
            reference=call.reference,
            at=call.house.now(),
            expected=None if act.version is None else {act.version},
        )
        shown = orjson.dumps(appeal_view(appeal, call), default=str, option=orjson.OPT_UTC_Z)
        headers: Mapping[str, str] = {"etag": f'"{appeal.version}"'}
        await uow.commit(Answer(key, fingerprint, 200, headers, shown))
    return orjson.Fragment(shown)


def _refused(call: Call, act: ActBody, refusal: Refusal) -> dict[str, Any]:
    asked = Asked(f"/v1/appeals/{act.number}/{act.action}", call.language, call.request_id)
    told = problem(refusal, asked)
    return {"status": told.status_code, "problem": orjson.loads(told.body)}


OPERATIONS = (
    Operation(
        "actMany", "POST", "/v1/acts", "Actions",
        "Do up to a hundred acts on appeals in one call, each with an outcome of its own",
        writes=act_many, permission=Permission.PERFORM, body=ActsBody, answer=ActsAnswer,
    ),
)  # fmt: skip
