"""An executor's own queue."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.incident_views import IncidentView, incident_view
from api.rest.operation import Call, Operation, Reply
from api.rest.views import AppealView, Named, appeal_view, organisation_name
from domain.access import Permission
from domain.appeals.model import AssignmentState


class AssignmentsQuery(f.Query):
    """Which assignments: all of joined appeals, all others, or (left out) the queue of acts, in
    which the appeals of an incident stand under it."""

    state: Annotated[
        tuple[AssignmentState, ...], BeforeValidator(f.several), Field(max_length=6)
    ] = ()
    joined: f.Flag | None = None
    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class QueuedAssignment(TypedDict):
    """An assignment with its appeal as it stands now."""

    id: UUID
    organisation: Named
    state: str
    offered_at: datetime
    answered_at: datetime | None
    done_at: datetime | None
    appeal: AppealView


class QueuedIncident(TypedDict):
    """An incident that calls for one act, with how many `assignments` follow that act."""

    incident: IncidentView
    assignments: int


class AssignmentPage(TypedDict):
    """Assignments, the newest first. Without `joined` those that follow a live incident of the
    same executor are not among them: it is told once, in `incidents` of the first page.
    """

    incidents: list[QueuedIncident]
    items: list[QueuedAssignment]
    next: str | None


async def list_assignments(call: Call) -> Reply:
    """What was given to the caller's organisation and those below it."""
    query: AssignmentsQuery = call.query
    keyring = call.house.keyring
    states = [str(state) for state in query.state]
    found = await call.house.lists.assignments(
        call.principal,
        states,
        read_cursor(query.cursor, keyring),
        query.limit + 1,
        joined=query.joined,
    )
    items = found[: query.limit]
    last = items[-1][0] if len(found) > query.limit else None
    return Reply(
        {
            "incidents": await _incidents(call, states),
            "items": [
                {
                    "id": given.id,
                    "organisation": organisation_name(
                        given.organisation, call.reference, call.language
                    ),
                    "state": given.state,
                    "offered_at": given.offered_at,
                    "answered_at": given.answered_at,
                    "done_at": given.done_at,
                    "appeal": appeal_view(appeal, call),
                }
                for given, appeal in items
            ],
            "next": write_cursor(last.offered_at, last.id, keyring) if last else None,
        }
    )


async def _incidents(call: Call, states: list[str]) -> list[QueuedIncident]:
    """What stands above the first page of the queue of acts."""
    query: AssignmentsQuery = call.query
    if query.joined is not None or query.cursor is not None:
        return []
    found = await call.house.lists.under_incidents(call.principal, states)
    return [
        {"incident": incident_view(incident, call), "assignments": assignments}
        for incident, assignments in found
    ]


OPERATIONS = (
    Operation(
        "listAssignments", "GET", "/v1/assignments", "Assignments",
        "Read your organisation's queue",
        reads=list_assignments, permission=Permission.PERFORM, query=AssignmentsQuery,
        answer=AssignmentPage,
    ),
)  # fmt: skip
