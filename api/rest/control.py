"""End-to-end control: what is due, overdue, put off and sent on, from the city down.

Figures stand by organisation and by territory, each with all that is below it; the word that a
figure is counted by asks for the list behind it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.operation import Call, Operation, Reply, malformed
from api.rest.views import AppealView, appeal_view
from domain.access import CITY_WIDE, NOBODY, Permission, Principal
from domain.appeals.model import Appeal
from domain.control.model import (
    NOTHING,
    Basis,
    Cell,
    Figures,
    Horizon,
    Matter,
    Part,
    below,
    roll_up,
)
from domain.errors import NotFound
from domain.reference import Reference
from domain.values import in_language

USUAL = timedelta(days=30)
LONGEST = timedelta(days=366)
WHOLE_CITY = ""
"""The key of the city itself among its districts; NOBODY is that among organisations."""
Key = TypeVar("Key", UUID, str)


class ControlQuery(f.Query):
    """`basis`: the stricter of law and city, or the law alone. `since`: the begin of the period
    whose answers are counted (the last 30 days unless told, 366 at most).
    """

    basis: Basis = Basis.LEADING
    since: f.Instant | None = None


class OrganisationsQuery(ControlQuery):
    """Below which organisation; without it from the top of what the caller controls."""

    under: f.Id | None = None


class TerritoriesQuery(ControlQuery):
    """Below which territory; without it from the top of what the caller controls."""

    under: f.Code | None = None


class ControlAppealsQuery(f.Query):
    """Which appeals: what is wanted of them, by which due time, of whom and where (with all that
    is below)."""

    matter: Matter = Matter.OVERDUE
    basis: Basis = Basis.LEADING
    organisation: f.Id | None = None
    territory: f.Code | None = None
    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class FiguresView(TypedDict):
    """Counts with all that is below. `open`: appeals with a promise that binds; `overdue`, `today`
    and `soon` (the three days after) do not overlap; `prolonged`, `redirected` and `hearing` (yet
    to come) are marks on open ones. `considered` for the law and `resolved` by the city's
    standards are answers of the period; their shares in time are null where there are none.
    """

    open: int
    overdue: int
    today: int
    soon: int
    prolonged: int
    redirected: int
    hearing: int
    considered: int
    considered_in_time: int
    considered_share: float | None
    resolved: int
    resolved_in_time: int
    resolved_share: float | None


class OrganisationNode(TypedDict):
    """An organisation, null for the whole city; `below` counts those directly under it."""

    id: UUID | None
    name: str
    below: int
    figures: FiguresView


class TerritoryNode(TypedDict):
    """A territory, null for the whole city; `below` counts those directly under it."""

    code: str | None
    name: str
    below: int
    figures: FiguresView


class OrganisationsControl(TypedDict):
    """A node of the tree and those directly under it, the most overdue first."""

    at: datetime
    since: datetime
    basis: str
    node: OrganisationNode
    items: list[OrganisationNode]


class TerritoriesControl(TypedDict):
    """A node of the tree and those directly under it, the most overdue first."""

    at: datetime
    since: datetime
    basis: str
    node: TerritoryNode
    items: list[TerritoryNode]


class ControlAppeals(TypedDict):
    """Appeals under control, the soonest due first."""

    items: list[AppealView]
    next: str | None


async def control_organisations(call: Call) -> Reply:
    """The figures of an organisation and of those under it."""
    query: OrganisationsQuery = call.query
    parents, top = _organisations(call)
    root = query.under or top
    if root not in parents:
        raise NotFound(kind="organisation", id=str(root))
    cells = await _cells(call)
    totals = roll_up([(cell.organisation or NOBODY, cell.figures) for cell in cells], parents)
    node, *items = _nodes(root, parents, totals, lambda id: _organisation(id, call))
    return _reply(call, node, items)


async def control_territories(call: Call) -> Reply:
    """The figures of a territory and of those under it."""
    query: TerritoriesQuery = call.query
    parents, top = _territories(call.reference, call.principal)
    root = query.under or top
    if root not in parents:
        raise NotFound(kind="district", id=root)
    cells = await _cells(call)
    totals = roll_up([(cell.district or WHOLE_CITY, cell.figures) for cell in cells], parents)
    node, *items = _nodes(root, parents, totals, lambda code: _territory(code, call))
    return _reply(call, node, items)


async def control_appeals(call: Call) -> Reply:
    """The appeals behind a figure."""
    query: ControlAppealsQuery = call.query
    keyring = call.house.keyring
    horizon = Horizon.of(call.at, call.reference.city.zone_info())
    found = await call.house.control.appeals(
        call.principal, query.matter, query.basis, horizon, _part(call),
        after=read_cursor(query.cursor, keyring), limit=query.limit + 1,
    )  # fmt: skip
    items = found[: query.limit]
    last = items[-1] if len(found) > query.limit else None
    return Reply(
        {
            "items": [appeal_view(appeal, call) for appeal in items],
            "next": write_cursor(_due(last, query.basis), last.id, keyring) if last else None,
        }
    )


def _due(appeal: Appeal, basis: Basis) -> datetime:
    """What the list is ordered by: whatever is listed has it."""
    due = appeal.law_due_at if basis is Basis.LAW else appeal.due_at
    return due or appeal.registered_at


def _part(call: Call) -> Part:
    query: ControlAppealsQuery = call.query
    organisations = districts = None
    if query.organisation is not None:
        parents, _ = _organisations(call)
        if query.organisation not in parents:
            raise NotFound(kind="organisation", id=str(query.organisation))
        organisations = below(query.organisation, parents)
    if query.territory is not None:
        places, _ = _territories(call.reference, call.principal)
        if query.territory not in places:
            raise NotFound(kind="district", id=query.territory)
        districts = below(query.territory, places)
    return Part(organisations, districts)


def _organisations(call: Call) -> tuple[Mapping[UUID, UUID | None], UUID]:
    """Who stands under whom, as far as the caller controls, and the top of it."""
    known, principal = call.reference.organisations, call.principal
    if principal.role in CITY_WIDE:
        parents: dict[UUID, UUID | None] = {id: one.parent or NOBODY for id, one in known.items()}
        return parents | {NOBODY: None}, NOBODY
    own = principal.organisations
    return {id: known[id].parent for id in own if id in known}, principal.organisation or NOBODY


def _territories(
    reference: Reference, principal: Principal
) -> tuple[Mapping[str, str | None], str]:
    parents: dict[str, str | None] = {
        code: one.parent or WHOLE_CITY for code, one in reference.districts.items()
    }
    parents[WHOLE_CITY] = None
    own, top = principal.confined, principal.district
    if own is not None and top is not None:
        # What their district lies in is none of theirs.
        return {code: parents.get(code) for code in own} | {top: None}, top
    return parents, WHOLE_CITY


async def _cells(call: Call) -> list[Cell]:
    horizon = Horizon.of(call.at, call.reference.city.zone_info())
    return await call.house.control.cells(call.principal, call.query.basis, horizon, _since(call))


def _since(call: Call) -> datetime:
    since: datetime = call.query.since or call.at - USUAL
    if call.at - since > LONGEST:
        raise malformed("query", "/since", "period-too-long", days=LONGEST.days)
    return since


def _nodes(
    root: Key,
    parents: Mapping[Key, Key | None],
    totals: Mapping[Key, Figures],
    named: Callable[[Key], dict[str, Any]],
) -> list[dict[str, Any]]:
    """The root, then its children in order."""
    children: dict[Key | None, list[Key]] = {}
    for key, parent in parents.items():
        children.setdefault(parent, []).append(key)

    def node(key: Key) -> dict[str, Any]:
        figures = _figures(totals.get(key, NOTHING))
        return {**named(key), "below": len(children.get(key, ())), "figures": figures}

    found: list[dict[str, Any]] = [node(key) for key in children.get(root, ()) if key != root]
    found.sort(key=lambda one: (-one["figures"]["overdue"], -one["figures"]["open"], one["name"]))
    return [node(root), *found]


def _organisation(id: UUID, call: Call) -> dict[str, Any]:
    if id == NOBODY:
        return {"id": None, "name": in_language(call.reference.city.names, call.language)}
    known = call.reference.organisations[id]
    return {"id": id, "name": in_language(known.names, call.language)}


def _territory(code: str, call: Call) -> dict[str, Any]:
    if code == WHOLE_CITY:
        return {"code": None, "name": in_language(call.reference.city.names, call.language)}
    known = call.reference.districts.get(code)
    return {"code": code, "name": in_language(known.names, call.language) if known else code}


def _figures(said: Figures) -> FiguresView:
    return {
        "open": said.open,
        "overdue": said.overdue,
        "today": said.today,
        "soon": said.soon,
        "prolonged": said.prolonged,
        "redirected": said.redirected,
        "hearing": said.hearing,
        "considered": said.considered,
        "considered_in_time": said.considered_in_time,
        "considered_share": _share(said.considered_in_time, said.considered),
        "resolved": said.resolved,
        "resolved_in_time": said.resolved_in_time,
        "resolved_share": _share(said.resolved_in_time, said.resolved),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _reply(call: Call, node: dict[str, Any], items: list[dict[str, Any]]) -> Reply:
    said = {"at": call.at, "since": _since(call), "basis": call.query.basis}
    return Reply({**said, "node": node, "items": items})


_MAY = Permission.READ_CONTROL

OPERATIONS = (
    Operation(
        "controlOrganisations", "GET", "/v1/control/organisations", "Control",
        "See what is due, overdue, put off and sent on, by organisation",
        reads=control_organisations, permission=_MAY, query=OrganisationsQuery,
        answer=OrganisationsControl, refusals=(404,),
    ),
    Operation(
        "controlTerritories", "GET", "/v1/control/territories", "Control",
        "See what is due, overdue, put off and sent on, by territory",
        reads=control_territories, permission=_MAY, query=TerritoriesQuery,
        answer=TerritoriesControl, refusals=(404,),
    ),
    Operation(
        "controlAppeals", "GET", "/v1/control/appeals", "Control",
        "List the appeals behind a figure, the soonest due first",
        reads=control_appeals, permission=_MAY, query=ControlAppealsQuery,
        answer=ControlAppeals, refusals=(404,),
    ),
)  # fmt: skip
