"""How an appeal stands before the law, and which of law and city leads, as the API shows it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from api import law_texts
from api.rest import phrases
from domain.appeals.model import COUNTING, Appeal
from domain.law.standing import Legal
from domain.reference import Reference
from domain.sla.clock import Clock
from domain.sla.policy import LAW_STAGES, Stage
from domain.values import in_language


class HearingView(TypedDict):
    """The hearing before an adverse decision; `earliest` is when the notice of it has run."""

    notified_at: datetime
    at: datetime
    way: str
    earliest: datetime
    outcome: str | None
    recorded_at: datetime | None


class LegalView(TypedDict):
    """What an appeal is before the law. `received` is the day from which it counts, `last_day`
    the term's own last day, `prolonged` the working days that the head or the state added.
    `considered` false: anonymous, so that the law owes no consideration. `state_deadline`: the day
    that the national register set itself.
    """

    kind: str
    name: str
    article: str
    law_version: int
    received: date
    last_day: date | None
    considered: bool
    threat: bool
    prolonged: int
    prolongations: int
    forwarded_to: str | None
    hearing: HearingView | None
    decision: str | None
    state_deadline: datetime | None


class LeadingView(TypedDict):
    """The stricter of what the law and the city promise for the whole of an appeal, and why; `by`
    `state` where the national register has set a day that is earlier than both.
    """

    by: str
    stage: str
    due_at: datetime
    article: str | None
    sentence: str


def legal_view(
    legal: Legal | None, deadline: datetime | None, reference: Reference, language: str
) -> LegalView | None:
    """How the appeal stands before the law, and the state's own day (`deadline`); None for a
    request for service.
    """
    if legal is None:
        return None
    rule = reference.promises.laws[legal.law_version].kinds[legal.kind]
    return {
        "kind": legal.kind,
        "name": in_language(rule.names, language),
        "article": article_of(legal, reference),
        "law_version": legal.law_version,
        "received": legal.received,
        "last_day": legal.last_day,
        "considered": legal.considered,
        "threat": legal.threat,
        "prolonged": legal.prolonged,
        "prolongations": legal.prolongations,
        "forwarded_to": legal.forwarded_to,
        "hearing": _hearing(legal),
        "decision": legal.decision,
        "state_deadline": deadline,
    }


def _hearing(legal: Legal) -> HearingView | None:
    hearing = legal.hearing
    if hearing is None:
        return None
    return {
        "notified_at": hearing.notified_at,
        "at": hearing.at,
        "way": hearing.way,
        "earliest": hearing.earliest,
        "outcome": hearing.outcome,
        "recorded_at": hearing.recorded_at,
    }


def article_of(legal: Legal, reference: Reference) -> str:
    """The article that sets the term."""
    law = reference.promises.laws[legal.law_version]
    return law.threat.article if legal.threat else law.kinds[legal.kind].article


def article_of_clock(clock: Clock, appeal: Appeal, reference: Reference) -> str | None:
    """The article behind a clock of the law; None for the city's own."""
    if clock.stage not in LAW_STAGES or appeal.legal is None:
        return None
    law = reference.promises.laws[appeal.legal.law_version]
    if clock.stage is Stage.REDIRECT and not appeal.legal.threat:
        return law.redirect_article
    return article_of(appeal.legal, reference)


def side_of(clock: Clock) -> str:
    """Whose promise it is."""
    return "law" if clock.stage in LAW_STAGES else "standard"


def leading_view(appeal: Appeal, reference: Reference, language: str) -> LeadingView | None:
    """Which promise leads; None where neither law nor city promises anything still."""
    clock = appeal.leading
    if clock is None:
        return None
    other = appeal.clock(Stage.RESOLVE if clock.stage is Stage.CONSIDER else Stage.CONSIDER)
    counts = other is not None and other.state in COUNTING
    zone = reference.city.zone_info()
    if (earlier := appeal.state_leads) is not None:
        return {
            "by": "state",
            "stage": Stage.CONSIDER,
            "due_at": earlier,
            "article": None,
            "sentence": law_texts.LEADS["state"][language].format(
                due=phrases.moment(earlier, zone, language), other=_moment(clock, zone, language)
            ),
        }
    article = article_of(appeal.legal, reference) if appeal.legal else None
    said = side_of(clock) + ("" if counts else "-alone")
    return {
        "by": side_of(clock),
        "stage": clock.stage,
        "due_at": clock.due_at,
        "article": article if clock.stage is Stage.CONSIDER else None,
        "sentence": law_texts.LEADS[said][language].format(
            due=_moment(clock, zone, language),
            other=_moment(other, zone, language) if other else "",
            article=article or "",
        ),
    }


def _moment(clock: Clock, zone: ZoneInfo, language: str) -> str:
    return phrases.moment(clock.due_at, zone, language)
