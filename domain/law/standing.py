"""How one appeal stands before the law: its kind, the day of its receipt, and what was done."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.law.kinds import AppealKind


class HearingWay(StrEnum):
    """How the applicant is heard (Art. 73)."""

    IN_PERSON = "in_person"
    VIDEO = "video"
    WRITTEN = "written"


class HearingOutcome(StrEnum):
    """What came of it: they were heard, did not come, or did not want to be heard."""

    HELD = "held"
    ABSENT = "absent"
    WAIVED = "waived"


class Decision(StrEnum):
    """How the body answers an appeal: in the words of the national register."""

    FAVOURABLE = "favourable"
    """A favourable administrative act (благоприятный)."""
    ADVERSE = "adverse"
    """A burdensome one (обременяющий), a refusal among them: never without a hearing."""
    ANSWERED = "answered"
    NOTED = "noted"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class Hearing:
    """The applicant was told at `notified_at` what is meant to be decided, and is heard at `at`.

    `earliest` is the end of the notice: no adverse act before it. `outcome` None: yet to come.
    """

    notified_at: datetime
    at: datetime
    way: HearingWay
    earliest: datetime
    outcome: HearingOutcome | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Legal:
    """An appeal before the law, by the version of it that it was registered under.

    `considered` False: anonymous, so that the law owes no consideration; the city's own standards
    stand all the same. `threat`: anonymous, but of a crime or a threat, so that it goes on at
    once. `last_day` is that of the term as the law sets it, before any prolongation; `prolonged`
    counts the working days that the head added, or the state, in `prolongations` acts.
    """

    kind: AppealKind
    law_version: int
    received: date
    considered: bool = True
    threat: bool = False
    last_day: date | None = None
    prolonged: int = 0
    prolongations: int = 0
    forwarded_to: str | None = None
    hearing: Hearing | None = None
    decision: Decision | None = None
