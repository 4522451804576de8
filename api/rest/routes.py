"""Why an appeal goes, or went, where it did."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply
from api.rest.organisations import RoutingQuery, asked
from api.rest.views import Named, known_organisation, known_to, organisation_name
from api.routing_texts import REASONS, VERDICTS
from api.routing_words import rule_words
from domain.access import Permission
from domain.appeals.model import Place
from domain.appeals.routes import Decision, Move, decision, explain_route, moves
from domain.catalogue.model import Service
from domain.organisations.routing import Explanation
from domain.organisations.rules import Verdict
from domain.values import in_language

SHOWN = 20
"""Rules of each kind that an explanation names."""
_PAGE = 1000


class ExplainQuery(RoutingQuery):
    """What, where and when; and whose rules to look for among those that did not fit."""

    at: f.Instant | None = None
    organisation: f.Id | None = None


class RuleView(TypedDict):
    """A rule, what became of it, and why."""

    responsibility: UUID
    name: str
    selector: str | None
    territory: str | None
    priority: int | None
    calendar: str | None
    organisation: Named | None
    fallback: Named | None
    verdict: Verdict
    why: str


class RuleCount(TypedDict):
    """How many rules did not fit, and the first of them."""

    count: int
    rules: list[RuleView]


class ExplanationView(TypedDict):
    """Who would get such an appeal, and every rule that had a say.

    `considered` were asked in turn, the last one won; `unasked` fit as well and come after it.
    `elsewhere` are rules of the service for other places, `other` rules of the place for other
    services. `version` is that of the city's agreements.
    """

    version: int
    at: datetime
    service: str
    organisation: Named | None
    reason: str
    why: str
    responsibility: UUID | None
    considered: list[RuleView]
    unasked: list[RuleView]
    elsewhere: RuleCount
    other: RuleCount


class DecisionView(TypedDict):
    """What was decided at registration; `version` is None in old events, which do not tell."""

    at: datetime
    organisation: Named | None
    reason: str
    why: str
    responsibility: UUID | None
    rule: str | None
    version: int | None


class MoverView(TypedDict):
    """Who did it."""

    role: str
    id: UUID | None
    organisation: UUID | None


class MoveView(TypedDict):
    """A later step from executor to executor, with the words of who took it."""

    type: str
    at: datetime
    actor: MoverView
    former: Named | None
    organisation: Named | None
    reason: str | None


class AppealRouteView(TypedDict):
    """Why an appeal went where it went, and where it would go now."""

    number: str
    decided: DecisionView | None
    moves: list[MoveView]
    now: ExplanationView | None


async def explain(call: Call) -> Reply:
    """Why such an appeal would go where it would go."""
    query: ExplainQuery = call.query
    service, place = asked(query, call.reference)
    if query.organisation is not None:
        known_organisation(query.organisation, call.reference)
    return Reply(_explained(service, place, query.at or call.at, call, query.organisation))


def _explained(
    service: Service, place: Place, at: datetime, call: Call, firm: UUID | None = None
) -> dict[str, Any]:
    told = explain_route(service, place, call.reference, at)
    route = told.route
    return {
        "version": call.reference.version,
        "at": at,
        "service": service.code,
        "organisation": _named(route.organisation, call),
        "reason": route.reason,
        "why": in_language(REASONS[route.reason], call.language),
        "responsibility": route.responsibility,
        "considered": [_rule(each.responsibility, each.verdict, call) for each in route.considered],
        "unasked": [_rule(each, _beaten(told), call) for each in told.unasked[:SHOWN]],
        "elsewhere": _counted(told.elsewhere, Verdict.OTHER_TERRITORY, call, firm),
        "other": _counted(told.other, Verdict.OTHER_SERVICE, call, firm),
    }


def _beaten(told: Explanation) -> Verdict:
    return Verdict.NOT_ASKED if told.route.responsibility is None else Verdict.OUTRANKED


def _counted(
    rules: Iterable[UUID], verdict: Verdict, call: Call, firm: UUID | None
) -> dict[str, Any]:
    known = call.reference.routing.responsibilities
    fitting = [each for each in rules if firm in (None, known[each].organisation)]
    return {
        "count": len(fitting),
        "rules": [_rule(each, verdict, call) for each in fitting[:SHOWN]],
    }


def _rule(id: UUID, verdict: Verdict, call: Call) -> dict[str, Any]:
    routing = call.reference.routing
    rule = routing.responsibilities[id]
    return {
        "responsibility": id,
        "name": rule_words(id, call.reference, call.language),
        "selector": rule.selector,
        "territory": routing.territories[rule.territory].code,
        "priority": rule.priority,
        "calendar": rule.calendar,
        "organisation": _named(rule.organisation, call),
        "fallback": _named(rule.fallback, call),
        "verdict": verdict,
        "why": in_language(VERDICTS[verdict], call.language),
    }


def _named(organisation: UUID | None, call: Call) -> Any:
    return organisation and organisation_name(organisation, call.reference, call.language)


async def read_route(call: Call) -> Reply:
    """Why the appeal went where it went, and where it would go now."""
    number = call.path["number"]
    appeal = await call.house.queries.appeal(call.principal, number)
    documents = await _history(call, number)
    told = decision(documents)
    known = appeal.service in call.reference.catalogue
    service = call.reference.catalogue.service(appeal.service) if known else None
    return Reply(
        {
            "number": appeal.number,
            "decided": told and _decided(told, call),
            "moves": [_moved(each, call) for each in moves(documents)],
            "now": service and _explained(service, appeal.place, call.at, call),
        }
    )


async def _history(call: Call, number: str) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = []
    while True:
        page = await call.house.queries.events(
            call.principal, number, internal=True, after=len(documents), limit=_PAGE
        )
        documents += page
        if len(page) < _PAGE:
            return documents


def _decided(told: Decision, call: Call) -> dict[str, Any]:
    rule = told.responsibility
    return {
        "at": told.at,
        "organisation": _named(told.organisation, call),
        "reason": told.reason,
        "why": in_language(REASONS[told.reason], call.language),
        "responsibility": rule,
        "rule": rule and rule_words(rule, call.reference, call.language),
        "version": told.reference,
    }


def _moved(move: Move, call: Call) -> dict[str, Any]:
    actor = move.actor
    return {
        "type": move.type,
        "at": move.at,
        "actor": {**actor, "id": known_to(call.principal, UUID(actor["id"]), actor["role"])},
        "former": _named(move.former, call),
        "organisation": _named(move.organisation, call),
        "reason": move.reason,
    }


OPERATIONS = (
    Operation(
        "explainRoute", "GET", "/v1/routing/explain", "Organisations",
        "See why an appeal about a service at a place would go where it would go",
        reads=explain, permission=Permission.READ_ORGANISATIONS, query=ExplainQuery,
        answer=ExplanationView, refusals=(404, 422),
    ),
    Operation(
        "readAppealRoute", "GET", "/v1/appeals/{number}/route", "Appeals",
        "See why an appeal went where it went, and where it would go now",
        reads=read_route, permission=Permission.READ_ORGANISATIONS, answer=AppealRouteView,
        refusals=(404,),
    ),
)  # fmt: skip
