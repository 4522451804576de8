"""Through which door a transaction enters the database: the second of the two tenant walls.

A door is a role of PostgreSQL and what that role is told for one transaction: whose it is. Row
level security (migrations/versions/0014_walls.py) shows each role what is theirs by what it was
told, and shows nothing to a session that came through no door. Role decisions stand here alone;
the conditions in code stand in scope.py (docs/decisions/0018-row-level-security.md).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from domain.access import CITY_WIDE, Principal, Role

TENANT = "ikomek_tenant"
"""An organisation and those below it."""
CITIZEN = "ikomek_citizen"
DISTRICT = "ikomek_district"
"""The akim of one district, and of all that lie in it."""
CITY = "ikomek_city"
"""Whoever sees a city whole, and whatever is written into a city's register."""
WORKER = "ikomek_worker"
"""What serves all cities at once: relay, deliveries, sealing, the snapshots, the command line."""

ROLES = (TENANT, CITIZEN, DISTRICT, CITY, WORKER)


@dataclass(frozen=True, slots=True)
class Door:
    """A role and what it is told, by the names of settings."""

    role: str
    told: Mapping[str, str] = field(default_factory=dict)

    def statement(self) -> str:
        """What goes through it, in an open transaction and until that ends, never beyond.

        One SELECT: as many SET LOCAL would take longer.
        """
        return f"SELECT {', '.join(self._settings())}"

    def _settings(self) -> Iterator[str]:
        yield f"set_config('role', {_quoted(self.role)}, true)"
        for name, value in self.told.items():
            yield f"set_config('app.{name}', {_quoted(value)}, true)"

    def of(self, role: str) -> "Door":
        """The door of another role, which is told the same."""
        return replace(self, role=role)


PLATFORM = Door(WORKER)
"""Sees everything. Each place that goes through it is listed by tests/house/test_doors.py."""


def door_of(principal: Principal) -> Door:
    """The door of somebody: what they see of one city."""
    told = {
        "city_id": str(principal.city),
        "principal_id": str(principal.id),
        "principals": str(principal.id),
    }
    if principal.role is Role.CITIZEN:
        return Door(CITIZEN, told | {"citizen_id": str(principal.citizen or "")})
    told["organisations"] = _listed(principal.organisations)
    if principal.role not in CITY_WIDE:
        return Door(TENANT, told)
    if (districts := principal.confined) is not None:
        return Door(DISTRICT, told | {"districts": _listed(districts)})
    return Door(CITY, told)


def city_door(city: UUID, principals: Iterable[UUID]) -> Door:
    """The door by which what several principals asked for is written into one city."""
    return Door(CITY, {"city_id": str(city), "principals": _listed(principals)})


def _listed(values: Iterable[UUID | str]) -> str:
    said = sorted(map(str, values))
    # No code of ours has a comma; one that did would be told as two.
    if any("," in one for one in said):
        raise ValueError("what is told in a list has no comma")
    return ",".join(said)


def _quoted(value: str) -> str:
    """A literal: several statements of one round trip take no parameters."""
    return "'" + value.replace("'", "''") + "'"
