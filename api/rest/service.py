"""The service itself: who am I, is it well, what does it count, what is its contract."""

from typing import Any, Literal
from uuid import UUID

from typing_extensions import TypedDict

from api.rest.operation import Call, Operation, Reply
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


class FirstContact(TypedDict):
    """Who was helped at once: appeals `closed` at first contact, and `consultations`, which need
    no appeal. `share` is theirs of all that is over, None before the first.
    """

    closed: int
    consultations: int
    share: float | None


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
    row = await call.house.statistics.figures(call.principal)
    first, consultations = row["first_closed"], row["consultations"]
    over = row["closed"] + consultations
    statistics: dict[str, Any] = {
        "appeals": {"total": row["total"], "by_status": row["by_status"]},
        "first_contact": {
            "closed": first,
            "consultations": consultations,
            "share": (first + consultations) / over if over else None,
        },
        "clocks": {name: row["clocks"].get(name, 0) for name in _CLOCKS},
        "deliveries": {name: row["deliveries"].get(name, 0) for name in _DELIVERIES},
    }
    return Reply(statistics)


OPERATIONS = (
    Operation(
        "readMe", "GET", "/v1/me", "Service", "See whom your token stands for",
        reads=read_me, answer=MeView,
    ),
    Operation(
        "readStatistics", "GET", "/v1/statistics", "Service", "See the city's figures",
        reads=read_statistics, permission=Permission.READ_STATISTICS, answer=Statistics,
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
