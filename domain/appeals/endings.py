"""How terms in calendar days came to their last day, for those who ask why it is that one.

A term that counts every day ends, where its days run out on a day off, on the nearest working day
of another calendar (domain/law/counting.py). Its own calendar tells nothing of that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from domain.appeals.replay import Run
from domain.law.counting import DAY, after_working_days, end_of, next_working_day
from domain.reference import Promises
from domain.sla.calendar import Calendar
from domain.sla.policy import LAW_STAGES, Stage


@dataclass(frozen=True, slots=True)
class Ending:
    """Of a term of `length`, with what it was put off by: its days ran out on `out`, and its last
    day is `last`, by `working` as it stood when that was counted.
    """

    length: timedelta
    out: date
    last: date
    working: Calendar

    @property
    def days_off(self) -> tuple[date, ...]:
        """The days, ascending, that it went past; none where it ends where its days ran out."""
        return tuple(self.out + n * DAY for n in range((self.last - self.out).days))

    @property
    def worked(self) -> date | None:
        """The last day, where only a decree made it one that is worked."""
        return self.last if self.working.made_working(self.last) else None


def endings(
    runs: Iterable[Run], working: str, promises: Promises
) -> dict[tuple[Stage, int], Ending]:
    """By stage and round, the law's terms whose last day the calendar `working` moved, or a decree
    that is in it. `runs` are those of one appeal in the order in which they began.

    A term that is due at another day than its length and that calendar give is not among them.
    """
    found: dict[tuple[Stage, int], Ending] = {}
    begun: dict[Stage, tuple[date, int]] = {}
    for run in runs:
        clock, promise = run.clock, run.promise
        if clock.stage not in LAW_STAGES or clock.calendar == working or promise.within % DAY:
            continue
        since = _receipt(run) or begun.get(clock.stage)
        if since is None:
            continue
        received, put_off = since[0], since[1] + run.put_off
        begun[clock.stage] = received, put_off
        length = promise.within + put_off * DAY
        out = after_working_days(received, length.days, run.calendar)
        ending = _ending(run, length, out, working, promises)
        if ending is not None and (ending.days_off or ending.worked):
            found[clock.stage, clock.round] = ending
    return found


def _receipt(run: Run) -> tuple[date, int] | None:
    """The day of receipt of a whole term, which begins with the day after. None of one that goes
    on where an answer was sent back: it ends as the term that it goes on with.
    """
    local = run.clock.started_at.astimezone(ZoneInfo(run.calendar.zone))
    return (local.date() - DAY, 0) if local.time() == time(0) else None


def _ending(
    run: Run, length: timedelta, out: date, working: str, promises: Promises
) -> Ending | None:
    """By the newest version of the working calendar by which the term ends when it is due: the
    days of a later one count for nobody until they are counted by.
    """
    versions = sorted(version for code, version in promises.calendars if code == working)
    for version in reversed(versions):
        calendar = promises.calendars[working, version]
        last = next_working_day(out, calendar)
        if end_of(last, calendar) == run.clock.due_at:
            return Ending(length, out, last, calendar)
    return None
