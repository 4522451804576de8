"""Lives as a trial sees them: acts from events, terms from clocks, columns from both."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import orjson

from domain.appeals.model import Appeal
from domain.appeals.workflow import PauseReason
from domain.events import Event, EventType
from domain.reference import Promises
from domain.sla.clock import Clock
from domain.sla.durations import parse_duration
from domain.sla.policy import LAW_STAGES, NOTHING, Stage
from domain.sla.timeline import micros
from domain.trials.lives import REASONS
from domain.trials.replay import ENDS, LOOKED_AT, TAKES, TURNS, Act
from domain.trials.slices import (
    ACTS,
    APPEALS,
    CHANNELS,
    CLOCKS,
    KINDS,
    NEVER,
    STAGES,
    STATES,
    TIMES,
    Codebook,
    Slice,
)
from domain.trials.terms import Term, Terms
from tests.domain.appeals.make import Life, reference


def act_of(event: Event) -> Act:
    """What a clock sees of an event."""
    said = orjson.loads(event.canonical)
    data = said["data"]
    reason = data.get("reason")
    return Act(
        kind=event.type,
        at=event.at,
        stage=Stage(data["stage"]) if "stage" in data else None,
        reason=PauseReason(reason) if reason in tuple(PauseReason) else None,
        until=datetime.fromisoformat(data["until"]) if "until" in data else None,
        public=not event.internal and said["actor"]["role"] != "citizen",
        by=parse_duration(data["by"]) if event.type is EventType.EXTENSION_GRANTED else NOTHING,
        versions=(data["version_before"], data["version_after"])
        if event.type is EventType.CLOCK_RECOMPUTED
        else None,
    )


def own_terms(appeal: Appeal, acts: Sequence[Act], promises: Promises) -> Terms:
    """The terms under which an appeal's clocks began."""
    found: dict[Stage, Term] = {}
    for clock in _ordered(appeal):
        if clock.stage in LAW_STAGES or clock.stage in found:
            continue
        promise, calendar = promises.of(clock)
        counts = (act.versions for act in acts if act.stage is clock.stage and act.versions)
        if (first := next(counts, None)) is not None:
            calendar = promises.calendars[clock.calendar, first[0]]
        policy = promises.policies[clock.policy, clock.policy_version]
        found[clock.stage] = Term(policy, promise, calendar)
    return found


CODES = Codebook(
    services=sorted(service.code for service in reference().catalogue.services),
    policies=sorted({code for code, _ in reference().promises.policies}),
    calendars=sorted({code for code, _ in reference().promises.calendars}),
    districts=sorted(reference().districts),
    organisations=sorted(reference().organisations),
)
"""What stands for what, in the city in memory."""


def slice_of(lives: Sequence[Life], *, all_turned: bool = False) -> Slice:
    """The columns of some lives, as the register would give them.

    With `all_turned` every life is told act by act, as though each had taken a turn.
    """
    appeals, clocks, acts, times = [], [], [], []
    for place, life in enumerate(lives):
        events = life.shelf.events
        appeals.append(_appeal_row(life))
        clocks += [_clock_row(place, clock) for clock in _ordered(life.appeal)]
        if all_turned or any(event.type in TURNS for event in events):
            acts += [_act_row(place, event) for event in events if event.type in LOOKED_AT]
        times.append(_times_row(place, [act_of(event) for event in events]))
    return Slice(
        np.array(appeals, APPEALS),
        np.array(clocks, CLOCKS),
        np.array(acts, ACTS),
        np.array(times, TIMES),
    )


def _ordered(appeal: Appeal) -> list[Clock]:
    return sorted(appeal.clocks, key=lambda clock: (STAGES.index(clock.stage), clock.round))


def _appeal_row(life: Life) -> tuple[object, ...]:
    appeal = life.appeal
    place, first = appeal.place, next(iter(life.shelf.changes)).assignments
    executor = CODES.organisation[first[0].organisation] if first else 0
    point, legal = place.coordinates, appeal.legal
    return (
        appeal.id.bytes, micros(appeal.registered_at), _at(appeal.closed_at),
        CODES.services.index(appeal.service) + 1, CHANNELS.index(appeal.channel) + 1,
        appeal.route.reason != "first-contact", _bytes(place.building), _bytes(place.street),
        CODES.districts.index(place.district) + 1 if place.district else 0,
        bool(place.address), point is not None, point.latitude if point else 0.0,
        point.longitude if point else 0.0, executor,
        KINDS.index(legal.kind) + 1 if legal else 0, legal.law_version if legal else 0,
        legal is not None and legal.threat,
    )  # fmt: skip


def _clock_row(place: int, clock: Clock) -> tuple[object, ...]:
    return (
        place, STAGES.index(clock.stage) + 1, clock.round,
        CODES.policies.index(clock.policy) + 1, clock.policy_version,
        CODES.calendars.index(clock.calendar) + 1, clock.calendar_version,
        STATES.index(clock.state) + 1, micros(clock.started_at), micros(clock.due_at),
        _span(clock.target), _span(clock.paused_for), _at(clock.paused_at), _at(clock.met_at),
        _at(clock.breached_at), _at(clock.cancelled_at),
    )  # fmt: skip


def _act_row(place: int, event: Event) -> tuple[object, ...]:
    act = act_of(event)
    return (
        place, LOOKED_AT.index(act.kind) + 1, micros(act.at),
        STAGES.index(act.stage) + 1 if act.stage else 0,
        REASONS.index(act.reason) + 1 if act.reason else 0, _at(act.until), act.public,
        moves(event), _span(act.by), *(act.versions or (0, 0)),
    )  # fmt: skip


def _times_row(place: int, acts: Sequence[Act]) -> tuple[object, ...]:
    def first(*kinds: EventType) -> int:
        return min((micros(act.at) for act in acts if act.kind in kinds), default=NEVER)

    comments = (micros(act.at) for act in acts if act.kind is EventType.COMMENTED and act.public)
    accepted = min([first(*TAKES), *comments])
    return (
        place, accepted, first(EventType.ANSWERED), first(EventType.STAGE_REPORTED),
        first(*ENDS),
    )  # fmt: skip


def moves(event: Event) -> bool:
    """Whether a correction gave the appeal another service."""
    if event.type is not EventType.CORRECTED:
        return False
    return "service" in orjson.loads(event.canonical)["data"]["fields"]


def _at(moment: datetime | None) -> int:
    return NEVER if moment is None else micros(moment)


def _span(amount: timedelta) -> int:
    return amount // timedelta(microseconds=1)


def _bytes(id: UUID | None) -> bytes:
    return id.bytes if id else bytes(16)
