"""The law of a city's register as data: terms, articles, and which appeal is which kind.

Nothing of the code says fifteen days: catalogues/law/kz.yaml does, a version for each wording of
the law, and a policy (domain/sla/policy.py) for each term. An appeal keeps the version that it
was registered under.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from domain.law.kinds import AppealKind
from domain.values import LocalizedText


@dataclass(frozen=True, slots=True)
class Receipt:
    """When an appeal counts as received (Art. 64): on the day it comes, until a time of the
    city's clock; later, or on a day off of `calendar`, on the nearest working day.
    """

    calendar: str
    until: time
    article: str


@dataclass(frozen=True, slots=True)
class KindRule:
    """What a kind is called, which policy has its terms, and where the law says so.

    `source` is 'read' where the term was read in a public text, 'recalled' where a lawyer has
    yet to say so.
    """

    kind: AppealKind
    names: LocalizedText
    policy: str
    article: str
    prolongable: bool
    source: str


@dataclass(frozen=True, slots=True)
class Prolongation:
    """How far the head may put a term off (Art. 76): months beyond it, and within how many
    working days the applicant is told.
    """

    months: int
    notice_days: int
    article: str


@dataclass(frozen=True, slots=True)
class HearingRule:
    """How many working days lie between the notice and an adverse act (Arts. 72-74), and how
    many the applicant has to object.
    """

    notice_days: int
    objection_days: int
    article: str


@dataclass(frozen=True, slots=True)
class ThreatRule:
    """What is done with an anonymous report of a crime or a threat: its policy, at once.

    `services` are those whose appeals are such reports whoever says so.
    """

    policy: str
    article: str
    services: frozenset[str]


@dataclass(frozen=True, slots=True)
class IntakeRule:
    """Which new appeals are of a kind unless somebody says otherwise; what is empty fits all.

    `kind` None: they are none before the law, but requests for service.
    """

    kind: AppealKind | None
    channels: frozenset[str]
    kinds: frozenset[str]
    services: frozenset[str]

    def fits(self, channel: str, kind: str | None, service: str) -> bool:
        """Whether the rule speaks of such an appeal; `kind` None: of what nobody said."""
        return (
            (not self.channels or channel in self.channels)
            and (not self.kinds or kind in self.kinds)
            and (not self.services or service in self.services)
        )


@dataclass(frozen=True, slots=True)
class Law:
    """A version of the law, as the city's register applies it from a day on."""

    version: int
    code: str
    names: LocalizedText
    effective_from: date
    receipt: Receipt
    kinds: Mapping[AppealKind, KindRule]
    prolongation: Prolongation
    hearing: HearingRule
    threat: ThreatRule
    redirect_article: str
    intake: tuple[IntakeRule, ...]

    def kind_at_intake(self, channel: str, kind: str | None, service: str) -> AppealKind | None:
        """The kind of a new appeal by the first rule that fits; None where none does."""
        fitting = (rule.kind for rule in self.intake if rule.fits(channel, kind, service))
        return next(fitting, None)

    def policies(self) -> frozenset[str]:
        """The codes of all policies that hold its terms."""
        return frozenset({rule.policy for rule in self.kinds.values()} | {self.threat.policy})
