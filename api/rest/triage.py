"""Triage: what a resident's words mean and what would follow, before anything is registered."""

from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.appeals import LocationBody
from api.rest.catalogue import ServiceBrief, service_brief
from api.rest.incident_views import KnownIncident, known_at
from api.rest.operation import Call, Operation, Reply
from api.rest.views import LocationView, Named, location_view, organisation_name
from domain.access import Permission, Role
from domain.appeals.commands import Whereabouts
from domain.appeals.model import Channel, Kind
from domain.catalogue.localised import localise
from domain.incidents.matching import SOON
from domain.law.kinds import AppealKind
from domain.sla.clock import Clock
from domain.sla.durations import format_duration
from domain.triage.model import Model
from domain.triage.ranking import Ranked
from domain.triage.use_cases import Advice, Candidate, Question, advise
from domain.values import Language, in_language


class TriageBody(f.Body):
    """The resident's words, in kk, ru, both mixed or misspelt, and where it is, if they said.

    `channel` is that by which they come: without one a resident's own is `web`, and staff's
    `phone`. `language` is the resident's, where it is known; else it is read from the words.
    `kind`, `appeal_kind`, `anonymous` and `reports_threat` are what the appeal would say: the
    law's terms hang on them (docs/law.md), and those that hang on the kind are told where it is.
    """

    text: f.LongText
    location: LocationBody | None = None
    channel: Channel | None = None
    language: Language | None = None
    limit: f.Few = 5
    kind: Kind | None = None
    appeal_kind: AppealKind | None = None
    anonymous: bool = False
    reports_threat: bool = False


class WhyView(TypedDict):
    """What spoke for a service: words of the text, the trained model, the catalogue's search.
    `lifted`: it may be an emergency, and was moved up so that nobody overlooks it.
    """

    words: list[str]
    model: bool
    search: bool
    lifted: bool


class ExecutorView(TypedDict):
    """Who would act, by the rules by which appeals are routed; nobody means the inspectors."""

    organisation: Named | None
    reason: str


class PromiseView(TypedDict):
    """A stage that would be promised now, and when it would be due (`within` is ISO 8601);
    `consider` and `redirect` are the law's.
    """

    stage: str
    within: str
    due_at: datetime
    policy: str
    policy_version: int


class CandidateView(TypedDict):
    """A service that may be meant. `score` is its share of all the evidence, 0 to 1.

    The answer at first contact and the questions (JSON Schema 2020-12, None where there are
    none) are in the resident's language. `incidents`: what is known of this service at the place;
    an appeal about it would find the same, but for what is `coming`.
    """

    service: ServiceBrief
    score: float
    why: WhyView
    first_call_answer: str | None
    questions: dict[str, Any] | None
    executor: ExecutorView
    promises: list[PromiseView]
    incidents: list[KnownIncident]


class ModelView(TypedDict):
    """Which model answered. `current`: it was trained on the catalogue as it stands."""

    name: str
    sha256: str
    current: bool


class TriageView(TypedDict):
    """What the words may mean, the likeliest first; no services where nothing was understood.

    `emergency`: danger is among what may be meant; ask about it first. `incidents`: every outage
    and other incident known at the place, of whichever service, and what begins there within a
    week (`coming`, with its time).
    """

    language: str
    emergency: bool
    place: LocationView
    incidents: list[KnownIncident]
    services: list[CandidateView]
    model: ModelView


async def triage(call: Call) -> Reply:
    """What the words may mean."""
    body: TriageBody = call.body
    reference, own = call.reference, call.principal.role is Role.CITIZEN
    model = call.house.models.of(reference.city.code)
    question = Question(
        text=body.text,
        where=body.location.whereabouts() if body.location else Whereabouts(),
        channel=body.channel or (Channel.WEB if own else Channel.PHONE),
        language=body.language,
        otherwise=Language(call.language),
        limit=body.limit,
        kind=body.kind,
        appeal_kind=body.appeal_kind,
        anonymous=body.anonymous,
        reports_threat=body.reports_threat,
    )
    advice = advise(
        question, principal=call.principal, reference=reference, model=model, at=call.at
    )
    return Reply(_view(advice, model, call), headers={"cache-control": "no-store"})


def _view(advice: Advice, model: Model, call: Call) -> TriageView:
    return {
        "language": advice.language,
        "emergency": advice.emergency,
        "place": location_view(advice.place, shown=True),
        "incidents": known_at(call, None, advice.place, call.at, ahead=SOON),
        "services": [_candidate(one, advice, call) for one in advice.candidates],
        "model": {
            "name": model.name,
            "sha256": model.sha256,
            "current": call.house.models.current(model, call.reference),
        },
    }


def _candidate(candidate: Candidate, advice: Advice, call: Call) -> CandidateView:
    language = advice.language
    service, organisation = candidate.ranked.service, candidate.route.organisation
    answer, form = service.first_call_answer, service.form
    named = organisation and organisation_name(organisation, call.reference, call.language)
    return {
        "service": service_brief(service, call.language),
        "score": candidate.ranked.share,
        "why": _why(candidate.ranked),
        "first_call_answer": in_language(answer, language) if answer else None,
        "questions": localise(form, language) if form is not None else None,
        "executor": {"organisation": named or None, "reason": candidate.route.reason},
        "promises": [_promise(clock) for clock in candidate.clocks],
        "incidents": known_at(call, service.code, advice.place, call.at, ahead=SOON),
    }


def _why(ranked: Ranked) -> WhyView:
    return {
        "words": list(ranked.words),
        "model": ranked.by_model,
        "search": ranked.by_search,
        "lifted": ranked.lifted,
    }


def _promise(clock: Clock) -> PromiseView:
    return {
        "stage": clock.stage,
        "within": format_duration(clock.target),
        "due_at": clock.due_at,
        "policy": clock.policy,
        "policy_version": clock.policy_version,
    }


OPERATIONS = (
    Operation(
        "triage", "POST", "/v1/triage", "Triage",
        "Ask what a resident's words mean and what would follow; nothing is registered",
        reads=triage, permission=Permission.REGISTER_APPEAL, body=TriageBody, answer=TriageView,
    ),
)  # fmt: skip
