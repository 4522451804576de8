"""Changing a day of a working calendar: a next version, with the decree that wanted it.

No clock moves by it: which of those that run are counted again is an act of its own, on record
(domain/appeals/recounts.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from domain.access import Permission
from domain.errors import Conflict, Invalid, NotPermitted
from domain.members.rules import manages_city
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.sla.calendar import Calendar, parse_calendar
from domain.sla.rows import day_of


class DayKind(StrEnum):
    """What becomes of a day: off, worked, or as the week and the nation have it."""

    OFF = "off"
    WORKING = "working"
    USUAL = "usual"


@dataclass(frozen=True, slots=True)
class AmendDay:
    """One day of a calendar, and by whose word."""

    calendar: str
    date: date
    kind: DayKind
    decree: str


async def amend_day(
    said: AmendDay, *, uow: UnitOfWork, reference: Reference, at: datetime
) -> Calendar:
    """Write the next version of a calendar. Raises NotPermitted for anybody but an administrator
    of the contact centre, Invalid for a calendar that the city does not have, Conflict where
    nothing would change or somebody changed it meanwhile.
    """
    may = Permission.MANAGE_CALENDARS
    uow.principal.require(may)
    if not manages_city(uow.principal, reference):
        raise NotPermitted(permission=str(may), role=str(uow.principal.role))
    found = await uow.calendars.newest(said.calendar)
    if found is None:
        raise Invalid.at("/calendar", "unknown-calendar", value=said.calendar)
    version, content = found
    changed = amended(content, said)
    years = range(at.year - 1, at.year + 4)
    zone = reference.city.zone
    before = parse_calendar(content, version=version, zone=zone, years=years)
    after = parse_calendar(changed, version=version + 1, zone=zone, years=years)
    if before.around_the_clock or _same(content, changed):
        raise Conflict(reason="nothing-changed")
    await uow.calendars.add(after, changed, at=at)
    return after


def amended(content: Mapping[str, Any], said: AmendDay) -> dict[str, Any]:
    """The calendar's row with one day said anew: it stands in one of the two lists, or in none."""
    lists = {
        name: [item for item in content.get(name, ()) if _date(item) != said.date]
        for name in ("days_off", "working_days")
    }
    entry = {"date": said.date.isoformat(), "decree": said.decree}
    if said.kind is not DayKind.USUAL:
        lists["days_off" if said.kind is DayKind.OFF else "working_days"].append(entry)
    for name, items in lists.items():
        lists[name] = sorted(items, key=lambda item: str(_date(item)))
    return {**content, **lists}


def carried(
    said: Mapping[str, Any], former: Mapping[str, Any], standing: Mapping[str, Any]
) -> dict[str, Any]:
    """A file's row with the days that were changed by hand since the file before it: `former` is
    that one's row, `standing` the newest. Where the file itself says a day anew, it holds.
    """
    before, filed, now = _kinds(former), _kinds(said), _kinds(standing)
    content = dict(said)
    for day in sorted({*before, *now}):
        if now.get(day) != before.get(day) and filed.get(day) == before.get(day):
            kind, decree = now.get(day, (DayKind.USUAL, ""))
            content = amended(content, AmendDay(str(said["code"]), day, kind, decree))
    return content


def _kinds(content: Mapping[str, Any]) -> dict[date, tuple[DayKind, str]]:
    lists = {"days_off": DayKind.OFF, "working_days": DayKind.WORKING}
    return {
        day: (kind, str(item.get("decree", "")) if isinstance(item, Mapping) else "")
        for name, kind in lists.items()
        for item in content.get(name, ())
        if (day := _date(item)) is not None
    }


def _date(item: object) -> date | None:
    return day_of(item.get("date") if isinstance(item, Mapping) else item)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    def days(content: Mapping[str, Any]) -> list[str]:
        return sorted(
            f"{name} {item}"
            for name in ("days_off", "working_days")
            for item in content.get(name, ())
        )

    return days(one) == days(other)
