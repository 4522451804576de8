"""The log of deliveries, what is sent again of it, and what administrators were told."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from api import clock
from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.operation import Call, Operation, Reply
from api.rest.webhooks import EventTypes, Queued
from domain.access import Permission
from domain.ports import UnitOfWork
from domain.values import in_language
from domain.webhooks.events import NOTICES, Notice, check_event_types, subject_of
from domain.webhooks.model import DeliveryState
from domain.webhooks.replay import LogFilter, Replay, What
from domain.webhooks.use_cases import replay


class LogQuery(f.Query):
    """Which part of a log."""

    state: Annotated[
        tuple[DeliveryState, ...], BeforeValidator(f.several), Field(max_length=4)
    ] = ()
    type: Annotated[tuple[f.Code, ...], BeforeValidator(f.several), Field(max_length=50)] = ()
    appeal: f.Code | None = None
    webhook_id: UUID | None = None
    http_status: Annotated[int, Field(ge=100, le=999), BeforeValidator(f.digits)] | None = None
    since: f.Instant | None = None
    until: f.Instant | None = None
    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class ReplayBody(f.Body):
    """What is sent again: what was `missed` (exhausted, or ended since the endpoint was disabled
    or gone), at once what is `waiting` for its next try, or `all` that is over; created at `since`
    or later and before `until`, of these types. With `dry_run` it is only counted. Of more than
    20,000 that were missed or wait the oldest go: ask again while more were found than sent. What
    was tried 200 times is neither found nor sent.
    Receivers drop what they have by its `webhook-id`.
    """

    what: Literal["missed", "waiting", "all"]
    since: f.Instant | None = None
    until: f.Instant | None = None
    event_types: EventTypes = ()
    dry_run: bool = False


class AttemptView(TypedDict):
    """One try of a delivery."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    latency_ms: int
    body: str


class DeliveryView(TypedDict):
    """One event on its way to one endpoint. `webhook_id` is the id that the receiver was given;
    `appeal` the registration number that the message names, and `sequence` its place among what is
    told of the same appeal or incident; `payload` is that message. `reason` tells why it was
    cancelled. `attempts` is how often it was tried, `tries` are the last twenty.
    """

    id: UUID
    endpoint: UUID
    webhook_id: UUID
    type: str
    appeal: str | None
    sequence: int | None
    payload: dict[str, Any]
    state: str
    reason: str | None
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    tries: list[AttemptView]


class DeliveryPage(TypedDict):
    """A page of the log, the newest first."""

    items: list[DeliveryView]
    next: str | None


class ReplayedView(TypedDict):
    """How many deliveries were found, and how many of them are on their way again."""

    found: int
    sent: int


class NoticeView(TypedDict):
    """What administrators were told of an endpoint; `count` times until `last_at`.

    `status` and `error` are those of the attempt that led to it, `delivery` is its delivery and
    `appeal` the registration number that this is about.
    """

    id: UUID
    type: str
    text: str
    at: datetime
    count: int
    last_at: datetime
    endpoint: UUID
    description: str
    delivery: UUID
    appeal: str | None
    failures: int
    failing_since: datetime | None
    status: int | None
    error: str | None
    disabled_reason: str | None


class NoticePage(TypedDict):
    """A page of notices, the newest first."""

    items: list[NoticeView]
    next: str | None


async def list_deliveries(call: Call) -> Reply:
    """The log of an endpoint."""
    query: LogQuery = call.query
    keyring, endpoint = call.house.keyring, call.id("endpoint")
    wanted = LogFilter(
        tuple(map(str, query.state)), query.type, query.appeal, query.http_status, query.since,
        query.until, query.webhook_id,
    )  # fmt: skip
    after = read_cursor(query.cursor, keyring)
    found = await call.house.webhooks.deliveries(
        call.principal, endpoint, wanted, after, query.limit + 1
    )
    items = found[: query.limit]
    last = items[-1] if len(found) > query.limit else None
    return Reply(
        {
            "items": [_delivery(row) for row in items],
            "next": write_cursor(last["created_at"], last["id"], keyring) if last else None,
        }
    )


async def read_delivery(call: Call) -> Reply:
    """One delivery."""
    return Reply(_delivery(await call.house.webhooks.delivery(call.principal, call.id("delivery"))))


async def retry(call: Call, uow: UnitOfWork) -> Reply:
    """A delivery that is over, or waits, on its way at once."""
    delivery = call.id("delivery")
    # Messages travel by the machine's clock, even where the city's runs fast.
    await uow.endpoints.retry(delivery, at=clock.real())
    return Reply({"delivery": delivery}, 202)


async def replay_deliveries(call: Call, uow: UnitOfWork) -> Reply:
    """Many of them on their way again, or only counted."""
    body: ReplayBody = call.body
    asked = Replay(
        what=What(body.what),
        since=body.since,
        until=body.until,
        event_types=check_event_types(body.event_types),
        dry_run=body.dry_run,
    )
    done = await replay(call.id("endpoint"), asked, uow=uow, at=clock.real())
    return Reply({"found": done.found, "sent": done.sent}, 202)


async def list_notices(call: Call) -> Reply:
    """What the caller's organisation was told."""
    query: f.PageQuery = call.query
    keyring = call.house.keyring
    after = read_cursor(query.cursor, keyring)
    found = await call.house.webhooks.notices(call.principal, after, query.limit + 1)
    items = found[: query.limit]
    last = items[-1] if len(found) > query.limit else None
    return Reply(
        {
            "items": [_notice(row, call.language) for row in items],
            "next": write_cursor(last["at"], last["id"], keyring) if last else None,
        }
    )


_SHOWN = (
    "id", "webhook_id", "type", "state", "reason", "attempts", "created_at", "next_attempt_at",
    "finished_at",
)  # fmt: skip
_TRY = ("number", "at", "status", "error", "latency_ms", "body")


def _delivery(row: Any) -> dict[str, Any]:
    tries = [{name: one[name] for name in _TRY} for one in row["tries"]]
    payload = orjson.loads(row["payload"])
    appeal, sequence = subject_of(payload)
    return {name: row[name] for name in _SHOWN} | {
        "endpoint": row["endpoint_id"], "appeal": appeal, "sequence": sequence,
        "payload": payload, "tries": tries,
    }  # fmt: skip


_NOTICE = ("id", "type", "at", "count", "last_at", "description")
_FACTS = ("delivery", "failures", "failing_since", "status", "error", "disabled_reason")


def _notice(row: Any, language: str) -> dict[str, Any]:
    facts = row["data"]
    return {
        **{name: row[name] for name in _NOTICE},
        **{name: facts[name] for name in _FACTS},
        # Of what was told before it was noted nothing names it.
        "appeal": facts.get("appeal"),
        "endpoint": row["endpoint_id"],
        "text": in_language(NOTICES[Notice(row["type"])], language),
    }


_ONE = "/v1/webhook-endpoints/{id}"
_MAY = Permission.MANAGE_ENDPOINTS

OPERATIONS = (
    Operation(
        "listDeliveries", "GET", f"{_ONE}/deliveries", "Webhooks",
        "Read the log of an endpoint, try by try",
        reads=list_deliveries, permission=_MAY, query=LogQuery, answer=DeliveryPage,
        refusals=(404,),
    ),
    Operation(
        "replayDeliveries", "POST", f"{_ONE}/replay", "Webhooks",
        "Send again what was missed, what waits, or everything since a time",
        writes=replay_deliveries, permission=_MAY, body=ReplayBody, answer=ReplayedView,
        status=202, refusals=(404, 409),
    ),
    Operation(
        "readDelivery", "GET", "/v1/deliveries/{id}", "Webhooks", "See a delivery, try by try",
        reads=read_delivery, permission=_MAY, answer=DeliveryView, refusals=(404,),
    ),
    Operation(
        "retryDelivery", "POST", "/v1/deliveries/{id}/retry", "Webhooks",
        "Send a delivery again, or now if it waits",
        writes=retry, permission=_MAY, answer=Queued, status=202, refusals=(404, 409),
    ),
    Operation(
        "listNotices", "GET", "/v1/notices", "Webhooks",
        "Read what your organisation was told of its endpoints",
        reads=list_notices, permission=_MAY, query=f.PageQuery, answer=NoticePage,
    ),
)  # fmt: skip
