"""Evidence of an incident's stages: what all its services demand, shown once for all appeals.

The act of the work is one paper with one number. Where the services of a stage have acts of
different forms, a number of any of them is that paper's. Each joined appeal holds it to the form of
its own service: who publishes an incident names its services, and so chooses no laxer act for them.
"""

from dataclasses import replace
from functools import reduce
from uuid import UUID

from domain.appeals.desk import Desk
from domain.appeals.evidence import (
    NOTHING,
    both,
    no_act,
    no_act_of,
    other_acts,
    since,
    too_few,
)
from domain.attachments import MediaKind
from domain.catalogue.evidence import STAGES, Need, any_of
from domain.errors import EvidenceMissing
from domain.incidents.model import Incident, IncidentEvent
from domain.ports import TakenFile
from domain.reference import Reference
from domain.sla.policy import Stage


def prove(incident: Incident, stage: Stage, act_number: str | None, desk: Desk) -> None:
    """Raise EvidenceMissing naming all that lacks. Positions are not asked for: an incident has
    an area, and its cause may lie elsewhere.
    """
    needs = {one: _need(incident, one, desk.reference) for one in _ended(incident, stage)}
    whole = reduce(both, needs.values())
    photos = [one for one in desk.uploads.values() if one.kind == MediaKind.IMAGE]
    after = since(photos, incident.started_at or incident.opened_at)
    faults = [
        *too_few(whole, photos, after, stage),
        *no_act(whole, act_number),
        *no_act_of(other_acts(needs, whole.act), act_number),
    ]
    if faults:
        # Nobody waives an incident's evidence: what is advised there is another thing.
        of = {"of": "incident"}
        raise EvidenceMissing([replace(fault, params={**fault.params, **of}) for fault in faults])


def taken(desk: Desk) -> dict[str, object]:
    """The uploads of an act as its event names them, enough to show them with each appeal."""
    if not desk.uploads:
        return {}
    return {
        "attachments": [
            {
                "id": str(id),
                "kind": one.kind,
                "original_sha256": one.original_sha256,
                "sha256": one.sha256,
                "seen_before": one.seen,
            }
            for id, one in desk.uploads.items()
        ]
    }


def uploads_of(act: IncidentEvent) -> dict[UUID, TakenFile]:
    """What `taken` named."""
    given = act.data.get("attachments")
    listed = given if isinstance(given, list) else []
    return {
        UUID(one["id"]): TakenFile(
            one["kind"], one["original_sha256"], one["seen_before"], sha256=one.get("sha256")
        )
        for one in listed
    }


def _ended(incident: Incident, stage: Stage) -> list[Stage]:
    """The stage, and those before it that nobody reported, the latest first: who secures has
    arrived.
    """
    before = STAGES[: STAGES.index(stage)]
    return [stage, *(one for one in reversed(before) if one not in incident.reported)]


def _need(incident: Incident, stage: Stage, reference: Reference) -> Need:
    """What one stage needs for all services together, its act of any of their forms."""
    services = [reference.catalogue.service(code) for code in incident.services]
    demanded = [
        reference.evidence.get((one.code, one.version), {}).get(stage, NOTHING) for one in services
    ]
    photos = max((need.photos for need in demanded), default=0)
    return Need(photos, act=any_of(need.act for need in demanded if need.act is not None))
