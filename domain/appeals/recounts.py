"""Counting open clocks again after a change of their calendar: an act that the register records.

What a promise is due by never changes by itself: a new version of a calendar touches no clock that
runs already. Whoever wants it to, says so with a reason; each clock that moves has an event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.appeals.desk import Desk, Step
from domain.appeals.legal import ends_on
from domain.appeals.model import Appeal, Change
from domain.appeals.replay import Run, differences, replay
from domain.appeals.use_cases import bind
from domain.events import EventType, Fact
from domain.law.counting import end_of
from domain.ports import UnitOfWork
from domain.reference import Promises, Reference
from domain.register.canonical import instant
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock, finished
from domain.sla.counting import recompute
from domain.sla.durations import format_duration
from domain.sla.policy import LAW_STAGES, Stage


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What came of a portion. `held` appeals were in use; `last` None means that none is left."""

    changes: tuple[Change, ...]
    moved: tuple[tuple[str, Clock, Clock], ...]
    """(number of the appeal, the clock before, the clock after)."""
    faulty: tuple[tuple[str, Exception], ...]
    held: int
    last: UUID | None


async def recompute_clocks(
    calendar: str,
    reason: str,
    *,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    limit: int,
    after: UUID | None = None,
) -> Recomputed:
    """Count the open clocks of at most `limit` appeals again, by the newest version of a calendar.

    A clock that is not what its events tell is left alone and told: it wants a look first.
    Raises NotFound for a calendar that the city does not have.
    """
    newest = reference.promises.calendar(calendar)
    also = ending_by(calendar, reference.promises)
    found = await uow.appeals.counting_by(calendar, newest.version, limit, after, also)
    desk = Desk(uow.principal, reference, at)
    changes: list[Change] = []
    moved: list[tuple[str, Clock, Clock]] = []
    faulty: list[tuple[str, Exception]] = []
    for appeal, events in found.appeals:
        try:
            pairs = tuple(_pairs(appeal, events, newest, desk))
        except Exception as error:
            faulty.append((appeal.number, error))
            continue
        if not pairs:
            continue
        changes.append(bind(appeal, _step(appeal, pairs, newest, reason, desk), desk))
        moved += [(appeal.number, before, after_) for before, after_ in pairs]
        uow.appeals.save(changes[-1])
    return Recomputed(tuple(changes), tuple(moved), tuple(faulty), found.held, found.last)


def _pairs(
    appeal: Appeal, events: Iterable[Mapping[str, Any]], calendar: Calendar, desk: Desk
) -> Iterable[tuple[Clock, Clock]]:
    """Each clock that counts by an older version, or ends by one, and what it becomes."""
    runs = replay(events, desk.reference.promises)
    odd = tuple(differences(appeal.clocks, runs))
    if odd:
        raise ValueError(f"{len(odd)} differences from the events, the first: {odd[0]}")
    for run in runs:
        by, clock = calendar, run.clock
        if not _older(run, calendar):
            target = _target(appeal, run, calendar, desk)
            if target is None or target == clock.target:
                continue
            by, clock = run.calendar, replace(clock, target=target)
        yield run.clock, recompute(clock, run.promise, by, waits=run.waits, at=desk.at)


def ending_by(calendar: str, promises: Promises) -> frozenset[str]:
    """The calendars by which terms of the law are counted that end on a working day of this one."""
    return frozenset(
        promise.calendar
        for law in promises.laws.values()
        if law.receipt.calendar == calendar
        for (code, _), policy in promises.policies.items()
        if code in law.policies()
        for promise in policy.promises
        if promise.stage in LAW_STAGES and promise.calendar != calendar
    )


def _target(appeal: Appeal, run: Run, calendar: Calendar, desk: Desk) -> timedelta | None:
    """What a term of the law promises that is counted by one calendar and ends on a working day of
    another, which was changed: from the receipt, since its length follows from its last day. None
    for every other clock.
    """
    found, clock = appeal.legal, run.clock
    if found is None or not found.considered or clock.stage not in LAW_STAGES or finished(clock):
        return None
    law = desk.reference.promises.laws[found.law_version]
    if law.receipt.calendar != calendar.code or clock.calendar == calendar.code:
        return None
    last = ends_on(found, run.promise, run.calendar, calendar)
    return run.calendar.spent(clock.started_at, end_of(last, calendar))


def _older(run: Run, calendar: Calendar) -> bool:
    clock = run.clock
    by_it = clock.calendar == calendar.code and clock.calendar_version < calendar.version
    return by_it and not finished(clock)


def _step(
    appeal: Appeal,
    pairs: tuple[tuple[Clock, Clock], ...],
    calendar: Calendar,
    reason: str,
    desk: Desk,
) -> Step:
    promises = desk.reference.promises
    for _, after in pairs:
        appeal = appeal.with_clock(after)
        if after.stage is Stage.CONSIDER and appeal.legal is not None:
            working = promises.calendar(promises.laws[appeal.legal.law_version].receipt.calendar)
            own = replace(appeal.legal, prolonged=0)
            last = ends_on(own, *promises.of(after), working)
            appeal = replace(appeal, legal=replace(appeal.legal, last_day=last))
    facts = tuple(_fact(before, after, calendar, reason) for before, after in pairs)
    return Step(appeal, facts)


def _fact(before: Clock, after: Clock, calendar: Calendar, reason: str) -> Fact:
    # A term that ends by another calendar than it counts by has another length now.
    by = {"calendar": calendar.code, "version": calendar.version}
    ends = {"target": format_duration(after.target), "ends_by": by}
    return Fact(
        EventType.CLOCK_RECOMPUTED,
        {
            **(ends if after.calendar != calendar.code else {}),
            "stage": str(after.stage),
            "round": after.round,
            "calendar": after.calendar,
            "version_before": before.calendar_version,
            "version_after": after.calendar_version,
            "due_before": instant(before.due_at),
            "due_after": instant(after.due_at),
            "state_before": str(before.state),
            "state_after": str(after.state),
            "reason": reason,
        },
    )
