"""What is promised for a service on a channel, as it stands and as a draft would have it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from domain.catalogue.model import Criticality
from domain.errors import NotFound
from domain.reference import Promises, Reference
from domain.sla.calendar import Calendar
from domain.sla.policy import LAW_STAGES, Policy, Promise, Stage


@dataclass(frozen=True, slots=True)
class Term:
    """One promised stage: by which policy, and counted by which calendar."""

    policy: Policy
    promise: Promise
    calendar: Calendar

    def counts_as(self, other: "Term") -> bool:
        """Whether both give every appeal the same due times. Warnings and ladders move none."""
        return (
            self.policy.code == other.policy.code
            and _counted(self.promise) == _counted(other.promise)
            and same_hours(self.calendar, other.calendar)
        )


Terms = Mapping[Stage, Term]


def same_hours(one: Calendar, other: Calendar) -> bool:
    """Whether two versions of a calendar work at the same hours."""
    return replace(one, version=0) == replace(other, version=0)


def _counted(promise: Promise) -> tuple[object, ...]:
    return (
        promise.within, promise.calendar, promise.reopen, promise.reopen_at_least,
        promise.emergency_on_breach, promise.extend_at_most,
    )  # fmt: skip


def standing(promises: Promises, day: date) -> Promises:
    """What is in force on a day, and in force for ever: one version of each."""
    policies: dict[tuple[str, int], Policy] = {}
    for code in {code for code, _ in promises.policies}:
        try:
            found = promises.policy(code, day)
        except NotFound:
            continue
        policies[code, found.version] = replace(found, effective_from=date.min)
    calendars = [promises.calendar(code) for code in {code for code, _ in promises.calendars}]
    by_code = {(c.code, c.version): c for c in calendars}
    law = promises.law(day)
    laws = {law.version: replace(law, effective_from=date.min)} if law else {}
    return Promises(policies, by_code, promises.by_channel, laws)


def terms(promises: Promises, policy: str, channel: str) -> Terms:
    """The stages promised under standing promises: the service's, then the channel's.

    As domain.appeals.clocks.begin has it; a policy that is not in force promises nothing.
    """
    found: dict[Stage, Term] = {}
    for code in filter(None, (policy, promises.by_channel.get(channel))):
        try:
            agreed = promises.policy(code, date.max)
        except NotFound:
            continue
        for promise in agreed.promises:
            if promise.stage in LAW_STAGES:
                continue
            calendar = promises.calendar(promise.calendar)
            found.setdefault(promise.stage, Term(agreed, promise, calendar))
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a draft does to the clocks of a service on a channel.

    `counted` are the stages whose clocks must be counted anew, `dropped` those promised no
    more; every other clock stays as it was. `terms` are all that the draft promises, and
    `urgent` says that under it the service cannot wait.
    """

    counted: frozenset[Stage]
    dropped: frozenset[Stage]
    terms: Terms
    urgent: bool

    @property
    def touched(self) -> bool:
        """Whether the draft changes anything here."""
        return bool(self.counted or self.dropped)


def law_term(promises: Promises, policy: str, stage: Stage) -> Term | None:
    """What standing promises say of a term of the law; None where the policy has no such."""
    try:
        agreed = promises.policy(policy, date.max)
    except NotFound:
        return None
    promise = agreed.promise(stage)
    return None if promise is None else Term(agreed, promise, promises.calendar(promise.calendar))


def judge(now: Reference, drafted: Reference, service: str, channel: str) -> Verdict:
    """The verdict on one service and channel; both references hold standing promises."""
    if service not in now.catalogue or service not in drafted.catalogue:
        return Verdict(frozenset(), frozenset(), {}, urgent=False)
    before, after = now.catalogue.service(service), drafted.catalogue.service(service)
    old = terms(now.promises, before.policy, channel)
    new = terms(drafted.promises, after.policy, channel)
    urgent = after.criticality is Criticality.EMERGENCY
    # An emergency cannot wait, so its pauses would not have been.
    hurried = urgent and before.criticality is not Criticality.EMERGENCY
    counted = frozenset(
        stage
        for stage, term in new.items()
        if hurried or stage not in old or not term.counts_as(old[stage])
    )
    return Verdict(counted, frozenset(old) - frozenset(new), new, urgent)
