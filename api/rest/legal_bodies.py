"""What is said with the law's own acts: kind, prolongation, sending on, hearing, decision."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from api.rest import fields as f
from domain.appeals import commands as c
from domain.law.kinds import AppealKind
from domain.law.standing import Decision, HearingOutcome, HearingWay

Days = Annotated[int, Field(ge=1, le=90), BeforeValidator(f.whole)]


class ClassifyBody(f.Body):
    """What the appeal is before the law (null: a request for service and no more), and why.
    `threat`: an anonymous one that tells of a crime or a threat, so that it goes on at once.
    """

    kind: AppealKind | None
    reason: f.LongText
    threat: bool = False

    def command(self) -> c.Classify:
        """As the domain wants it."""
        return c.Classify(self.kind, self.reason, self.threat)


class ProlongBody(f.Body):
    """By how many working days the law's term is put off, and why; the applicant reads it."""

    days: Days
    reason: f.LongText

    def command(self) -> c.Prolong:
        """As the domain wants it."""
        return c.Prolong(self.days, self.reason)


class ForwardBody(f.Body):
    """To which body outside the register the appeal goes, and why; the applicant reads both."""

    body: f.Name
    reason: f.LongText

    def command(self) -> c.Forward:
        """As the domain wants it."""
        return c.Forward(self.body, self.reason)


class SummonBody(f.Body):
    """When and how the applicant is heard, and what is meant to be decided."""

    at: f.Instant
    way: HearingWay
    preliminary: f.LongText

    def command(self) -> c.Summon:
        """As the domain wants it."""
        return c.Summon(self.at, self.way, self.preliminary)


class HearBody(f.Body):
    """What came of the hearing, with its minutes."""

    outcome: HearingOutcome
    minutes: f.LongText

    def command(self) -> c.Hear:
        """As the domain wants it."""
        return c.Hear(self.outcome, self.minutes)


class DecideBody(f.Body):
    """The decision, and its text for the applicant."""

    decision: Decision
    text: f.LongText

    def command(self) -> c.Decide:
        """As the domain wants it."""
        return c.Decide(self.decision, self.text)
