"""The history of an incident: facts bound in order, and those that joined appeals must follow."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.access import Principal
from domain.appeals.model import Appeal
from domain.events import Actor, EventType, Fact, IncidentEventType
from domain.incidents.model import Incident, IncidentChange, IncidentEvent, IncidentFact
from domain.ports import UnitOfWork

T = IncidentEventType

FOLLOWED = frozenset(
    {T.OPENED, T.ASSIGNED, T.ACCEPTED, T.STAGE_REPORTED, T.RESOLVED, T.RETURNED, T.CLOSED,
     T.CANCELLED, T.BROADCAST}
)  # fmt: skip
"""The acts: what each joined appeal must be told or do after."""


def bind_incident(
    incident: Incident, facts: Sequence[IncidentFact], principal: Principal, at: datetime
) -> IncidentChange:
    """The incident after its facts, with its events at the end of its history."""
    events: list[IncidentEvent] = []
    sequence, acts = incident.sequence, incident.acts
    for fact in facts:
        sequence += 1
        act = None
        if fact.type in FOLLOWED:
            act = acts = acts + 1
        events.append(
            IncidentEvent(
                incident.id,
                sequence,
                fact.type,
                at,
                Actor.of(principal),
                act,
                fact.data,
                fact.texts,
            )
        )
    after = replace(
        incident, sequence=sequence, acts=acts, version=incident.version + 1, updated_at=at
    )
    return IncidentChange(after, tuple(events))


def joined_fact(incident: Incident, by: str) -> Fact:
    """What a chain says of joining: to which incident, by hand or at intake."""
    return Fact(
        EventType.JOINED, {"incident": str(incident.id), "kind": str(incident.kind), "by": by}
    )


async def tell_of_refusal(appeal: Appeal, uow: UnitOfWork, at: datetime) -> None:
    """A resident's no to a joined appeal reopens theirs alone; the incident's people hear of it."""
    if appeal.membership is None:
        return
    incident = await uow.incidents.get(appeal.membership.incident)
    fact = IncidentFact(T.REFUSED, {"appeals": [appeal.number]})
    await uow.incidents.save(bind_incident(incident, [fact], uow.principal, at))
