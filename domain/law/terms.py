"""What stands against the terms that the files of a city would give the law.

The law names policies, and these the calendars that they count by. Each of the three may come in a
file of its own, and is judged with what the city has of the others: what an import breaks would
else be found by the first appeal that is before the law.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from domain.errors import Fault
from domain.law.model import Law
from domain.sla.calendar import Calendar
from domain.sla.durations import format_duration
from domain.sla.policy import LAW_STAGES, Policy, Stage

DAY = timedelta(days=1)
Dated = TypeVar("Dated", Law, Policy)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a city has: every version of laws and policies, the older first, and the newest of each
    calendar.
    """

    laws: Sequence[Law] = ()
    policies: Sequence[Policy] = ()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a file brings; policies and calendars by their places in it."""

    law: Law | None = None
    policies: Mapping[int, Policy] = field(default_factory=dict)
    calendars: Mapping[int, Calendar] = field(default_factory=dict)


def term_faults(draft: Drafted, agreed: Agreed) -> Iterator[Fault]:
    """What stands against the law's terms, each once: a policy without the stage, not of whole
    days, of a stage that is a service's to promise, or that begins after the law does; a calendar
    whose days are not counted whole.
    """
    calendars = {**agreed.calendars, **{one.code: one for one in draft.calendars.values()}}
    found = _all(draft, agreed, calendars)
    yield from {(fault.pointer, fault.rule): fault for fault in found}.values()


def _all(draft: Drafted, agreed: Agreed, calendars: Mapping[str, Calendar]) -> Iterator[Fault]:
    law = draft.law
    policies = [*agreed.policies, *draft.policies.values()]
    laws = [*agreed.laws, *([law] if law else [])]
    if law is not None:
        yield from _of_law(law, policies, calendars)
    for place, policy in draft.policies.items():
        for one in _counting(laws, policy.effective_from):
            if one is not law and policy.code in one.policies():
                considered = _considered(one, policy.code)
                yield from _of_policy(policy, f"/policies/{place}/stages", considered, calendars)
    for place, calendar in draft.calendars.items():
        if calendar.code in _calendars(laws, policies) and not calendar.in_days:
            yield _partly(calendar, f"/calendars/{place}/hours")


def _of_law(
    law: Law, policies: Sequence[Policy], calendars: Mapping[str, Calendar]
) -> Iterator[Fault]:
    receipt = calendars.get(law.receipt.calendar)
    if receipt is not None and not receipt.in_days:
        yield _partly(receipt, "/law/receipt/calendar")
    named = [(f"/law/kinds/{n}/policy", k.policy) for n, k in enumerate(law.kinds.values())]
    for pointer, code in [("/law/threat/policy", law.threat.policy), *named]:
        versions = [policy for policy in policies if policy.code == code]
        begins = min((policy.effective_from for policy in versions), default=law.effective_from)
        if begins > law.effective_from:
            said = {"policy": code, "begins": begins, "law": law.effective_from}
            yield Fault(pointer, "begins-after-the-law", said)
        considered = pointer != "/law/threat/policy"
        for policy in _counting(versions, law.effective_from):
            yield from _of_policy(policy, pointer, considered, calendars)


def _of_policy(
    policy: Policy, pointer: str, considered: bool, calendars: Mapping[str, Calendar]
) -> Iterator[Fault]:
    """Of a policy that the law names; `considered`: for the term of a kind."""
    for promise in policy.promises:
        # An appeal has one clock of a stage, and that of its service would be the other.
        if promise.stage not in LAW_STAGES:
            said = {"policy": policy.code, "stage": str(promise.stage)}
            yield Fault(pointer, "not-of-the-law", said)
    if not considered:
        return
    if policy.promise(Stage.CONSIDER) is None:
        said = {"policy": policy.code, "stage": str(Stage.CONSIDER)}
        yield Fault(pointer, "no-such-term", said)
    for promise in policy.promises:
        if promise.within % DAY:
            within = format_duration(promise.within)
            yield Fault(pointer, "whole-days", {"policy": policy.code, "within": within})
        calendar = calendars.get(promise.calendar)
        if calendar is not None and not calendar.in_days:
            yield _partly(calendar, pointer)


def _partly(calendar: Calendar, pointer: str) -> Fault:
    return Fault(pointer, "parts-of-days", {"calendar": calendar.code})


def _considered(law: Law, code: str) -> bool:
    return any(rule.policy == code for rule in law.kinds.values())


def _calendars(laws: Iterable[Law], policies: Iterable[Policy]) -> frozenset[str]:
    """The codes of the calendars by which receipts and the terms of kinds are counted."""
    laws = list(laws)
    terms = [one for one in policies if any(_considered(law, one.code) for law in laws)]
    return frozenset(law.receipt.calendar for law in laws) | frozenset(
        promise.calendar for policy in terms for promise in policy.promises
    )


def _counting(versions: Iterable[Dated], since: date) -> list[Dated]:
    """Those in force on a day or taking effect later, of each day the last one given."""
    by_day = {one.effective_from: one for one in versions}
    earlier = max((day for day in by_day if day <= since), default=since)
    return [one for day, one in sorted(by_day.items()) if day >= earlier]
