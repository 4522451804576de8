"""The feed: the messages of webhooks for those who cannot be called, in order and without gaps."""

import time
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from api.errors import CursorExpired
from api.event_schemas import AnyMessage
from api.limits import Turns
from api.rest import fields as f
from api.rest.cursors import read_cursor, unveiled, veiled, write_cursor
from api.rest.operation import Call, Operation, Reply, malformed
from domain.access import Permission
from domain.errors import NotFound
from domain.webhooks.catalogue import CATALOGUE
from domain.webhooks.events import NOTICES
from domain.webhooks.feed import KEPT, START, FeedPage, Mark
from domain.webhooks.messages import CHECKPOINT_TYPE

TURNS = Turns(8)
"""Callers of one organisation that may wait at once in one process."""

_MOMENT = timedelta(microseconds=1)

TYPES = frozenset(map(str, (*CATALOGUE, *NOTICES))) - {CHECKPOINT_TYPE}
"""What the feed tells; the register's checkpoints are open to all elsewhere."""

_EventType = Annotated[f.Code, Field(json_schema_extra={"enum": sorted(TYPES)})]


class FeedQuery(f.Query):
    """Which part of the feed: from a cursor on, or from the oldest entry kept or the newest."""

    after: f.Cursor | None = None
    start: Literal["oldest", "newest"] = "oldest"
    type: Annotated[
        tuple[_EventType, ...], BeforeValidator(f.several), Field(max_length=len(TYPES))
    ] = ()
    limit: f.Limit = 100
    wait: Annotated[int, Field(ge=0, le=30), BeforeValidator(f.digits)] = 0


class FeedItem(TypedDict):
    """One message: the id that a webhook carries as `webhook-id`, and the body that it carries."""

    id: UUID
    message: AnyMessage


class FeedAnswer(TypedDict):
    """Messages in the order in which they were told. `next` is the `after` to go on with, also
    where there are none; `more` says that there are some already.
    """

    items: list[FeedItem]
    next: str
    more: bool


async def read_feed(call: Call) -> Reply:
    """What the caller's organisation was told; with `wait`, as soon as there is something."""
    query: FeedQuery = call.query
    organisation = call.principal.organisation
    if organisation is None:
        raise NotFound(kind="organisation", id="")
    for place, kind in enumerate(query.type):
        if kind not in TYPES:
            raise malformed("type", f"/type/{place}", "unknown", value=kind)
    mark = await _begin(call, organisation)
    if query.wait == 0:
        return _reply(await _page(call, mark), call, organisation)
    with TURNS.one(str(organisation)):
        return _reply(await _awaited(call, organisation, mark), call, organisation)


async def _awaited(call: Call, organisation: UUID, mark: Mark) -> FeedPage:
    ends = time.monotonic() + call.query.wait
    async with call.house.bell.ear(organisation) as ear:
        while True:
            page = await _page(call, mark)
            left = ends - time.monotonic()
            if page.entries or page.more or left <= 0 or call.house.bell.closed:
                return page
            mark = page.mark
            await ear.wait(left)


async def _page(call: Call, mark: Mark) -> FeedPage:
    query: FeedQuery = call.query
    return await call.house.feed.page(
        call.principal, mark, query.type, query.limit, call.house.now()
    )


async def _begin(call: Call, organisation: UUID) -> Mark:
    """The mark behind which to read. Raises Malformed, CursorExpired."""
    query: FeedQuery = call.query
    place = read_cursor(query.after, call.house.keyring)
    if place is None:
        return START if query.start == "oldest" else await call.house.feed.newest(call.principal)
    try:
        mark = _read_mark(unveiled(place.mark, call.house.keyring))
    except ValueError:
        raise malformed("cursor", "/after", "cursor") from None
    if place.id != organisation:
        raise malformed("cursor", "/after", "cursor")
    if call.at - place.at > KEPT:
        raise CursorExpired(days=KEPT.days)
    return mark


def _reply(page: FeedPage, call: Call, organisation: UUID) -> Reply:
    items = [
        # The very bytes that are signed for a webhook, so that both roads tell the same.
        {"id": str(one.id), "message": orjson.Fragment(one.payload)}
        for one in page.entries
    ]
    keyring = call.house.keyring
    mark = veiled(_say(page.mark), keyring)
    going_on = write_cursor(page.until, organisation, keyring, mark)
    body: dict[str, Any] = {"items": items, "next": going_on, "more": page.more}
    return Reply(body, headers={"cache-control": "no-store"})


def _say(mark: Mark) -> str:
    return f"{mark.position} {mark.id.hex} {(mark.at - START.at) // _MOMENT}"


def _read_mark(said: str) -> Mark:
    """Raises ValueError for the mark of another list."""
    position, id, moments = said.split(" ")
    return Mark(int(position), UUID(id), START.at + int(moments) * _MOMENT)


OPERATIONS = (
    Operation(
        "readFeed", "GET", "/v1/events", "Webhooks",
        "Read what webhooks would tell, in order and without gaps",
        reads=read_feed, permission=Permission.READ_EVENTS, query=FeedQuery,
        answer=FeedAnswer, refusals=(404, 410),
    ),
)  # fmt: skip
