"""The rows of appeals with their events, by the portion: what an audit counts again.

Rows are judged where they are read: to hand them on would cost more.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from domain.appeals.account import Account
from domain.appeals.accounting import Kept, Row, faults
from domain.ports import Keyring
from domain.register.findings import Finding, Kind
from integrations.postgres.cards import facets_of, words

AT_ONCE = 500
FAR = 5000
"""Appeals of one stretch: what a process judges before it is asked again."""
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)

Stretch = tuple[UUID, UUID]
"""Ids of appeals: after the first, up to the second."""
EVERYTHING: Stretch = (_FIRST, _LAST)

_APPEALS = (
    "SELECT * FROM appeal WHERE city_id = $1 AND id > $2 AND id <= $3"
    " AND ($5::text IS NULL OR number = $5) ORDER BY id LIMIT $4"
)
_STRETCHES = (
    "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM appeal"
    " WHERE city_id = $1) numbered WHERE place % $2 = 0 ORDER BY id"
)
_EVENTS = (
    "SELECT appeal_id, id, canonical FROM event WHERE appeal_id = ANY($1)"
    " ORDER BY appeal_id, sequence"
)
# By the events' own ids: of a join the planner expects so many that it reads all texts there are.
_PERSONAL = "SELECT event_id, field, salt, sealed FROM event_personal WHERE event_id = ANY($1)"
_FOLLOWING = {
    "clocks": "SELECT appeal_id, city_id, stage, round, state, due_at, district, organisation_id"
    " FROM clock WHERE appeal_id = ANY($1) ORDER BY appeal_id, stage, round",
    "assignments": "SELECT appeal_id, id, city_id, organisation_id, state, offered_at, answered_at,"
    " done_at FROM assignment WHERE appeal_id = ANY($1)",
    "completions": "SELECT * FROM completion WHERE appeal_id = ANY($1)",
    "cards": "SELECT * FROM card WHERE appeal_id = ANY($1)",
    "files": "SELECT appeal_id, id, original_sha256, sha256 FROM attachment"
    " WHERE appeal_id = ANY($1)",
}

Rows = list[Row]


@dataclass(frozen=True, slots=True)
class Whole:
    """An appeal's row, its events' bytes in order, and the rows that follow from them by name."""

    appeal: Row
    events: Sequence[bytes]
    following: dict[str, Rows]


async def stretches(driver: Any, city: UUID) -> list[Stretch]:
    """All appeals of a city, in stretches of about as many."""
    found = [row["id"] for row in await driver.fetch(_STRETCHES, city, FAR)]
    return list(zip((_FIRST, *found), (*found, _LAST), strict=True))


async def portions(
    driver: Any, city: UUID, stretch: Stretch = EVERYTHING, number: str | None = None
) -> AsyncGenerator[list[Whole], None]:
    """Every appeal of a stretch by id, or the one whose row bears a number, within the caller's
    transaction, which is one moment.
    """
    after, upto = stretch
    while True:
        found = await driver.fetch(_APPEALS, city, after, upto, AT_ONCE, number)
        if found:
            yield await _wholes(driver, found)
        if len(found) < AT_ONCE:
            return
        after = found[-1]["id"]


async def _wholes(driver: Any, found: Sequence[Any]) -> list[Whole]:
    ids = [row["id"] for row in found]
    events: dict[UUID, list[bytes]] = defaultdict(list)
    whose: dict[UUID, UUID] = {}
    for row in await driver.fetch(_EVENTS, ids):
        events[row["appeal_id"]].append(bytes(row["canonical"]))
        whose[row["id"]] = row["appeal_id"]
    following = {
        name: _gathered((row["appeal_id"], row) for row in await driver.fetch(statement, ids))
        for name, statement in _FOLLOWING.items()
    }
    personal = await driver.fetch(_PERSONAL, list(whose))
    following["personal"] = _gathered((whose[row["event_id"]], row) for row in personal)
    return [
        Whole(
            row, events.get(row["id"], ()),
            {name: rows.get(row["id"], []) for name, rows in following.items()},
        )
        for row in found
    ]  # fmt: skip


def _gathered(found: Iterable[tuple[UUID, Row]]) -> dict[UUID, Rows]:
    by_appeal: dict[UUID, Rows] = defaultdict(list)
    for appeal, row in found:
        by_appeal[appeal].append(row)
    return by_appeal


def judge(portion: Iterable[Whole], keyring: Keyring) -> list[Finding]:
    """All in which the rows of a portion tell another story than their events."""
    return [
        Finding(Kind.DISAGREES, f"{whole.appeal['id']} ({whole.appeal['number']}): {says}")
        for whole in portion
        for says in _judged(whole, keyring)
    ]


def _judged(whole: Whole, keyring: Keyring) -> list[str]:
    account, rows = Account(), whole.following
    cards = rows["cards"]
    kept = Kept(
        whole.appeal, rows["clocks"], rows["assignments"], rows["completions"],
        [holder for card in cards for holder in card["organisations"]],
        rows["personal"], rows["files"],
    )  # fmt: skip
    try:
        for canonical in whole.events:
            account.tell(orjson.loads(canonical))
        return [*faults(kept, account.done(), keyring), *_of_cards(whole.appeal, cards)]
    except (ValueError, KeyError, TypeError, AttributeError) as odd:
        return [f"its events cannot be told: {odd}"]


def _of_cards(row: Row, cards: Rows) -> list[str]:
    """The card against the appeal's own row, which its events were held to."""
    if len(cards) != 1:
        return [f"it has {len(cards)} cards"]
    (card,) = cards
    told = {
        "city_id": row["city_id"], "registered_at": row["registered_at"],
        "facets": facets_of(row), "words": words(row["text"], row["address"], row["number"]),
    }  # fmt: skip
    odd = [name for name, value in told.items() if card[name] != value]
    return [f"its card tells another {', '.join(odd)} than its row"] if odd else []
