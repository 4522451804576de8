"""How an appeal stands before the law, as its JSON column tells it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from domain.law.kinds import AppealKind
from domain.law.standing import Decision, Hearing, HearingOutcome, HearingWay, Legal
from integrations.postgres.instants import parse_instant


def read_legal(said: Mapping[str, Any] | None) -> Legal | None:
    """The standing of a row; None for a request for service."""
    if said is None:
        return None
    return Legal(
        kind=AppealKind(said["kind"]),
        law_version=said["law_version"],
        received=date.fromisoformat(said["received"]),
        considered=said["considered"],
        threat=said["threat"],
        last_day=date.fromisoformat(said["last_day"]) if said["last_day"] else None,
        prolonged=said["prolonged"],
        prolongations=said["prolongations"],
        forwarded_to=said["forwarded_to"],
        hearing=_read_hearing(said["hearing"]),
        decision=Decision(said["decision"]) if said["decision"] else None,
        state_deadline=_read_deadline(said),
    )


def _read_deadline(said: Mapping[str, Any]) -> datetime | None:
    # Rows from before the state's own day was kept lack it.
    found = said.get("state_deadline")
    return parse_instant(found) if found else None


def _read_hearing(said: Mapping[str, Any] | None) -> Hearing | None:
    if said is None:
        return None
    return Hearing(
        notified_at=parse_instant(said["notified_at"]),
        at=parse_instant(said["at"]),
        way=HearingWay(said["way"]),
        earliest=parse_instant(said["earliest"]),
        outcome=HearingOutcome(said["outcome"]) if said["outcome"] else None,
        recorded_at=parse_instant(said["recorded_at"]) if said["recorded_at"] else None,
    )
