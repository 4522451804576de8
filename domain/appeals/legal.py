"""The law's clocks of an appeal: begun beside those of its service, and moved by their own rules.

They never wait: no pause of the city's rules stops a term of the law. They start at the end of
the day of receipt, so what a term promises is whole days.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from domain.appeals.model import Appeal, Applicant, AssignmentState, Channel
from domain.law.counting import after_working_days, end_of, last_day, received_on
from domain.law.kinds import AppealKind
from domain.law.model import Law
from domain.law.standing import Legal
from domain.reference import Promises
from domain.sla import clock as clocks
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import LAW_STAGES, Policy, Promise, Stage
from domain.sla.timeline import utc


@dataclass(frozen=True, slots=True)
class Said:
    """What an intake says of the law: a `kind` of None leaves it to the rules of the city's
    register, of which those that ask for a wish fit none that was not told. `day` is the city's,
    on which it is registered.
    """

    kind: AppealKind | None
    channel: Channel
    wish: str | None
    service: str
    nameless: bool
    threat: bool
    received_at: datetime
    day: date


def stand(said: Said, promises: Promises) -> Legal | None:
    """How a new appeal stands before the law in force on its day; None where it is no appeal
    before the law, or the city took no law in.
    """
    law = promises.law(said.day)
    if law is None:
        return None
    kind = said.kind or law.kind_at_intake(said.channel, said.wish, said.service)
    threat = said.threat or said.service in law.threat.services
    if kind is None and not (said.nameless and threat):
        return None
    received = received_on(said.received_at, law.receipt, promises.calendar(law.receipt.calendar))
    return settle(
        kind or AppealKind.MESSAGE, law, promises,
        received=received, nameless=said.nameless, threat=threat,
    )  # fmt: skip


def settle(
    kind: AppealKind,
    law: Law,
    promises: Promises,
    *,
    received: date,
    nameless: bool,
    threat: bool,
) -> Legal:
    """An appeal of a kind as it stands on the day of its receipt."""
    working = promises.calendar(law.receipt.calendar)
    legal = Legal(kind, law.version, received, considered=not nameless, threat=nameless and threat)
    if not legal.considered:
        return legal
    policy = _policy(law, law.kinds[kind].policy, received, promises)
    term = policy.promise(Stage.CONSIDER)
    if term is None:
        return legal
    calendar = promises.calendar(term.calendar)
    return replace(legal, last_day=last_day(received, term.within.days, calendar, working))


def _policy(law: Law, code: str, received: date, promises: Promises) -> Policy:
    """A term's policy as on the day of receipt. Of what another body of the state received before
    the law took effect, as on its first day: those before it are none of its terms.

    Raises NotFound.
    """
    return promises.policy(code, max(received, law.effective_from))


def anonymous(applicant: Applicant | None, channel: str) -> bool:
    """Whether the law would call it so: nobody said who they are. Of a resident who wished to stay
    unnamed only their login is kept; whom the state names by an IIN has wished no such thing.
    """
    if applicant is None:
        return True
    known = applicant.citizen is not None and channel == Channel.E_OTINISH
    return not known and applicant.name is None and applicant.phone is None


def begin(legal: Legal, promises: Promises, *, at: datetime) -> tuple[Clock, ...]:
    """The law's clocks of an appeal that came at `at`. Raises NotFound for a lost policy."""
    law = promises.laws[legal.law_version]
    if legal.threat:
        policy = _policy(law, law.threat.policy, legal.received, promises)
        return tuple(
            clocks.start(promise, policy, promises.calendar(promise.calendar), at=at)
            for promise in policy.promises
        )
    if not legal.considered:
        return ()
    working = promises.calendar(law.receipt.calendar)
    policy = _policy(law, law.kinds[legal.kind].policy, legal.received, promises)
    return tuple(
        _start(promise, policy, promises.calendar(promise.calendar), legal, working)
        for promise in policy.promises
    )


def _start(
    promise: Promise, policy: Policy, calendar: Calendar, legal: Legal, working: Calendar
) -> Clock:
    started_at = end_of(legal.received, working)
    last = last_day(legal.received, promise.within.days, calendar, working)
    target = calendar.spent(started_at, end_of(last, working))
    return clocks.start(promise, policy, calendar, at=started_at, target=target)


def ends_on(found: Legal, promise: Promise, calendar: Calendar, working: Calendar) -> date:
    """The last day of one of an appeal's terms, counted from its receipt, with what it was put
    off by.
    """
    put_off = found.prolonged if promise.stage is Stage.CONSIDER else 0
    return last_day(found.received, promise.within.days + put_off, calendar, working)


def reclassify(appeal: Appeal, legal: Legal | None, promises: Promises, *, at: datetime) -> Appeal:
    """The appeal as another kind, its term counted from its receipt: no time is given by it.

    Who took the appeal has settled whose it is; that clock does not begin again.
    """
    for stage in LAW_STAGES:
        former = appeal.clock(stage)
        if former is not None and former.met_at is None:
            appeal = appeal.with_clock(clocks.cancel(former, at=at))
    appeal = replace(appeal, legal=legal)
    if legal is None:
        return appeal
    taken = appeal.assignment is not None and appeal.assignment.state is AssignmentState.ACCEPTED
    for clock in begin(legal, promises, at=appeal.registered_at):
        former = appeal.clock(clock.stage)
        settled = former is not None and former.met_at is not None
        if clock.stage is Stage.REDIRECT and (taken or settled):
            continue
        round_ = former.round + 1 if former else 1
        appeal = appeal.with_clock(replace(clock, round=round_))
    return appeal


def undone(appeal: Appeal) -> Appeal:
    """The appeal whose answer did not hold: nothing is decided. What an inspector let go so that
    its procedure could be ended (docs/decisions/0038) was for that end and no other: it falls with
    it, and with any other answer that was given in its place.
    """
    found = appeal.legal
    kept = tuple(one for one in appeal.waivers if not one.termination)
    return replace(appeal, legal=replace(found, decision=None) if found else None, waivers=kept)


def stands(appeal: Appeal, promises: Promises, *, at: datetime) -> Appeal:
    """The appeal whose answer was sent back: its term runs as though it had never been met."""
    clock = appeal.clock(Stage.CONSIDER)
    if clock is None or clock.state is not ClockState.MET:
        return appeal
    promise, calendar = promises.of(clock)
    start = max(utc(at), clock.started_at)
    left = calendar.spent(start, clock.due_at)
    return appeal.with_clock(_again(clock, promise, calendar, promises, start, left))


def again(appeal: Appeal, promises: Promises, *, at: datetime) -> Appeal:
    """The appeal whose answer the resident did not take: received anew, with a whole term.

    What was put off and heard belongs to the answer before, and so do what was decided (undone) and
    the day that the state set; whatever the city holds the appeal for by now.
    """
    appeal = replace(appeal, received_at=at, state_deadline=None)
    clock, legal = appeal.clock(Stage.CONSIDER), appeal.legal
    if legal is None or clock is None or not clocks.finished(clock):
        return appeal
    law = promises.laws[legal.law_version]
    working = promises.calendar(law.receipt.calendar)
    promise, calendar = promises.of(clock)
    received = received_on(at, law.receipt, working)
    last = last_day(received, promise.within.days, calendar, working)
    start = end_of(received, working)
    target = calendar.spent(start, end_of(last, working))
    fresh = _again(clock, promise, calendar, promises, start, target)
    anew = replace(
        legal, received=received, last_day=last, prolonged=0, prolongations=0,
        forwarded_to=None, hearing=None,
    )  # fmt: skip
    return replace(appeal.with_clock(fresh), legal=anew)


def _again(
    clock: Clock,
    promise: Promise,
    calendar: Calendar,
    promises: Promises,
    start: datetime,
    target: timedelta,
) -> Clock:
    policy = promises.policies[clock.policy, clock.policy_version]
    round_ = clock.round + 1
    return clocks.start(promise, policy, calendar, at=start, round=round_, target=target)


def notice_until(at: datetime, days: int, law: Law, promises: Promises) -> datetime:
    """The end of the `days`-th working day after the day on which a notice given at `at` counts."""
    working = promises.calendar(law.receipt.calendar)
    day = received_on(at, law.receipt, working)
    return end_of(after_working_days(day, days, working), working)
