"""What the law's own acts do to an appeal (АППК, chapters 10-13): pure functions, one per action.

Each act that the law wants the applicant to be told of is an event that residents see, written
with the act: the notice is given when the act is, so no term of notice can be missed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from domain.appeals import clocks, legal
from domain.appeals import commands as c
from domain.appeals.desk import Desk, Step, hurry, leave, own, said, unpause
from domain.appeals.evidence import asked, ends_by_word, unreached
from domain.appeals.model import Appeal, AssignmentState
from domain.appeals.workflow import Action, Status
from domain.catalogue.evidence import Piece
from domain.catalogue.model import Criticality
from domain.errors import Conflict, Invalid
from domain.events import EventType, Fact
from domain.law.counting import end_of, last_day, months_after, next_working_day, received_on
from domain.law.model import Law
from domain.law.standing import Decision, Hearing, HearingOutcome, Legal
from domain.register.canonical import instant
from domain.sla import clock as ticking
from domain.sla.calendar import Calendar
from domain.sla.clock import Clock, ClockState
from domain.sla.durations import format_duration
from domain.sla.policy import Promise, Stage


def standing(appeal: Appeal) -> Legal:
    """How the appeal stands before the law. Raises Conflict where it is none before it."""
    if appeal.legal is None or not appeal.legal.considered:
        raise Conflict(reason="no-appeal-before-the-law")
    return appeal.legal


def law_of(appeal: Appeal, desk: Desk) -> Law:
    """The version of the law that the appeal was registered under."""
    return desk.reference.promises.laws[standing(appeal).law_version]


def classify(appeal: Appeal, command: c.Classify, desk: Desk) -> Step:
    """An inspector says what the appeal is. Raises Conflict where nothing would change, or where
    the city took no law in.
    """
    promises = desk.reference.promises
    law = promises.law(desk.reference.city.local(appeal.registered_at).date())
    if law is None:
        raise Conflict(reason="no-law")
    before, after = appeal.legal, None
    if command.kind is not None:
        working = promises.calendar(law.receipt.calendar)
        came = received_on(appeal.received_at or appeal.registered_at, law.receipt, working)
        after = legal.settle(
            command.kind, law, promises, received=before.received if before else came,
            nameless=legal.anonymous(appeal.applicant, appeal.channel), threat=command.threat,
        )  # fmt: skip
    if _same(before, after):
        raise Conflict(reason="nothing-changed")
    if before is not None and after is not None:
        after = replace(after, hearing=before.hearing)
    changed = legal.reclassify(appeal, after, promises, at=desk.at)
    if after is not None and after.threat:
        changed = replace(changed, emergency=True, criticality=Criticality.EMERGENCY)
    data = {"kind_before": str(before.kind) if before else None} | _told(after)
    fact = Fact(
        EventType.CLASSIFIED, data | clocks.begun(appeal, changed), said(reason=command.reason)
    )
    changed, resumed = hurry(changed, desk)
    return Step(changed, (fact, *resumed))


def _same(before: Legal | None, after: Legal | None) -> bool:
    if before is None or after is None:
        return before is after
    return (before.kind, before.threat) == (after.kind, after.threat)


def _told(found: Legal | None) -> dict[str, object]:
    return {"kind": None} if found is None else told(found)


def told(found: Legal) -> dict[str, object]:
    """What an event says of how an appeal stands before the law."""
    return {
        "kind": str(found.kind),
        "law_version": found.law_version,
        "received": found.received.isoformat(),
        "considered": found.considered,
        "threat": found.threat,
        "last_day": found.last_day.isoformat() if found.last_day else None,
    }


def prolong(appeal: Appeal, command: c.Prolong, desk: Desk) -> Step:
    """The head puts the term off (Art. 76). Raises NotPermitted for another organisation's
    appeal, Conflict where the law lets no time be given, Invalid for more days than it lets.
    """
    own(appeal, desk)
    found, law = standing(appeal), law_of(appeal, desk)
    clock = _running(appeal, desk)
    if not law.kinds[found.kind].prolongable:
        raise Conflict(reason="term-cannot-be-prolonged", kind=str(found.kind))
    term = _Term.of(found, law, clock, desk)
    if term.last(found.prolonged + command.days) > term.furthest:
        raise Invalid.at("/days", "prolonged-too-far", until=term.furthest.isoformat())
    after, data = _put_off(appeal, term, command.days, desk)
    return Step(after, (Fact(EventType.PROLONGED, data, said(reason=command.reason)),))


def put_off_until(
    appeal: Appeal, until: date, desk: Desk
) -> tuple[Appeal, dict[str, object]] | None:
    """The appeal with its term put off by the state to the last day that is no later than `until`,
    nor than the law lets any term be put off; and what its event tells. None where the term ends
    there already, does not run any more, or may not be put off at all.
    """
    found, clock = appeal.legal, appeal.clock(Stage.CONSIDER)
    if found is None or clock is None or not _runs(clock, desk):
        return None
    law = desk.reference.promises.laws[found.law_version]
    if not law.kinds[found.kind].prolongable:
        return None
    term, days = _Term.of(found, law, clock, desk), 0
    bound = min(until, term.furthest)
    while term.last(found.prolonged + days + 1) <= bound:
        days += 1
    return _put_off(appeal, term, days, desk) if days else None


@dataclass(frozen=True, slots=True)
class _Term:
    """The term of an appeal that runs, and by what it is counted."""

    found: Legal
    law: Law
    clock: Clock
    promise: Promise
    calendar: Calendar
    working: Calendar

    @classmethod
    def of(cls, found: Legal, law: Law, clock: Clock, desk: Desk) -> "_Term":
        promise, calendar = desk.reference.promises.of(clock)
        same = calendar.code == law.receipt.calendar
        working = calendar if same else desk.reference.promises.calendar(law.receipt.calendar)
        return cls(found, law, clock, promise, calendar, working)

    def last(self, prolonged: int) -> date:
        """The last day of the term with so many days more."""
        days = self.promise.within.days + prolonged
        return last_day(self.found.received, days, self.calendar, self.working)

    @property
    def furthest(self) -> date:
        """Beyond this day nobody puts it off."""
        own = self.found.last_day or self.last(0)
        return next_working_day(months_after(own, self.law.prolongation.months), self.working)


def _put_off(
    appeal: Appeal, term: _Term, days: int, desk: Desk
) -> tuple[Appeal, dict[str, object]]:
    """The appeal with so many days more, and what its event tells."""
    found, law, clock = term.found, term.law, term.clock
    last = term.last(found.prolonged + days)
    target = term.calendar.spent(clock.started_at, end_of(last, term.working))
    longer = ticking.prolong(clock, term.promise, term.calendar, target=target, at=desk.at)
    count = found.prolongations + 1
    after = replace(
        appeal.with_clock(longer),
        legal=replace(found, prolonged=found.prolonged + days, prolongations=count),
    )
    return after, {
        "days": days,
        "count": count,
        "target": format_duration(target),
        "due_before": instant(clock.due_at),
        "due_after": instant(longer.due_at),
        "article": law.prolongation.article,
        "notice_until": instant(_notice(desk, law.prolongation.notice_days, law)),
    }


def _running(appeal: Appeal, desk: Desk) -> Clock:
    clock = appeal.clock(Stage.CONSIDER)
    if clock is None or not _runs(clock, desk):
        raise Conflict(reason="term-is-over")
    return clock


def _runs(clock: Clock, desk: Desk) -> bool:
    return clock.state is ClockState.RUNNING and desk.at <= clock.due_at


def _notice(desk: Desk, days: int, law: Law) -> datetime:
    return legal.notice_until(desk.at, days, law, desk.reference.promises)


def sent_on(appeal: Appeal, desk: Desk) -> Appeal:
    """The appeal after it was redirected: whose it is was settled, and told to the applicant."""
    settled = clocks.meet(appeal, Stage.REDIRECT, at=desk.at)
    return replace(settled, redirected=appeal.redirected + 1)


def notice_of_redirection(appeal: Appeal, desk: Desk) -> dict[str, object]:
    """What the event of a redirection tells of the law's three days (Art. 65)."""
    clock = appeal.clock(Stage.REDIRECT)
    if clock is None:
        return {}
    return {"redirect_until": instant(clock.due_at), "late": desk.at > clock.due_at}


def forward(appeal: Appeal, command: c.Forward, desk: Desk) -> Step:
    """Another body of the state is competent (Art. 65). The appeal awaits the resident's word:
    that it went elsewhere closes nothing.

    What the city promised is called off by it, so that no executor does it (workflow.py;
    docs/decisions/0044): who finds another competent gives it back (decline) and says so.
    """
    recalled = leave(appeal, AssignmentState.REDIRECTED, desk)
    data = {"body": command.body} | notice_of_redirection(appeal, desk)
    sent = sent_on(unpause(appeal, desk), desk)
    after = replace(sent, status=Status.ANSWERED, assignment=None)
    after = clocks.meet(after, Stage.ANSWER, at=desk.at)
    after = clocks.cancel(after, at=desk.at)
    if after.legal is not None:
        after = replace(after, legal=replace(after.legal, forwarded_to=command.body))
    fact = Fact(EventType.FORWARDED, data, said(reason=command.reason))
    return Step(after, (fact,), recalled)


def summon(appeal: Appeal, command: c.Summon, desk: Desk) -> Step:
    """The applicant is told the preliminary decision and called to be heard (Arts. 72-73).
    Raises Invalid for a hearing before the notice has run.
    """
    ours, law = own(appeal, desk), law_of(appeal, desk)
    earliest = _notice(desk, law.hearing.notice_days, law)
    if command.at < earliest:
        raise Invalid.at("/at", "hearing-too-early", earliest=instant(earliest))
    hearing = Hearing(desk.at, command.at, command.way, earliest)
    after = replace(appeal, legal=replace(standing(appeal), hearing=hearing))
    data = {
        "organisation": str(ours.organisation),
        "hearing_at": instant(command.at),
        "way": str(command.way),
        "earliest": instant(earliest),
        "object_until": instant(_notice(desk, law.hearing.objection_days, law)),
        "article": law.hearing.article,
    }
    return Step(after, (Fact(EventType.SUMMONED, data, {"preliminary": command.preliminary}),))


def hear(appeal: Appeal, command: c.Hear, desk: Desk) -> Step:
    """The hearing is put on record. Raises Conflict where none was called, it is on record
    already, or its time has not come (who does not want to be heard may say so before it).
    """
    own(appeal, desk)
    found = standing(appeal)
    hearing = found.hearing
    if hearing is None:
        raise Conflict(reason="no-hearing-called")
    if hearing.outcome is not None:
        raise Conflict(reason="hearing-on-record")
    if command.outcome is not HearingOutcome.WAIVED and desk.at < hearing.at:
        raise Conflict(reason="hearing-yet-to-come", at=instant(hearing.at))
    heard = replace(hearing, outcome=command.outcome, recorded_at=desk.at)
    after = replace(appeal, legal=replace(found, hearing=heard))
    data = {"outcome": str(command.outcome), "hearing_at": instant(hearing.at)}
    return Step(after, (Fact(EventType.HEARD, data, {"minutes": command.minutes}),))


def decide(appeal: Appeal, command: c.Decide, desk: Desk) -> Step:
    """The body answers. Raises Conflict for an adverse act without a hearing, or before the
    notice of it has run; and for any other that would stand for work whose evidence is demanded.

    A termination is no exception (docs/decisions/0038): it ends the procedure, and what is open
    in the street stays open. Neither it nor a refusal says that anybody arrived or made anything
    safe, so that no such promise is met by it: these steps are reported first, unless an inspector
    let evidence go for the termination and so takes it upon themselves that nobody need come.
    """
    ours, found = own(appeal, desk), standing(appeal)
    if command.decision is Decision.ADVERSE:
        _heard_first(found, desk)
    elif pieces := _unproven(appeal, desk, ended := command.decision is Decision.TERMINATED):
        raise Conflict(
            reason="termination-wants-evidence" if ended else "work-wants-evidence", pieces=pieces
        )
    if steps := _skipped(appeal, command.decision):
        raise Conflict(reason="steps-first", stages=steps)
    done = replace(ours, state=AssignmentState.DONE, done_at=desk.at)
    after = replace(
        appeal,
        status=Status.RESOLVED,
        assignment=done,
        legal=replace(found, decision=command.decision),
    )
    after = clocks.meet(after, *Stage, at=desk.at)
    data = {"decision": str(command.decision), "organisation": str(ours.organisation)}
    return Step(after, (Fact(EventType.DECIDED, data, {"text": command.text}),), (done,))


def _unproven(appeal: Appeal, desk: Desk, ended: bool) -> tuple[Piece, ...]:
    """The evidence of the work that the service demands and nobody let go, of a termination for
    that: where there is any, it is reported done with it (resolve), and no decision but a refusal
    takes its place.
    """
    open_ = asked(appeal, Stage.RESOLVE, desk.reference, termination=ended).need.pieces()
    return tuple(piece for piece in Piece if piece in open_)


def _skipped(appeal: Appeal, decision: Decision) -> tuple[Stage, ...]:
    """The promised steps before the work that nobody reached, where a decision claims none of it;
    a termination for which an inspector let anything go claims it with them.
    """
    ended = decision is Decision.TERMINATED and ends_by_word(appeal)
    return unreached(appeal) if decision in _OF_NO_WORK and not ended else ()


_OF_NO_WORK = frozenset({Decision.ADVERSE, Decision.TERMINATED})


def _heard_first(found: Legal, desk: Desk) -> None:
    hearing = found.hearing
    if hearing is None or hearing.outcome is None:
        raise Conflict(reason="hearing-first")
    if hearing.outcome is not HearingOutcome.WAIVED and desk.at < hearing.earliest:
        raise Conflict(reason="hearing-notice-runs", until=instant(hearing.earliest))


LEGAL_RULES: Mapping[Action, Callable[[Appeal, Any, Desk], Step]] = {
    Action.CLASSIFY: classify,
    Action.PROLONG: prolong,
    Action.FORWARD: forward,
    Action.SUMMON: summon,
    Action.HEAR: hear,
    Action.DECIDE: decide,
}
