"""The exchange with the national register of appeals: what waits for an inspector, and what the
comparisons of both registers found.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.operation import Call, Operation, Reply
from domain.access import Permission
from domain.eotinish.model import MessageState
from domain.eotinish.use_cases import judge, release_all
from domain.ports import UnitOfWork

NO_STORE = {"cache-control": "no-store"}


class JudgeBody(f.Body):
    """Why the message goes on its way again, or goes no further; it is kept with the message."""

    reason: f.ShortText


class ReleaseBody(f.Body):
    """The fault whose messages go on their way again, and why; it is kept with each of them."""

    fault: f.Code
    reason: f.ShortText


class ReleasedView(TypedDict):
    """How many messages were let go, the oldest first; for those that remain it is called again."""

    released: int
    remaining: int


class QuarantinedView(TypedDict):
    """A message that cannot be sent (`out`) or applied (`in`) before an inspector looked at it.
    `subject` is what it tells (`file`: a file that came with it; on its way out, one that stayed
    behind and can only be dropped), `place` its place in its case:
    the event's sequence, or the state's version. `fields` are the elements of what came; of persons
    they show nothing.
    """

    id: UUID
    direction: str
    subject: str | None
    national_number: str | None
    appeal: str | None
    place: int | None
    fault: str
    detail: str
    attempts: int
    at: datetime
    fields: dict[str, str]


class QuarantinePage(TypedDict):
    """A page of the quarantine, the newest first."""

    items: list[QuarantinedView]
    next: str | None


class JudgedView(TypedDict):
    """Where the message stands now."""

    id: UUID
    state: str


class DifferenceView(TypedDict):
    """One difference: `lack` says in what, `repair` what may be done about it by itself, and
    `repaired` whether it was begun."""

    lack: str
    number: str | None
    own_number: str | None
    ours: str | None
    theirs: str | None
    repair: str
    repaired: bool


class ReconciliationView(TypedDict):
    """A comparison of both registers. `day` is set for the nightly ones; `finished_at` is null
    while it is being made."""

    id: UUID
    day: str | None
    at: datetime
    finished_at: datetime | None
    ours: int
    theirs: int
    repaired: int
    differences: list[DifferenceView]


class ReconciliationPage(TypedDict):
    """A page of comparisons, the newest first."""

    items: list[ReconciliationView]
    next: str | None


async def list_quarantine(call: Call) -> Reply:
    """What waits for an inspector."""
    query: f.PageQuery = call.query
    after = read_cursor(query.cursor, call.house.keyring)
    found = await call.house.exchange_reports.quarantine(call.principal, after, query.limit + 1)
    items: list[QuarantinedView] = [
        {
            "id": one.id,
            "direction": one.direction,
            "subject": one.subject,
            "national_number": one.number,
            "appeal": one.own_number,
            "place": one.place,
            "fault": one.fault,
            "detail": one.detail,
            "attempts": one.attempts,
            "at": one.at,
            "fields": dict(call.house.show_letter(one.document)) if one.document else {},
        }
        for one in found[: query.limit]
    ]
    return Reply({"items": items, "next": _next(found, query.limit, call)}, headers=NO_STORE)


async def list_reconciliations(call: Call) -> Reply:
    """What the comparisons found."""
    query: f.PageQuery = call.query
    after = read_cursor(query.cursor, call.house.keyring)
    found = await call.house.exchange_reports.reports(call.principal, after, query.limit + 1)
    return Reply({"items": found[: query.limit], "next": _next(found, query.limit, call)})


async def release(call: Call, uow: UnitOfWork) -> Reply:
    """Let a message go on its way again."""
    return await _judge(call, uow, MessageState.PENDING)


async def release_fault(call: Call, uow: UnitOfWork) -> Reply:
    """Let go whatever one fault brought into quarantine."""
    body: ReleaseBody = call.body
    done = await release_all(body.fault, body.reason, uow=uow, at=call.at)
    return Reply({"released": done.released, "remaining": done.remaining})


async def drop(call: Call, uow: UnitOfWork) -> Reply:
    """Let a message go no further."""
    return await _judge(call, uow, MessageState.DROPPED)


async def _judge(call: Call, uow: UnitOfWork, state: MessageState) -> Reply:
    body: JudgeBody = call.body
    id = call.id("message")
    await judge(id, state, body.reason, uow=uow, at=call.at)
    return Reply({"id": id, "state": str(state)})


def _next(found: Any, limit: int, call: Call) -> str | None:
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return write_cursor(last.at, last.id, call.house.keyring)


_P = "/v1/eotinish"

OPERATIONS = (
    Operation(
        "listQuarantine", "GET", f"{_P}/quarantine", "National register",
        "Read the messages that wait for an inspector",
        reads=list_quarantine, permission=Permission.READ_EXCHANGE, query=f.PageQuery,
        answer=QuarantinePage,
    ),
    Operation(
        "releaseMessage", "POST", f"{_P}/quarantine/{{id}}/release", "National register",
        "Let a message go on its way again",
        writes=release, permission=Permission.JUDGE_EXCHANGE, body=JudgeBody,
        answer=JudgedView, refusals=(404, 409),
    ),
    Operation(
        "releaseMessages", "POST", f"{_P}/quarantine/release", "National register",
        "Let all messages of one fault go on their way again",
        writes=release_fault, permission=Permission.JUDGE_EXCHANGE, body=ReleaseBody,
        answer=ReleasedView, refusals=(409,),
    ),
    Operation(
        "dropMessage", "POST", f"{_P}/quarantine/{{id}}/drop", "National register",
        "Let a message go no further",
        writes=drop, permission=Permission.JUDGE_EXCHANGE, body=JudgeBody,
        answer=JudgedView, refusals=(404,),
    ),
    Operation(
        "listReconciliations", "GET", f"{_P}/reconciliations", "National register",
        "Read what the comparisons of both registers found",
        reads=list_reconciliations, permission=Permission.READ_EXCHANGE, query=f.PageQuery,
        answer=ReconciliationPage,
    ),
)  # fmt: skip
