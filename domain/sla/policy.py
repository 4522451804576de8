"""What the city promises for a service: stages, times, warnings and whom a breach wakes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from domain.sla.durations import format_duration
from domain.sla.rows import Row
from domain.values import LocalizedText

NOTHING = timedelta(0)


class Stage(StrEnum):
    """A promised step of a service, and the steps that the law sets a term for."""

    ANSWER = "answer"
    ARRIVE = "arrive"
    SECURE = "secure"
    RESOLVE = "resolve"
    CONSIDER = "consider"
    REDIRECT = "redirect"


LAW_STAGES = (Stage.CONSIDER, Stage.REDIRECT)
"""What the law promises beside the city: an appeal considered, and competence settled (taken, or
sent on to who is competent). The city's standards are all other stages.
"""


class Recipient(StrEnum):
    """Whom an escalation reaches."""

    HEAD = "head"
    INSPECTOR = "inspector"
    AKIM = "akim"
    EMERGENCY = "emergency"


class ReopenRule(StrEnum):
    """How long the next round lasts: what was left, the full promise, or no new round."""

    REMAINING = "remaining"
    FULL = "full"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Escalation:
    """One rung of the ladder: `after` the due time, in elapsed real time, `to` is told."""

    after: timedelta
    to: Recipient


@dataclass(frozen=True, slots=True)
class Promise:
    """One stage of a policy.

    `within` is counted in the working time of `calendar`; `warn_before` and the escalations in
    elapsed real time around the due time. `reopen_at_least` is the floor of a remaining round.
    `extend_at_most` is how far beyond `within` an inspector may let a round go; None: not at all.
    """

    stage: Stage
    within: timedelta
    calendar: str
    warn_before: timedelta | None
    reopen: ReopenRule
    reopen_at_least: timedelta
    emergency_on_breach: bool
    escalations: tuple[Escalation, ...]
    extend_at_most: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of a service's promises; a case keeps the version that it began under."""

    code: str
    version: int
    names: LocalizedText
    effective_from: date
    promises: tuple[Promise, ...]

    def promise(self, stage: Stage) -> Promise | None:
        """The promise of a stage, or None when the policy makes none."""
        return next((promise for promise in self.promises if promise.stage is stage), None)


def parse_policy(row: Mapping[str, object], *, version: int) -> Policy:
    """A policy of the catalogue's YAML form. Raises Invalid, every bad field by its pointer."""
    fields = Row(row)
    fields.only("code", "names", "effective_from", "stages")
    policy = Policy(
        code=fields.code("code"),
        version=version,
        names=fields.texts("names"),
        effective_from=fields.day("effective_from"),
        promises=_promises(fields),
    )
    fields.refuse()
    return policy


def _promises(fields: Row) -> tuple[Promise, ...]:
    promises: list[Promise] = []
    for pointer, item in fields.items("stages"):
        promise = _promise(Row(item, pointer, fields.faults))
        if any(earlier.stage is promise.stage for earlier in promises):
            fields.fault_at(f"{pointer}/stage", "repeated", value=promise.stage.value)
        promises.append(promise)
    if not promises and fields.required("stages"):
        fields.fault("stages", "empty")
    return tuple(promises)


def _promise(fields: Row) -> Promise:
    fields.only(
        "stage", "within", "calendar", "warn_before", "reopen", "emergency_on_breach",
        "escalations", "extend_at_most",
    )  # fmt: skip
    warned, extended = fields.has("warn_before"), fields.has("extend_at_most")
    rule, at_least = _reopen(fields.row("reopen") if fields.required("reopen") else Row({}))
    return Promise(
        stage=fields.choice("stage", Stage),
        within=fields.duration("within", positive=True),
        calendar=fields.code("calendar"),
        warn_before=fields.duration("warn_before", positive=True) if warned else None,
        reopen=rule,
        reopen_at_least=at_least,
        emergency_on_breach=fields.flag("emergency_on_breach"),
        escalations=_escalations(fields),
        extend_at_most=fields.duration("extend_at_most", positive=True) if extended else None,
    )


def _reopen(fields: Row) -> tuple[ReopenRule, timedelta]:
    """A remaining round needs a floor above zero, or a late case would reopen as breached."""
    fields.only("rule", "at_least")
    rule = fields.choice("rule", ReopenRule)
    if fields.has("rule") and rule is ReopenRule.REMAINING:
        return rule, fields.duration("at_least", positive=True)
    if fields.has("at_least"):
        fields.fault("at_least", "unexpected", rule=rule.value)
    return rule, NOTHING


def _escalations(fields: Row) -> tuple[Escalation, ...]:
    rungs: list[Escalation] = []
    for pointer, item in fields.items("escalations"):
        rung = Row(item, pointer, fields.faults)
        rung.only("after", "to")
        rungs.append(Escalation(rung.duration("after"), rung.choice("to", Recipient)))
    for place, (lower, upper) in enumerate(pairwise(rungs), start=1):
        if upper.after < lower.after:
            fields.fault_at(f"{fields.pointer}/escalations/{place}/after", "not-ascending")
    return tuple(rungs)


def policy_document(policy: Policy) -> dict[str, object]:
    """The YAML form of a policy, of JSON's types alone; `parse_policy` reads it back the same."""
    return {
        "code": policy.code,
        "names": dict(policy.names),
        "effective_from": policy.effective_from.isoformat(),
        "stages": [_stage_document(promise) for promise in policy.promises],
    }


def _stage_document(promise: Promise) -> dict[str, object]:
    document: dict[str, object] = {
        "stage": promise.stage.value,
        "within": format_duration(promise.within),
        "calendar": promise.calendar,
        "reopen": _reopen_document(promise),
        "emergency_on_breach": promise.emergency_on_breach,
        "escalations": [
            {"after": format_duration(rung.after), "to": rung.to.value}
            for rung in promise.escalations
        ],
    }
    if promise.warn_before is not None:
        document["warn_before"] = format_duration(promise.warn_before)
    if promise.extend_at_most is not None:
        document["extend_at_most"] = format_duration(promise.extend_at_most)
    return document


def _reopen_document(promise: Promise) -> dict[str, str]:
    floor = {"at_least": format_duration(promise.reopen_at_least)}
    return {"rule": promise.reopen.value} | (floor if promise.reopen_at_least else {})
