"""Counting open clocks again after a change of their calendar: an act that the register records.

What a promise is due by never changes by itself: a new version of a calendar touches no clock that
runs already. Whoever wants it to, says so with a reason; each clock that moves has an event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.appeals.desk import Desk, Step
from domain.appeals.model import Appeal, Change
from domain.appeals.replay import Run, differences, replay
from domain.appeals.use_cases import bind
from domain.events import EventType, Fact
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.register.canonical import instant
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock, finished
from domain.sla.counting import recompute


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
    found = await uow.appeals.counting_by(calendar, newest.version, limit, after)
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
        changes.append(bind(appeal, _step(appeal, pairs, reason), desk))
        moved += [(appeal.number, before, after_) for before, after_ in pairs]
        uow.appeals.save(changes[-1])
    return Recomputed(tuple(changes), tuple(moved), tuple(faulty), found.held, found.last)


def _pairs(
    appeal: Appeal, events: Iterable[Mapping[str, Any]], calendar: Calendar, desk: Desk
) -> Iterable[tuple[Clock, Clock]]:
    """Each clock that counts by an older version, and what it becomes."""
    runs = replay(events, desk.reference.promises)
    odd = tuple(differences(appeal.clocks, runs))
    if odd:
        raise ValueError(f"{len(odd)} differences from the events, the first: {odd[0]}")
    for run in filter(lambda run: _older(run, calendar), runs):
        again = recompute(run.clock, run.promise, calendar, waits=run.waits, at=desk.at)
        yield run.clock, again


def _older(run: Run, calendar: Calendar) -> bool:
    clock = run.clock
    by_it = clock.calendar == calendar.code and clock.calendar_version < calendar.version
    return by_it and not finished(clock)


def _step(appeal: Appeal, pairs: tuple[tuple[Clock, Clock], ...], reason: str) -> Step:
    for _, after in pairs:
        appeal = appeal.with_clock(after)
    return Step(appeal, tuple(_fact(before, after, reason) for before, after in pairs))


def _fact(before: Clock, after: Clock, reason: str) -> Fact:
    return Fact(
        EventType.CLOCK_RECOMPUTED,
        {
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
