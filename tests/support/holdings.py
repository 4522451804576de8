"""What organisations hold, counted by hand from the register's own rows, and what is kept of it.

The oracle asks neither cards nor anything that a trigger wrote: who held an appeal are all that
its assignments name, what it is about its own row says.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from api.bootstrap import House
from domain.appeals.workflow import FINAL
from integrations.postgres.cards import day, facets_of

Holders = frozenset[UUID]
Count = tuple[str, Holders, str]
"""Subject, who holds it, state."""

_APPEALS = """
SELECT a.*,
       array(SELECT DISTINCT organisation_id FROM assignment s WHERE s.appeal_id = a.id) AS holders
  FROM appeal a
"""
_CLOCKS = "SELECT appeal_id, state, breached_at FROM clock"
_CONSULTATIONS = """
SELECT m.organisation_id FROM consultation n JOIN member m ON m.id = n.operator_id
 WHERE m.organisation_id IS NOT NULL
"""


@dataclass(frozen=True)
class Books:
    """Counted and kept, at one moment."""

    counted: Counter[Count]
    kept: Counter[Count]
    open: set[tuple[UUID, UUID, str]]
    """Who has which appeal open, by its assignments, and how it stands."""
    lying: set[tuple[UUID, UUID, str]]
    """What lies on desks."""
    kinds: set[tuple[Any, ...]]
    """City, service, category, sphere and kind of what the register holds."""
    met: set[tuple[Any, ...]]
    about: set[tuple[UUID, int]]
    """Organisation and facet, of all that they were ever given."""
    dealt: set[tuple[UUID, int]]

    @property
    def wrong(self) -> dict[Any, int]:
        """Every difference, by what it is of; empty where the books are right."""
        differing = {
            one: self.kept[one] - self.counted[one]
            for one in self.kept.keys() | self.counted.keys()
            if self.kept[one] != self.counted[one]
        }
        return (
            differing
            | {("lies in vain", *one): 1 for one in self.lying - self.open}
            | {("does not lie", *one): -1 for one in self.open - self.lying}
            | {("never met", *one): -1 for one in self.kinds - self.met}
            | {("never dealt with", *one): -1 for one in self.about - self.dealt}
        )

    def of(self, organisations: Collection[UUID]) -> dict[str, Any]:
        """The figures of whoever sees what these organisations were ever given, by hand."""
        own: dict[str, Counter[str]] = {
            "appeal": Counter(), "clock": Counter(), "consultation": Counter()
        }  # fmt: skip
        for (subject, holders, state), n in self.counted.items():
            if holders.intersection(organisations):
                own[subject][state] += n
        first = own["appeal"].pop("closed first", 0)
        statuses = own["appeal"] + Counter({"closed": first})
        return {
            "by_status": dict(statuses),
            "total": statuses.total(),
            "closed": statuses["closed"],
            "first_closed": first,
            "consultations": own["consultation"]["answered"],
            "clocks": dict(own["clock"]),
        }


async def read_books(house: House) -> Books:
    """The books as they are at one moment, read by the owner."""
    driver = await asyncpg.connect(house.settings.database_url)
    try:
        async with driver.transaction(isolation="repeatable_read", readonly=True):
            return await _read(driver)
    finally:
        await driver.close()


async def _read(driver: asyncpg.Connection) -> Books:
    appeals = {row["id"]: row for row in await driver.fetch(_APPEALS)}
    holders = {key: frozenset(row["holders"]) for key, row in appeals.items()}
    counted: Counter[Count] = Counter()
    for key, row in appeals.items():
        counted["appeal", holders[key], _state_of_appeal(row)] += 1
    for row in await driver.fetch(_CLOCKS):
        counted["clock", holders[row["appeal_id"]], _state_of_clock(row)] += 1
    for row in await driver.fetch(_CONSULTATIONS):
        counted["consultation", frozenset({row["organisation_id"]}), "answered"] += 1
    kept: Counter[Count] = Counter()
    for row in await driver.fetch("SELECT subject, holders, state, count FROM holding"):
        kept[row["subject"], frozenset(row["holders"]), row["state"]] += row["count"]
    return Books(
        # What nobody ever had is nobody's to count.
        counted=Counter({one: n for one, n in counted.items() if one[1]}),
        kept=kept,
        open={
            (holder, key, row["status"])
            for key, row in appeals.items() if row["status"] not in FINAL
            for holder in holders[key]
        },
        lying={
            (row["organisation_id"], row["appeal_id"], row["status"])
            for row in await driver.fetch("SELECT * FROM desk WHERE NOT ended")
        },
        kinds={_kind(row) for row in appeals.values()},
        met={_kind(row) for row in await driver.fetch("SELECT * FROM meeting")},
        about={
            (holder, number)
            for key, row in appeals.items()
            for holder in holders[key]
            for number in set(facets_of(row)) - {day(row["registered_at"])}
        },
        dealt={
            (row["organisation_id"], row["facet"])
            for row in await driver.fetch("SELECT * FROM dealing")
        },
    )  # fmt: skip


def _state_of_appeal(row: Mapping[str, Any]) -> str:
    closed_at_once = row["status"] == "closed" and row["first_contact"]
    return "closed first" if closed_at_once else str(row["status"])


def _state_of_clock(row: Mapping[str, Any]) -> str:
    late = row["state"] == "met" and row["breached_at"] is not None
    return "met_late" if late else str(row["state"])


def _kind(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("city_id", "service", "category", "sphere", "kind"))


async def books_of(house: House) -> Books:
    """The books as they are now, which are right."""
    books = await read_books(house)
    assert books.wrong == {}
    return books
