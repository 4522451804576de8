"""Evidence of an incident's stages: what all its services demand, shown once for all appeals."""

from functools import reduce
from uuid import UUID

from domain.appeals.desk import Desk
from domain.appeals.evidence import NOTHING, both, no_act, since, too_few
from domain.attachments import MediaKind
from domain.catalogue.evidence import STAGES, Need
from domain.errors import EvidenceMissing
from domain.incidents.model import Incident, IncidentEvent
from domain.ports import TakenFile
from domain.reference import Reference
from domain.sla.policy import Stage


def prove(incident: Incident, stage: Stage, act_number: str | None, desk: Desk) -> None:
    """Raise EvidenceMissing naming all that lacks. Positions are not asked for: an incident has
    an area, and its cause may lie elsewhere.
    """
    needs = _needs(incident, stage, desk.reference)
    photos = [one for one in desk.uploads.values() if one.kind == MediaKind.IMAGE]
    after = since(photos, incident.started_at or incident.opened_at)
    acts = {fault.rule: fault for need in needs for fault in no_act(need, act_number)}
    if faults := [*too_few(reduce(both, needs, NOTHING), photos, after, stage), *acts.values()]:
        raise EvidenceMissing(faults)


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
        UUID(one["id"]): TakenFile(one["kind"], one["original_sha256"], one["seen_before"])
        for one in listed
    }


def _needs(incident: Incident, stage: Stage, reference: Reference) -> list[Need]:
    """Of the stage, and of those before it that nobody reported: who secures has arrived."""
    before = [one for one in STAGES[: STAGES.index(stage)] if one not in incident.reported]
    found: list[Need] = []
    for code in incident.services:
        version = reference.catalogue.service(code).version
        demanded = reference.evidence.get((code, version), {})
        found.extend(demanded[one] for one in (stage, *before) if one in demanded)
    return found
