"""Asked before anything is registered: what is meant, who would act, and by when."""

from dataclasses import dataclass
from datetime import datetime

from domain.access import Permission, Principal, Role
from domain.appeals import terms
from domain.appeals.commands import Whereabouts
from domain.appeals.intake import find_route, foreign_channel
from domain.appeals.legal import Said
from domain.appeals.model import Channel, Kind, Place
from domain.appeals.places import locate
from domain.errors import Invalid
from domain.law.kinds import AppealKind
from domain.organisations.routing import Route
from domain.reference import Reference
from domain.sla.clock import Clock
from domain.triage.model import Model
from domain.triage.ranking import Audience, Ranked, rank
from domain.values import Language


@dataclass(frozen=True, slots=True)
class Question:
    """What a resident says, where it is (if they said), and by which channel they came.

    `language` is theirs, where the caller knows it; `otherwise` where nobody can tell. What the law
    promises hangs on what they want (`kind`), on what their appeal is before the law where staff
    know (`appeal_kind`), and on whether they say who they are.
    """

    text: str
    where: Whereabouts
    channel: Channel
    language: Language | None
    otherwise: Language
    limit: int
    kind: Kind | None = None
    appeal_kind: AppealKind | None = None
    anonymous: bool = False
    reports_threat: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A service that may be meant, with what its registration would lead to at this moment."""

    ranked: Ranked
    route: Route
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer. `place` is what the city knows of where; empty when nothing was said."""

    language: Language
    emergency: bool
    place: Place
    candidates: tuple[Candidate, ...]


def advise(
    question: Question, *, principal: Principal, reference: Reference, model: Model, at: datetime
) -> Advice:
    """What the words may mean and what would follow; nothing is kept.

    Executor and terms, the law's among them, come from the functions that registering uses, so that
    what is said here is what is done there. Raises NotPermitted, or Invalid as registering does:
    for a place, a channel, and a resident who says what their appeal is before the law.
    """
    principal.require(Permission.REGISTER_APPEAL)
    if principal.role is Role.CITIZEN:
        if question.appeal_kind is not None:
            raise Invalid.at("/appeal_kind", "staff-only")
        if faults := foreign_channel(question.channel):
            raise Invalid(faults)
    place = locate(question.where, reference)
    audience = Audience(
        public_only=not principal.may(Permission.REGISTER_FOR_OTHERS),
        day=reference.city.local(at).date(),
        language=question.language or question.otherwise,
    )
    ranking = rank(
        question.text, model, reference.catalogue, reference.search, audience, question.limit
    )
    return Advice(
        language=question.language or ranking.language,
        emergency=ranking.emergency,
        place=place,
        candidates=tuple(
            _candidate(one, place, question, reference, at) for one in ranking.services
        ),
    )


def _candidate(
    ranked: Ranked, place: Place, question: Question, reference: Reference, at: datetime
) -> Candidate:
    service = ranked.service
    said = Said(
        kind=question.appeal_kind,
        channel=question.channel,
        wish=question.kind,
        service=service.code,
        nameless=question.anonymous,
        threat=question.reports_threat,
        received_at=at,
        day=reference.city.local(at).date(),
    )
    return Candidate(
        ranked=ranked,
        route=find_route(service, place, reference, at),
        clocks=terms.begin(said, service.policy, reference, at=at).clocks,
    )
