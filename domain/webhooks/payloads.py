"""The messages of incidents and of the register, in the bytes that are sent."""

from datetime import datetime

from domain.incidents.model import Incident, IncidentEvent
from domain.register.checkpoint import Checkpoint
from domain.webhooks.events import CHECKPOINT, message
from domain.webhooks.messages import CheckpointData, IncidentData, IncidentLinks


def checkpoint_payload(checkpoint: Checkpoint, at: datetime) -> bytes:
    """The message of a signed checkpoint; `checkpoint` in it is the signed note as it stands."""
    data = CheckpointData(
        checkpoint.origin, checkpoint.size, checkpoint.root.hex(), str(checkpoint)
    )
    return message(CHECKPOINT, at, data)


def incident_payload(incident: Incident, event: IncidentEvent, base_url: str) -> bytes:
    """The message of an incident's event, as thin: `data.status` is the incident's after it."""
    data = IncidentData(
        id=incident.id,
        sequence=event.sequence,
        status=incident.status,
        kind=incident.kind,
        services=tuple(incident.services),
        organisation_id=incident.executor,
        links=IncidentLinks(f"{base_url}/v1/incidents/{incident.id}"),
    )
    return message(event.type, event.at, data)
