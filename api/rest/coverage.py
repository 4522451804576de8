"""Where the routing leaves somebody alone, and how to mend it."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.operation import Call, Operation, Reply
from api.rest.views import Named, organisation_name
from api.routing_words import describe, rule_words
from domain.access import Permission, Principal
from domain.organisations.findings import Area, Finding, Lack, Severity
from domain.organisations.returns import DAYS, LONGEST
from domain.organisations.survey import MOST_NAMED
from domain.questions import Page
from domain.reference import Reference


class CoverageQuery(f.Query):
    """Which findings; conditions are joined by 'and'."""

    service: f.Code | None = None
    sphere: f.Code | None = None
    district: f.Code | None = None
    severity: Severity | None = None
    lack: Lack | None = None
    days: Annotated[int, Field(ge=0, le=LONGEST), BeforeValidator(f.digits)] = DAYS
    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class SubjectView(TypedDict):
    """What is to be mended."""

    kind: str
    code: str
    name: str


class AreaView(TypedDict):
    """The houses concerned: how many, and the first of them."""

    kind: Literal["city", "district", "street", "territory", "buildings"]
    code: str
    name: str
    districts: list[str]
    houses: int
    buildings: list[UUID]


class RuleName(TypedDict):
    """A rule and what it says in short."""

    responsibility: UUID
    name: str


class FindingView(TypedDict):
    """One thing that is wrong with the routing. `rules` shows the first of them."""

    id: UUID
    lack: Lack
    severity: Severity
    subject: SubjectView
    area: AreaView | None
    services: list[str]
    rules: list[RuleName]
    organisations: list[Named]
    what: str
    mend: str


class CoveragePage(TypedDict):
    """Findings, errors first, under the `version` of the city's agreements on a `day`; among them
    the circles that appeals which the caller sees were passed round in, in the last days.

    `errors` and `warnings` count all that the conditions let through.
    """

    version: int
    day: date
    errors: int
    warnings: int
    items: list[FindingView]
    next: str | None


async def read_coverage(call: Call) -> Reply:
    """What is wrong with the routing today."""
    query: CoverageQuery = call.query
    reference, keyring = call.reference, call.house.keyring
    # In a thread: a city that was not checked yet takes part of a second, the loop goes on.
    of_rules = await asyncio.to_thread(call.house.checks.of, reference, call.at)
    of_appeals = await call.house.returns.of(call.principal, reference, query.days, call.at)
    everything = (*of_rules, *of_appeals)
    found = [each for each in everything if _fits(each, query, call.principal, reference)]
    found.sort(key=lambda each: each.order)
    start = _start(found, read_cursor(query.cursor, keyring, lambda page: page.mark.isdecimal()))
    items = found[start : start + query.limit]
    after = start + len(items)
    errors = sum(each.severity is Severity.ERROR for each in found)
    return Reply(
        {
            "version": reference.version,
            "day": reference.city.local(call.at).date(),
            "errors": errors,
            "warnings": len(found) - errors,
            "items": [finding_view(each, reference, call.language) for each in items],
            "next": (
                write_cursor(call.at, items[-1].id, keyring, str(after))
                if after < len(found)
                else None
            ),
        }
    )


def _start(found: Sequence[Finding], page: Page | None) -> int:
    """Where to go on: after the finding last shown, or at its place if it was mended since."""
    if page is None:
        return 0
    ids = [each.id for each in found]
    return ids.index(page.id) + 1 if page.id in ids else int(page.mark)


def _fits(
    finding: Finding, query: CoverageQuery, principal: Principal, reference: Reference
) -> bool:
    # An akim of a district looks after the district and what lies in it.
    districts = principal.confined
    own = districts is None or not districts.isdisjoint(finding.districts)
    return (
        own
        and query.severity in (None, finding.severity)
        and query.lack in (None, finding.lack)
        and (query.service is None or query.service in finding.services)
        and (query.district is None or query.district in finding.districts)
        and (query.sphere is None or query.sphere in _spheres(finding, reference))
    )


def _spheres(finding: Finding, reference: Reference) -> set[str]:
    named = {finding.subject[1]} if finding.subject[0] == "sphere" else set()
    known = (code for code in finding.services if code in reference.catalogue)
    return named | {reference.catalogue.service(code).sphere for code in known}


def finding_view(finding: Finding, reference: Reference, language: str) -> FindingView:
    """A finding in the reader's language."""
    words = describe(finding, reference, language)
    kind, code = finding.subject
    return {
        "id": finding.id,
        "lack": finding.lack,
        "severity": finding.severity,
        "subject": {"kind": kind, "code": code, "name": words.subject},
        "area": _area(finding.area, words.area),
        "services": list(finding.services),
        "rules": [
            {"responsibility": rule, "name": rule_words(rule, reference, language)}
            for rule in finding.rules[:MOST_NAMED]
        ],
        "organisations": [
            organisation_name(each, reference, language) for each in finding.organisations
        ],
        "what": words.what,
        "mend": words.mend,
    }


def _area(area: Area | None, name: str) -> Any:
    return area and {
        "kind": area.kind,
        "code": area.code,
        "name": name,
        "districts": list(area.districts),
        "houses": len(area.buildings),
        "buildings": list(area.buildings[:MOST_NAMED]),
    }


OPERATIONS = (
    Operation(
        "readCoverage", "GET", "/v1/routing/coverage", "Organisations",
        "See which services and addresses nobody answers for, and what else is wrong with the"
        " routing",
        reads=read_coverage, permission=Permission.CHECK_ROUTING, query=CoverageQuery,
        answer=CoveragePage,
    ),
)  # fmt: skip
