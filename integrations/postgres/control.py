"""The figures of the end-to-end control: read from what is open and from what a period saw.

Both are found by partial indexes that hold no more than that (tables.py), so the work does not
grow with the register.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import CITY_WIDE, Principal
from domain.appeals.model import Appeal
from domain.control.model import NAMES, Basis, Cell, Figures, Horizon, Matter, Part
from domain.ports import Keyring
from domain.questions import Page
from integrations.postgres import rows
from integrations.postgres.doors import door_of
from integrations.postgres.scope import Parameters, lies_in
from integrations.postgres.session import inside
from integrations.postgres.statements import LOADED

_DUE: Mapping[Basis, str] = {Basis.LEADING: "a.due_at", Basis.LAW: "a.law_due_at"}
_MATTERS: Mapping[Matter, str] = {
    Matter.OPEN: "true",
    Matter.OVERDUE: "{due} < {now}",
    Matter.TODAY: "{due} >= {now} AND {due} < {today}",
    Matter.SOON: "{due} >= {today} AND {due} < {soon}",
    Matter.PROLONGED: "a.prolonged",
    Matter.REDIRECTED: "a.redirected > 0",
    Matter.HEARING: "a.hearing_at IS NOT NULL",
}
_KEPT = (
    "count(*) FILTER (WHERE k.stage = '{0}') AS {1},"
    " count(*) FILTER (WHERE k.stage = '{0}' AND k.breached_at IS NULL) AS {1}_in_time"
)


class Control:
    """Counts and lists of the end-to-end control. Raises Unavailable."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def cells(
        self, principal: Principal, basis: Basis, horizon: Horizon, since: datetime
    ) -> list[Cell]:
        """The figures of each organisation in each district that the principal controls, those of
        the past counted from `since` to now.
        """
        standing, kept = counting(principal, basis, horizon), keeping(principal, since, horizon.now)
        async with inside(self._engine, door_of(principal)) as driver:
            found = [
                row
                for statement, parameters in (standing, kept)
                for row in await driver.fetch(statement, *parameters.values)
            ]
        return [_cell(row) for row in found]

    async def appeals(
        self,
        principal: Principal,
        matter: Matter,
        basis: Basis,
        horizon: Horizon,
        part: Part,
        *,
        after: Page | None,
        limit: int,
    ) -> list[Appeal]:
        """Those appeals, the soonest due first."""
        statement, parameters = listing(principal, matter, basis, horizon, part, after, limit)
        setting = "SET LOCAL enable_seqscan = off"
        async with inside(self._engine, door_of(principal), setting=setting) as driver:
            found = await driver.fetch(statement, *parameters.values)
        return [rows.read_appeal(row, self._keyring) for row in found]


Statement = tuple[str, Parameters]


def counting(principal: Principal, basis: Basis, horizon: Horizon) -> Statement:
    """What stands open, by organisation and district."""
    parameters = Parameters()
    names = _Names(basis, horizon, parameters)
    figures = ", ".join(
        f"count(*) FILTER (WHERE {said.format_map(names)}) AS {matter}"
        for matter, said in _MATTERS.items()
    )
    conditions = f"{_controlled(principal, parameters, 'a')} AND a.due_at IS NOT NULL"
    return (
        f"SELECT a.organisation_id, a.district, {figures} FROM appeal a"
        f" WHERE {conditions} AND {names['due']} IS NOT NULL GROUP BY 1, 2",
        parameters,
    )


def keeping(principal: Principal, since: datetime, until: datetime) -> Statement:
    """What was answered in a period, by organisation and district."""
    parameters = Parameters()
    kept = ", ".join(
        _KEPT.format(stage, name)
        for stage, name in (("consider", "considered"), ("resolve", "resolved"))
    )
    return (
        f"SELECT k.organisation_id, k.district, {kept} FROM clock k"
        f" WHERE {_controlled(principal, parameters, 'k')}"
        " AND k.met_at IS NOT NULL AND k.stage IN ('resolve', 'consider')"
        f" AND k.met_at >= {parameters.add(since)} AND k.met_at < {parameters.add(until)}"
        " GROUP BY 1, 2",
        parameters,
    )


def listing(
    principal: Principal,
    matter: Matter,
    basis: Basis,
    horizon: Horizon,
    part: Part,
    after: Page | None,
    limit: int,
) -> Statement:
    """A page of appeals in the order of their due times."""
    parameters = Parameters()
    names = _Names(basis, horizon, parameters)
    due = names["due"]
    asked = [
        _controlled(principal, parameters, "a"),
        "a.due_at IS NOT NULL",
        f"{due} IS NOT NULL",
        _MATTERS[matter].format_map(names),
    ]
    if part.organisations is not None:
        asked.append(f"a.organisation_id = ANY({parameters.add(list(part.organisations))})")
    if part.districts is not None:
        asked.append(f"a.district = ANY({parameters.add(list(part.districts))})")
    if after is not None:
        asked.append(f"({due}, a.id) > ({parameters.add(after.at)}, {parameters.add(after.id)})")
    order = f"ORDER BY {due}, a.id"
    return (
        f"SELECT {LOADED} FROM (SELECT a.* FROM appeal a WHERE {' AND '.join(asked)}"
        f" {order} LIMIT {parameters.add(limit)}) a {order}",
        parameters,
    )


class _Names(dict[str, str]):
    """What the words of `_MATTERS` stand for; an instant becomes a parameter when it is asked
    for, since PostgreSQL takes none that a statement does not use.
    """

    def __init__(self, basis: Basis, horizon: Horizon, parameters: Parameters) -> None:
        super().__init__(due=_DUE[basis])
        self._horizon, self._parameters = horizon, parameters

    def __missing__(self, name: str) -> str:
        self[name] = self._parameters.add(getattr(self._horizon, name))
        return self[name]


def _controlled(principal: Principal, parameters: Parameters, alias: str) -> str:
    """What the principal answers for: an organisation for what stands with it and with those
    below it, not for all that it ever had.
    """
    city = f"{alias}.city_id = {parameters.add(principal.city)}"
    if principal.role not in CITY_WIDE:
        own = parameters.add(list(principal.organisations))
        return f"{city} AND {alias}.organisation_id = ANY({own})"
    if (districts := principal.confined) is not None:
        return f"{city} AND {lies_in(districts, parameters, f'{alias}.district')}"
    return city


def _cell(row: Mapping[str, Any]) -> Cell:
    known = {name: int(row[name]) for name in NAMES if name in dict(row)}
    return Cell(row["organisation_id"], row["district"], Figures(**known))
