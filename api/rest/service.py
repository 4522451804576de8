"""The service itself: who am I, is it well, what does it count, what is its contract."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply
from api.rest.periods import period
from domain.access import Permission
from domain.errors import Unavailable


class MeView(TypedDict):
    """Whom the token stands for, and what they may do."""

    id: UUID
    role: str
    name: str
    city: str
    organisation: UUID | None
    district: str | None
    permissions: list[str]


class HealthView(TypedDict):
    """The process lives."""

    status: Literal["ok"]


class ReadyView(TypedDict):
    """The process can serve."""

    status: Literal["ready"]
    revision: str
    cities: int


class AppealCounts(TypedDict):
    """Appeals by status."""

    total: int
    by_status: dict[str, int]


class StatisticsQuery(f.Query):
    """Of which period `first_contact` is: to now and from 30 days before the end, unless told, 366
    days at most; with neither end of the whole register. What stands is told as it stands.
    """

    over_from: f.Instant | None = None
    over_to: f.Instant | None = None


class FirstContact(TypedDict):
    """Who was helped at once: appeals `closed` at first contact, and `consultations`, which need
    no appeal. `share` is theirs of all that is over, None before the first. Where a period was
    asked for, all three are of what was over in it, from `over_from` on and before `over_to`.
    """

    closed: int
    consultations: int
    share: float | None
    over_from: datetime | None
    over_to: datetime | None


class Statistics(TypedDict):
    """Counts over the appeals that the caller sees."""

    appeals: AppealCounts
    first_contact: FirstContact
    clocks: dict[str, int]
    deliveries: dict[str, int]


async def read_me(call: Call) -> Reply:
    """The principal of the token."""
    principal = call.principal
    return Reply(
        {
            "id": principal.id,
            "role": principal.role,
            "name": principal.name,
            "city": call.reference.city.code,
            "organisation": principal.organisation,
            "district": principal.district,
            "permissions": sorted(principal.permissions),
        }
    )


async def read_health(call: Call) -> Reply:
    """Liveness: nothing outside the process is asked."""
    return Reply({"status": "ok"})


async def read_ready(call: Call) -> Reply:
    """Readiness: the database answers, is migrated, and the cities are known."""
    revision = await call.house.queries.ready()
    cities = len(call.house.references.cities())
    if revision is None or cities == 0:
        raise Unavailable(what="reference")
    return Reply({"status": "ready", "revision": revision, "cities": cities})


_CLOCKS = ("running", "paused", "breached", "met", "met_late", "cancelled")
_DELIVERIES = ("pending", "delivered", "exhausted", "cancelled")


async def read_statistics(call: Call) -> Reply:
    """The city's figures."""
    query: StatisticsQuery = call.query
    asked = query.over_from is not None or query.over_to is not None
    told = period(query.over_from, query.over_to, call.at, "over_from") if asked else None
    row = await call.house.statistics.figures(call.principal)
    over = await call.house.statistics.first_contact(call.principal, *told) if told else row
    statistics: dict[str, Any] = {
        "appeals": {"total": row["total"], "by_status": row["by_status"]},
        "first_contact": _first_contact(over, told),
        "clocks": {name: row["clocks"].get(name, 0) for name in _CLOCKS},
        "deliveries": {name: row["deliveries"].get(name, 0) for name in _DELIVERIES},
    }
    return Reply(statistics)


def _first_contact(over: Mapping[str, Any], told: tuple[datetime, datetime] | None) -> FirstContact:
    at_once, whole = (over[name] + over["consultations"] for name in ("first_closed", "closed"))
    begin, end = told or (None, None)
    return {
        "closed": over["first_closed"],
        "consultations": over["consultations"],
        "share": at_once / whole if whole else None,
        "over_from": begin,
        "over_to": end,
    }


OPERATIONS = (
    Operation(
        "readMe", "GET", "/v1/me", "Service", "See whom your token stands for",
        reads=read_me, answer=MeView,
    ),
    Operation(
        "readStatistics", "GET", "/v1/statistics", "Service", "See the city's figures",
        reads=read_statistics, permission=Permission.READ_STATISTICS, query=StatisticsQuery,
        answer=Statistics,
    ),
    Operation(
        "readHealth", "GET", "/v1/health", "Service", "Ask whether the process lives",
        reads=read_health, open_to_all=True, answer=HealthView,
    ),
    Operation(
        "readReady", "GET", "/v1/ready", "Service", "Ask whether the process can serve",
        reads=read_ready, open_to_all=True, answer=ReadyView,
    ),
)  # fmt: skip
