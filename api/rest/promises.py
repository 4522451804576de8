"""What the city promises: policies, calendars, and the clocks that run."""

import re
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.operation import Call, Operation, Reply
from api.rest.views import ClockView, clock_view
from domain.access import Permission
from domain.law.days import AmendDay, DayKind, amend_day
from domain.ports import Keyring, UnitOfWork
from domain.questions import Page
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import Policy, Stage, policy_document
from domain.values import in_language

_MARK = re.compile(r"[a-z-]+/[0-9]{1,4}")
"""Stage and round: see _after."""


class ClocksQuery(f.Query):
    """Which clocks."""

    state: Annotated[tuple[ClockState, ...], BeforeValidator(f.several), Field(max_length=5)] = ()
    stage: Stage | None = None
    due_before: f.Instant | None = None
    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class AmendBody(f.Body):
    """One day of a calendar, what becomes of it, and the decree that wants it."""

    calendar: f.Code
    date: f.Day
    kind: DayKind
    decree: f.Name


class EscalationView(TypedDict):
    """Who is told, and how long after the due time (ISO 8601)."""

    after: str
    to: str


class ReopenView(TypedDict, total=False):
    """What time a reopened appeal has."""

    rule: str
    at_least: str


class StageView(TypedDict, total=False):
    """One promised stage; durations are ISO 8601, in the calendar's time."""

    stage: str
    within: str
    calendar: str
    warn_before: str
    reopen: ReopenView
    emergency_on_breach: bool
    escalations: list[EscalationView]


class PolicyView(TypedDict):
    """A policy as it stands today."""

    code: str
    version: int
    name: str
    effective_from: str
    stages: list[StageView]


class PolicyList(TypedDict):
    """Every policy in effect today."""

    items: list[PolicyView]


class CalendarView(TypedDict):
    """A calendar: hours by weekday from Monday, and the days that differ, some with the decree
    that wanted it.
    """

    code: str
    version: int
    zone: str
    around_the_clock: bool
    week: list[list[str]]
    days_off: list[str]
    working_days: list[str]
    decrees: dict[str, str]


class CalendarList(TypedDict):
    """Every calendar, in its newest version."""

    items: list[CalendarView]


class DueClock(ClockView):
    """A clock with the appeal that it belongs to."""

    number: str
    appeal: UUID


class ClockPage(TypedDict):
    """Clocks by due time, the soonest first."""

    items: list[DueClock]
    next: str | None


def _policy(policy: Policy, language: str) -> dict[str, Any]:
    return {
        "code": policy.code,
        "version": policy.version,
        "name": in_language(policy.names, language),
        "effective_from": policy.effective_from.isoformat(),
        "stages": policy_document(policy)["stages"],
    }


def _calendar(calendar: Calendar) -> dict[str, Any]:
    return {
        "code": calendar.code,
        "version": calendar.version,
        "zone": calendar.zone,
        "around_the_clock": calendar.around_the_clock,
        "week": [[f"{a:%H:%M}-{b:%H:%M}" for a, b in day] for day in calendar.week],
        "days_off": [day.isoformat() for day in sorted(calendar.days_off)],
        "working_days": [day.isoformat() for day in sorted(calendar.working_days)],
        "decrees": {day.isoformat(): said for day, said in sorted(calendar.decrees.items())},
    }


async def amend_calendar(call: Call, uow: UnitOfWork) -> Reply:
    """A day of a calendar becomes off, worked, or as usual."""
    body: AmendBody = call.body
    said = AmendDay(body.calendar, body.date, body.kind, body.decree)
    amended = await amend_day(said, uow=uow, reference=call.reference, at=call.at)
    return Reply(_calendar(amended), 201)


def _codes(versions: Any) -> list[str]:
    return sorted({code for code, _ in versions})


def _today(call: Call) -> Any:
    return call.reference.city.local(call.at).date()


async def list_policies(call: Call) -> Reply:
    """Policies in effect today."""
    promises, today = call.reference.promises, _today(call)
    codes = sorted({p.code for p in promises.policies.values() if p.effective_from <= today})
    items = [_policy(promises.policy(code, today), call.language) for code in codes]
    return Reply({"items": items})


async def read_policy(call: Call) -> Reply:
    """A policy as it stands today."""
    policy = call.reference.promises.policy(call.path["code"], _today(call))
    return Reply(_policy(policy, call.language))


async def list_calendars(call: Call) -> Reply:
    """Calendars in their newest versions."""
    promises = call.reference.promises
    codes = _codes(promises.calendars)
    return Reply({"items": [_calendar(promises.calendar(code)) for code in codes]})


async def list_clocks(call: Call) -> Reply:
    """Clocks of the appeals that the caller sees."""
    query: ClocksQuery = call.query
    keyring = call.house.keyring
    found = await call.house.lists.clocks(
        call.principal,
        states=[str(state) for state in query.state],
        stage=query.stage,
        due_before=query.due_before,
        after=read_cursor(query.cursor, keyring, _of_clocks),
        limit=query.limit + 1,
    )
    items = found[: query.limit]
    last = items[-1] if len(found) > query.limit else None
    return Reply(
        {
            "items": [
                {**clock_view(clock), "number": number, "appeal": id} for clock, number, id in items
            ],
            "next": _after(*last, keyring) if last else None,
        }
    )


def _of_clocks(page: Page) -> bool:
    return _MARK.fullmatch(page.mark) is not None


def _after(clock: Clock, _: str, appeal: UUID, keyring: Keyring) -> str:
    return write_cursor(clock.due_at, appeal, keyring, f"{clock.stage}/{clock.round}")


_MAY = Permission.READ_POLICIES

OPERATIONS = (
    Operation(
        "listPolicies", "GET", "/v1/policies", "Promises", "See the SLA policies in effect",
        reads=list_policies, permission=_MAY, answer=PolicyList,
    ),
    Operation(
        "readPolicy", "GET", "/v1/policies/{code}", "Promises", "See an SLA policy",
        reads=read_policy, permission=_MAY, answer=PolicyView, refusals=(404,),
    ),
    Operation(
        "listCalendars", "GET", "/v1/calendars", "Promises", "See the working calendars",
        reads=list_calendars, permission=_MAY, answer=CalendarList,
    ),
    Operation(
        "amendCalendar", "POST", "/v1/calendars/days", "Promises",
        "Make a day of a calendar a day off, a working day, or as usual; no running clock moves",
        writes=amend_calendar, permission=Permission.MANAGE_CALENDARS, body=AmendBody,
        answer=CalendarView, status=201, refusals=(409,),
    ),
    Operation(
        "listClocks", "GET", "/v1/clocks", "Promises",
        "Find clocks by state and due time, the soonest first",
        reads=list_clocks, permission=_MAY, query=ClocksQuery, answer=ClockPage,
    ),
)  # fmt: skip
