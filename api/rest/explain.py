"""Why a clock says what it says: counted from the events, told in the caller's language."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest import phrases
from api.rest.legal_views import LeadingView, article_of_clock, leading_view, side_of
from api.rest.operation import Call, Operation, Reply
from api.stage_texts import STAGES
from domain.access import Permission
from domain.appeals.endings import Ending, endings
from domain.appeals.model import Appeal
from domain.appeals.replay import Extended, Recount, Run, differences, replay
from domain.reference import Reference
from domain.sla.calendar import Calendar
from domain.sla.clock import ClockState
from domain.sla.durations import format_duration, parse_duration
from domain.sla.explain import Explanation, Interval, Reason, explain, fold
from domain.sla.policy import Stage
from domain.values import in_language


class Told(StrEnum):
    """How many intervals are told."""

    FOLDED = "folded"
    ALL = "all"


class ExplainQuery(f.Query):
    """`folded` sums up the middle of ordinary runs of more than forty intervals; `all` tells each
    counted and each excluded interval by itself."""

    intervals: Told = Told.FOLDED


class DayOff(TypedDict):
    """A whole day on which nobody works; holidays have a name, and what a decree made a day off
    has the decree, in the words in which the calendar keeps it."""

    date: str
    name: str | None
    decree: str | None


class WorkedDay(TypedDict):
    """A day that is worked by a word of its own, against its weekday, a holiday (then with its
    name) or by other hours: the decree that says so, where the calendar has one."""

    date: str
    name: str | None
    decree: str | None


class IntervalView(TypedDict):
    """A part of a clock's life. `counted` (ISO 8601, the calendar's time) is what of it counts:
    all, nothing or, where an ordinary run of many is summed up, some. `ahead`: yet to come."""

    begin: datetime
    end: datetime
    reason: str
    counted: str
    ahead: bool
    waiting_for: str | None
    days_off: list[DayOff]
    made_working: list[WorkedDay]
    sentence: str


class RecomputationView(TypedDict):
    """The clock was counted again by a changed calendar."""

    at: datetime
    version_before: int
    version_after: int
    due_before: datetime
    due_after: datetime
    reason: str
    sentence: str


class ExtensionView(TypedDict):
    """The clock was given more working time (ISO 8601) by an inspector."""

    at: datetime
    by: str
    due_before: datetime
    due_after: datetime
    sentence: str


class ClockExplanation(TypedDict):
    """One promise, counted from the events alone. `by` says whose it is, law or standard, with
    the article of the law; `leads` marks the stricter of the two for the whole of the appeal.

    Lengths are ISO 8601 in the calendar's time. `agrees`: what is counted here equals what is
    stored, field by field. The intervals tile the clock's life without gap or overlap."""

    stage: str
    stage_name: str
    by: str
    article: str | None
    leads: bool
    round: int
    state: str
    policy: str
    policy_version: int
    policy_name: str
    calendar: str
    calendar_version: int
    calendar_name: str
    zone: str
    promised: str
    spent: str
    left: str
    late: str
    started_at: datetime
    due_at: datetime
    resumed_due_at: datetime | None
    met_at: datetime | None
    cancelled_at: datetime | None
    breached_at: datetime | None
    recorded_breaches: list[datetime]
    agrees: bool
    sentence: str
    intervals: list[IntervalView]
    recomputations: list[RecomputationView]
    extensions: list[ExtensionView]


class SlaExplanation(TypedDict):
    """Every promise of an appeal explained at a moment, and which of them leads."""

    number: str
    at: datetime
    leading: LeadingView | None
    clocks: list[ClockExplanation]


async def explain_promises(call: Call) -> Reply:
    """Every clock of an appeal: what counted, what did not, and why."""
    appeal, events = await call.house.histories.of(call.principal, call.path["number"])
    runs = replay(events, call.reference.promises)
    odd = {(one.stage, one.round) for one in differences(appeal.clocks, runs)}
    ends = _endings(appeal, runs, call.reference)
    runs = tuple(sorted(runs, key=lambda run: (run.clock.due_at, run.clock.stage, run.clock.round)))
    return Reply(
        {
            "number": appeal.number,
            "at": call.at,
            "leading": leading_view(appeal, call.reference, call.language),
            "clocks": [
                _of_law(run, appeal, call) | _clock(run, call, ends.get(key), agrees=key not in odd)
                for run in runs
                for key in [(run.clock.stage, run.clock.round)]
            ],
        }
    )


def _of_law(run: Run, appeal: Appeal, call: Call) -> dict[str, Any]:
    clock, leading = run.clock, appeal.leading
    first = leading is not None and (leading.stage, leading.round) == (clock.stage, clock.round)
    leads = first and appeal.state_leads is None
    article = article_of_clock(clock, appeal, call.reference)
    return {"by": side_of(clock), "article": article, "leads": leads}


def _endings(
    appeal: Appeal, runs: Sequence[Run], reference: Reference
) -> dict[tuple[Stage, int], Ending]:
    if appeal.legal is None:
        return {}
    law = reference.promises.laws[appeal.legal.law_version]
    return endings(runs, law.receipt.calendar, reference.promises)


def _clock(run: Run, call: Call, ending: Ending | None, *, agrees: bool) -> dict[str, Any]:
    clock, calendar, language = run.clock, run.calendar, call.language
    found = explain(clock, calendar, run.waits, at=call.at)
    every = call.query.intervals is Told.ALL
    intervals = found.intervals if every else fold(found.intervals, found.due_at)
    return {
        "stage": clock.stage,
        "stage_name": STAGES[clock.stage][language],
        "round": clock.round,
        "state": clock.state,
        "policy": clock.policy,
        "policy_version": clock.policy_version,
        "policy_name": _policy_name(run, call.reference, language),
        "calendar": clock.calendar,
        "calendar_version": clock.calendar_version,
        "calendar_name": _calendar_name(calendar, language),
        "zone": calendar.zone,
        "promised": format_duration(clock.target),
        "spent": format_duration(found.spent),
        "left": format_duration(found.left),
        "late": format_duration(found.late),
        "started_at": clock.started_at,
        "due_at": found.due_at,
        "resumed_due_at": found.resumed_due_at,
        "met_at": clock.met_at,
        "cancelled_at": clock.cancelled_at,
        "breached_at": clock.breached_at,
        "recorded_breaches": run.breaches,
        "agrees": agrees,
        "sentence": _summary(run, found, language) + end_sentence(ending, language),
        "intervals": [_interval(one, calendar, language) for one in intervals],
        "recomputations": [
            _recomputation(one, calendar, call.reference, language) for one in run.recounts
        ],
        "extensions": [_extension(one, calendar, language) for one in run.extensions],
    }


def _policy_name(run: Run, reference: Reference, language: str) -> str:
    policy = reference.promises.policies[(run.clock.policy, run.clock.policy_version)]
    return in_language(policy.names, language)


def _calendar_name(calendar: Calendar, language: str) -> str:
    return in_language(calendar.names, language) or calendar.code


def _summary(run: Run, found: Explanation, language: str) -> str:
    clock, calendar = run.clock, run.calendar
    late = clock.state is ClockState.MET and clock.breached_at is not None
    overdue = clock.state is ClockState.RUNNING and found.until > found.due_at
    said = "met-late" if late else "breached" if overdue else str(clock.state)
    zone, days = ZoneInfo(calendar.zone), calendar.in_days
    return phrases.CLOCKS[said][language].format(
        stage=STAGES[clock.stage][language],
        calendar=_calendar_name(calendar, language),
        promised=phrases.length(clock.target, language, days=days),
        spent=phrases.length(found.spent, language, days=days),
        left=phrases.length(found.left, language, days=days),
        late=phrases.length(found.late, language, days=days),
        due=phrases.moment(found.resumed_due_at or found.due_at, zone, language),
        ended=phrases.moment(found.until, zone, language),
        since=phrases.moment(clock.paused_at or found.until, zone, language),
    )


def end_sentence(ending: Ending | None, language: str) -> str:
    """Why a term in calendar days ends on its last day, after its summary: the days off that its
    end was moved past, and the decree that made the last one a working day. '' of any other.
    """
    if ending is None:
        return ""
    calendar, text = ending.working, ""
    off = [_day(day, calendar, language) for day in ending.days_off]
    if off:
        text += phrases.ENDS_LATER[language]
    if ending.worked:
        text += phrases.ENDS_WORKED[language]
    return text.format(
        length=phrases.length(ending.length, language, days=True),
        out=phrases.day(ending.out, language),
        last=phrases.day(ending.last, language),
        days=_named(off, language),
        worked=_named([_day(ending.last, calendar, language)], language),
    )


def _interval(one: Interval, calendar: Calendar, language: str) -> dict[str, Any]:
    off, worked = (
        [_day(day, calendar, language) for day in days] for days in (one.days_off, one.made_working)
    )
    wait = phrases.WAITS.get(one.wait or "")
    expected = one.ahead and one.reason is Reason.WORKING
    text = phrases.INTERVALS[f"{one.reason}-ahead" if expected else one.reason][language]
    if worked:
        text += phrases.MADE_WORKING[language]
    return {
        "begin": one.begin,
        "end": one.end,
        "reason": one.reason,
        "counted": format_duration(one.counted),
        "ahead": one.ahead,
        "waiting_for": one.wait,
        "days_off": off,
        "made_working": worked,
        "sentence": text.format(
            span=phrases.span(one.begin, one.end, ZoneInfo(calendar.zone), language),
            counted=phrases.length(one.counted, language, days=calendar.in_days),
            days=_named(off, language),
            worked=_named(worked, language),
            wait=wait[language] if wait else one.wait,
        ),
    }


def _day(day: date, calendar: Calendar, language: str) -> DayOff:
    return {
        "date": day.isoformat(),
        "name": in_language(calendar.holidays.get(day, {}), language) or None,
        "decree": calendar.decrees.get(day),
    }


def _named(days: Sequence[DayOff], language: str) -> str:
    """Days with what they are called and by whose word they differ."""
    said = [
        (date.fromisoformat(one["date"]), [why for why in (one["name"], one["decree"]) if why])
        for one in days
    ]
    return phrases.named_days(said, language)


def _recomputation(
    one: Recount, calendar: Calendar, reference: Reference, language: str
) -> dict[str, Any]:
    data, zone = one.data, ZoneInfo(calendar.zone)
    words, after_ = phrases.RECOMPUTED, data["version_after"]
    if (by := data.get("ends_by")) is not None:
        words, after_ = phrases.ENDS_ANEW, by["version"]
        calendar = reference.promises.calendars[by["calendar"], by["version"]]
    before, after = (datetime.fromisoformat(data[name]) for name in ("due_before", "due_after"))
    return {
        "at": one.at,
        "version_before": data["version_before"],
        "version_after": data["version_after"],
        "due_before": before,
        "due_after": after,
        "reason": data["reason"],
        "sentence": words[language].format(
            at=phrases.moment(one.at, zone, language),
            calendar=_calendar_name(calendar, language),
            before=data["version_before"],
            after=after_,
            reason=data["reason"],
            due_before=phrases.moment(before, zone, language),
            due_after=phrases.moment(after, zone, language),
        ),
    }


def _extension(one: Extended, calendar: Calendar, language: str) -> dict[str, Any]:
    data, zone = one.data, ZoneInfo(calendar.zone)
    before, after = (datetime.fromisoformat(data[name]) for name in ("due_before", "due_after"))
    by = parse_duration(data["by"])
    return {
        "at": one.at,
        "by": data["by"],
        "due_before": before,
        "due_after": after,
        "sentence": phrases.EXTENDED[language].format(
            at=phrases.moment(one.at, zone, language),
            by=phrases.length(by, language, days=calendar.in_days),
            due_before=phrases.moment(before, zone, language),
            due_after=phrases.moment(after, zone, language),
        ),
    }


OPERATIONS = (
    Operation(
        "explainPromises", "GET", "/v1/appeals/{number}/sla/explain", "Promises",
        "Explain every clock of an appeal: what counted, what did not, and why",
        reads=explain_promises, permission=Permission.READ_APPEAL, query=ExplainQuery,
        answer=SlaExplanation, refusals=(404,),
    ),
)  # fmt: skip
