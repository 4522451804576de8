"""What may be one problem: appeals like a given one, and groups for the inspectors to join."""

import asyncio
from datetime import datetime
from statistics import fmean
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.incident_views import CodeAndName, service_code
from api.rest.incidents import MOST_NUMBERS
from api.rest.operation import Call, Operation, Reply
from domain.access import Permission
from domain.incidents.likeness import Sighting, alike, cell_of, clusters, words_alike
from domain.organisations.model import Location
from domain.values import Coordinates

SAMPLE = 20
"""Members of a group whose words are compared with the first one's."""

_AtLeast = Annotated[int, Field(ge=2, le=100), BeforeValidator(f.digits)]


class SimilarQuery(f.Query):
    """How many to show."""

    limit: f.ShortLimit = 20


class SuggestionsQuery(f.Query):
    """How large a group must be, of which service, and how many groups to show."""

    at_least: _AtLeast = 3
    service: f.Code | None = None
    limit: f.ShortLimit = 20


class SimilarAppeal(TypedDict):
    """An open appeal that may be about the same problem. `score` and `words` are of 100: in all,
    and of the words alone."""

    number: str
    service: CodeAndName
    registered_at: datetime
    incident: UUID | None
    score: float
    words: float


class SimilarList(TypedDict):
    """The likeliest first."""

    items: list[SimilarAppeal]


class Suggestion(TypedDict):
    """Open appeals about one service, near one another in place and time. `appeals` are the
    numbers of the first hundred of `count`, `words` (of 100) how alike a sample of them is in
    words; `incident` a live one there to which they may be joined, if there is one."""

    service: CodeAndName
    count: int
    appeals: list[str]
    first_at: datetime
    last_at: datetime
    district: str | None
    words: float
    text: str
    incident: UUID | None


class SuggestionList(TypedDict):
    """The largest group first."""

    items: list[Suggestion]


async def list_similar(call: Call) -> Reply:
    """Open appeals that may be about the same problem."""
    appeal = await call.house.queries.appeal(call.principal, call.path["number"])
    point = appeal.place.coordinates
    if point is None:
        return Reply({"items": []})
    neighbours = call.reference.catalogue.of_category(appeal.category)
    services = {appeal.service, *(one.code for one in neighbours)}
    asked = Sighting(
        appeal.id, appeal.number, appeal.service, appeal.category, appeal.criticality,
        cell_of(point), appeal.registered_at, appeal.text,
    )  # fmt: skip
    found = [
        (likeness, other, incident)
        for other, incident in await call.house.likeness.near(call.principal, appeal, services)
        if (likeness := alike(asked, other)) is not None
    ]
    found.sort(key=lambda one: (-one[0].score, one[1].registered_at))
    return Reply(
        {
            "items": [
                {
                    "number": other.number,
                    "service": service_code(other.service, call.reference, call.language),
                    "registered_at": other.registered_at,
                    "incident": incident,
                    "score": likeness.score,
                    "words": likeness.words,
                }
                for likeness, other, incident in found[: call.query.limit]
            ]
        }
    )


async def list_suggestions(call: Call) -> Reply:
    """Groups of open appeals that may be one problem each."""
    query: SuggestionsQuery = call.query
    sightings = await call.house.likeness.unjoined(call.principal, call.at)
    wanted = [one for one in sightings if query.service in (None, one.service)]
    # Of a storm it takes longer than anybody else should wait.
    groups = (await asyncio.to_thread(clusters, wanted, query.at_least))[: query.limit]
    samples = [one.id for group in groups for one in group[:SAMPLE]]
    details = await call.house.likeness.details(call.principal, samples)
    return Reply({"items": [_suggestion(group, details, call) for group in groups]})


def _suggestion(group: tuple[Sighting, ...], details: Any, call: Call) -> Suggestion:
    first = details[group[0].id]
    others = [details[one.id]["text"] for one in group[1:SAMPLE]]
    live = call.reference.incidents.at(_place(first), call.at, service=group[0].service)
    return {
        "service": service_code(group[0].service, call.reference, call.language),
        "count": len(group),
        "appeals": [one.number for one in group[:MOST_NUMBERS]],
        "first_at": group[0].registered_at,
        "last_at": group[-1].registered_at,
        "district": first["district"],
        "words": round(fmean(words_alike(first["text"], text) for text in others), 1),
        "text": first["text"],
        "incident": live[0].id if live else None,
    }


def _place(row: Any) -> Location:
    point = Coordinates(row["latitude"], row["longitude"])
    return Location(row["building_id"], row["street_id"], row["district"], point)


OPERATIONS = (
    Operation(
        "listSimilarAppeals", "GET", "/v1/appeals/{number}/similar", "Incidents",
        "Find open appeals that may be about the same problem",
        reads=list_similar, permission=Permission.READ_INTERNAL, query=SimilarQuery,
        answer=SimilarList, refusals=(404,),
    ),
    Operation(
        "listIncidentSuggestions", "GET", "/v1/incidents/suggestions", "Incidents",
        "Find groups of open appeals that may be one problem each",
        reads=list_suggestions, permission=Permission.ASSIGN, query=SuggestionsQuery,
        answer=SuggestionList,
    ),
)  # fmt: skip
