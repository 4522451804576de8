"""The law as it is shipped, read from its file, and moments of the city's wall clock."""

from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from domain.appeals import legal
from domain.appeals.model import Applicant
from domain.law.counting import received_on
from domain.law.fields import parse_law
from domain.law.kinds import AppealKind
from domain.law.model import Law
from domain.law.standing import Legal
from domain.reference import Promises
from domain.sla.calendar import Calendar, parse_calendar
from domain.sla.clock import Clock
from domain.sla.policy import Stage, parse_policy
from tests.domain.appeals.make import LAW, POLICIES

ZONE = "Asia/Almaty"
SOMEBODY = Applicant(None, "Ерлан Ахметов", "+77075550110", None)


@cache
def document() -> dict[str, Any]:
    """The file, decoded."""
    found: dict[str, Any] = yaml.load(LAW.read_text(), yaml.CSafeLoader)
    return found


@cache
def promises() -> Promises:
    """The file's calendars, policies and law, with the house's calendar around the clock."""
    starter = yaml.load(POLICIES.read_text(), yaml.CSafeLoader)
    calendars = [*document()["calendars"], starter["calendars"][0]]
    return Promises(
        {(p["code"], 1): parse_policy(p, version=1) for p in document()["policies"]},
        {
            (c["code"], 1): parse_calendar(c, version=1, zone=ZONE, years=range(2019, 2032))
            for c in calendars
        },
        {},
        {1: parse_law(document()["law"], version=1)},
    )


def law() -> Law:
    return promises().laws[1]


def working() -> Calendar:
    return promises().calendar(law().receipt.calendar)


def almaty(text: str) -> datetime:
    """2026-03-06 16:00 as the city's clock shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def shown(at: datetime) -> str:
    """The day whose end an instant is, as the national register writes it: до 2026-03-06."""
    local = at.astimezone(ZoneInfo(ZONE))
    assert (local.hour, local.minute, local.second) == (0, 0, 0), "a term ends with its day"
    return date.fromordinal(local.date().toordinal() - 1).isoformat()


def standing(kind: AppealKind, came: str, **said: Any) -> Legal:
    """An appeal of a kind that came at a moment of the wall clock."""
    received = received_on(almaty(came), law().receipt, working())
    told: dict[str, Any] = {"nameless": False, "threat": False} | said
    return legal.settle(kind, law(), promises(), received=received, **told)


def clocks(found: Legal, came: str) -> dict[Stage, Clock]:
    """The law's clocks by their stage."""
    return {c.stage: c for c in legal.begin(found, promises(), at=almaty(came))}
