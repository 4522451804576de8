"""The history of an appeal, event by event; what names the applicant stays behind `…/applicant`."""

from typing import Any
from uuid import UUID

from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply
from api.rest.views import known_to
from domain.access import Permission, Principal
from domain.events import AMONG_COLLEAGUES


class EventsQuery(f.Query):
    """Where the history goes on: after this sequence number."""

    after: f.Place = 0
    limit: f.Limit = 100


class ActorView(TypedDict):
    """Who caused an event. Residents are not told who of the staff it was, nor staff which
    resident: the appeal says who asks, unless they stay anonymous."""

    role: str
    id: UUID | None
    organisation: UUID | None


class EventView(TypedDict):
    """One fact in the life of an appeal, with its place in the chain."""

    id: UUID
    sequence: int
    type: str
    at: str
    actor: ActorView
    about: dict[str, Any]
    data: dict[str, Any]
    texts: dict[str, str]
    previous: str
    hash: str


class EventPage(TypedDict):
    """A page of the history, the oldest first; `next` is the `after` to go on with."""

    items: list[EventView]
    next: int | None


_HIDDEN = frozenset({"name", "phone", "email", "place", "author"})
"""What names somebody: an `author` is the resident whose word the state handed on, by name."""


async def list_events(call: Call) -> Reply:
    """The history; what names the applicant stays behind `…/applicant`."""
    query: EventsQuery = call.query
    found = await call.house.queries.events(
        call.principal,
        call.path["number"],
        internal=call.principal.may(Permission.READ_INTERNAL),
        after=query.after,
        limit=query.limit + 1,
    )
    items = [event_view(document, call.principal) for document in found[: query.limit]]
    more = len(found) > query.limit
    return Reply({"items": items, "next": items[-1]["sequence"] if more else None})


def event_view(document: dict[str, Any], principal: Principal) -> dict[str, Any]:
    """A fact of the history as the principal may see it."""
    inside = principal.may(Permission.READ_INTERNAL)
    hidden = _HIDDEN if inside else _HIDDEN | {AMONG_COLLEAGUES.get(document["type"])}
    actor = document["actor"]
    names = ("id", "sequence", "type", "at", "about", "data", "previous", "hash")
    return {name: document[name] for name in names} | {
        "actor": actor | {"id": known_to(principal, UUID(actor["id"]), actor["role"])},
        "texts": {name: text for name, text in document["texts"].items() if name not in hidden},
    }


OPERATIONS = (
    Operation(
        "listAppealEvents", "GET", "/v1/appeals/{number}/events", "Appeals",
        "Read the history of an appeal, event by event",
        reads=list_events, permission=Permission.READ_APPEAL, query=EventsQuery,
        answer=EventPage, refusals=(404,),
    ),
)  # fmt: skip
