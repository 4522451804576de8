"""Sketches of appeals: of each only the parts that somebody asked for (the graph's read side).

An appeal whole costs its clocks, its assignment and a decryption. Whoever asks for ten columns of
fifty appeals gets ten columns: PARTS says which of them each part takes and how it is read. All
else is as with whole appeals: the same search, the same scope, the same walls.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.appeals.model import Channel, Kind
from domain.appeals.workflow import Status
from domain.catalogue.model import Criticality
from domain.ports import Keyring
from domain.questions import NEWEST_FIRST, AppealFilter, Order, Page
from domain.values import Coordinates, Language
from integrations.postgres import rows
from integrations.postgres.cards import words
from integrations.postgres.doors import door_of
from integrations.postgres.legal_rows import read_legal, read_outside
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.searching import Search, setting
from integrations.postgres.session import inside
from integrations.postgres.statements import LOADED

Sketch = dict[str, Any]
Read = Callable[[Mapping[str, Any], Keyring], Any]

_CLOCKS = """(SELECT coalesce(json_agg(to_jsonb(k) || jsonb_build_object(
            'target', extract(epoch FROM k.target),
            'paused_for', extract(epoch FROM k.paused_for))),
            '[]') FROM clock k WHERE k.appeal_id = a.id) AS clocks"""
_ASSIGNMENT = "(SELECT to_jsonb(s) FROM assignment s WHERE s.id = a.assignment_id) AS assignment"


class Part(NamedTuple):
    """The columns that a part takes, and how it is read from them."""

    columns: tuple[str, ...]
    read: Read


def _column(name: str, read: Callable[[Any], Any] | None = None) -> Part:
    if read is None:
        return Part((f"a.{name}",), lambda row, _: row[name])
    return Part((f"a.{name}",), lambda row, _: None if row[name] is None else read(row[name]))


_PLACE = tuple(
    f"a.{name}"
    for name in (
        "building_id", "street_id", "district", "address", "apartment", "latitude", "longitude"
    )
)  # fmt: skip

PARTS: Mapping[str, Part] = {
    **{
        name: _column(name)
        for name in (
            "id", "number", "service", "service_version", "category", "sphere", "emergency",
            "text", "answers", "contact", "first_contact", "reopened", "due_at", "registered_at",
            "updated_at", "closed_at", "version", "district", "national_number", "redirected",
        )
    },
    "operator": Part(("a.operator_id",), lambda row, _: row["operator_id"]),
    "incident": Part(("a.incident_id",), lambda row, _: row["incident_id"]),
    "executor": Part(("a.organisation_id",), lambda row, _: row["organisation_id"]),
    "building": Part(("a.building_id",), lambda row, _: row["building_id"]),
    "status": _column("status", Status),
    "kind": _column("kind", Kind),
    "channel": _column("channel", Channel),
    "language": _column("language", Language),
    "criticality": _column("criticality", Criticality),
    "point": Part(
        ("a.latitude", "a.longitude"),
        lambda row, _: (
            Coordinates(row["latitude"], row["longitude"])
            if row["latitude"] is not None
            else None
        ),
    ),
    "place": Part(_PLACE, lambda row, _: rows.read_place(row)),
    "applicant": Part(
        ("a.applicant", "a.citizen_id"),
        lambda row, keyring: rows.read_applicant(row["applicant"], row["citizen_id"], keyring),
    ),
    "route": _column("route", rows.read_route),
    "pause": _column("pause", rows.read_pause),
    "confirmation": _column("confirmation", rows.read_confirmation),
    "legal": _column("legal", read_legal),
    "state_deadline": Part(("a.legal",), lambda row, _: read_outside(row["legal"]).state_deadline),
    "assignment": Part(
        (_ASSIGNMENT,),
        lambda row, _: rows.read_assignment(row["assignment"]) if row["assignment"] else None,
    ),
    "clocks": Part((_CLOCKS,), lambda row, _: tuple(map(rows.read_clock, row["clocks"]))),
    # For what the rules must see whole; it carries clocks and assignment of its own.
    "whole": Part((LOADED,), lambda row, keyring: rows.read_appeal(row, keyring)),
}  # fmt: skip
"""What can be asked for. Reading `applicant` opens what is sealed: mask it (law 6)."""

_ALWAYS = frozenset({"id", "registered_at"})
"""The place in a list."""


class Sketches:
    """Appeals in part."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def listed(
        self,
        principal: Principal,
        wanted: AppealFilter,
        after: Page | None,
        limit: int,
        parts: Collection[str],
        order: Order = NEWEST_FIRST,
    ) -> list[Sketch]:
        """As Lists.appeals: the newest registration first, unless another order is wanted."""
        if wanted.text is not None and not words(wanted.text).strip():
            return []
        way = setting(principal, wanted, order)
        async with inside(self._engine, door_of(principal), setting=way) as driver:
            picked = columns(parts)
            if order == NEWEST_FIRST:
                found = await Search(driver, principal, wanted, after, limit, picked).rows()
            else:
                search = Search(driver, principal, wanted, None, limit, picked)
                found = await search.sorted(order, after)
        return self._read(found, parts)

    async def by(
        self, principal: Principal, field: str, keys: Sequence[Any], parts: Collection[str]
    ) -> dict[Any, Sketch]:
        """Appeals by `number` or `id`, whichever `field` says; those that do not exist for the
        principal are not among them.
        """
        kind = {"number": "text", "id": "uuid"}[field]
        parameters = Parameters(list(keys))
        scope = visible(principal, parameters)
        statement = (
            f"SELECT {columns({*parts, field})} FROM appeal a"
            f" WHERE a.{field} = ANY($1::{kind}[]) AND {scope}"
        )
        async with inside(self._engine, door_of(principal)) as driver:
            found = await driver.fetch(statement, *parameters.values)
        return {sketch[field]: sketch for sketch in self._read(found, {*parts, field})}

    def _read(self, found: Sequence[Any], parts: Collection[str]) -> list[Sketch]:
        wanted = _all(parts)
        reads = [(name, PARTS[name].read) for name in wanted]
        keyring = self._keyring
        return [{name: read(row, keyring) for name, read in reads} for row in found]


def columns(parts: Collection[str]) -> str:
    """The columns of the parts, each once."""
    wanted = _all(parts)
    if "whole" in wanted:
        rest = {c for name in wanted for c in PARTS[name].columns if not c.startswith("a.")}
        return ", ".join([LOADED, *sorted(rest - {LOADED, _CLOCKS, _ASSIGNMENT})])
    return ", ".join(sorted({c for name in wanted for c in PARTS[name].columns}))


def _all(parts: Collection[str]) -> list[str]:
    return sorted({*parts, *_ALWAYS})
