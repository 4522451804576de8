"""How an appeal stands before the law and what the state said of it, as its JSON column tells it.

What the state said outlives that the city holds an appeal for none before the law: `kind` is null
then.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any, NamedTuple

from domain.appeals.model import Appeal
from domain.law.kinds import AppealKind
from domain.law.standing import Decision, Hearing, HearingOutcome, HearingWay, Legal
from integrations.postgres.instants import parse_instant

_STANDING = fields(Legal)


class Outside(NamedTuple):
    """Since when the law counts where not since the registration, and until when the state said."""

    received_at: datetime | None
    state_deadline: datetime | None


def write_legal(appeal: Appeal) -> dict[str, Any] | None:
    """What the column holds; None of a request for service of which the state said nothing."""
    legal, outside = appeal.legal, Outside(appeal.received_at, appeal.state_deadline)
    if legal is None and not any(outside):
        return None
    standing = {f.name: getattr(legal, f.name) for f in _STANDING} if legal else {"kind": None}
    return standing | outside._asdict()


def read_outside(said: Mapping[str, Any] | None) -> Outside:
    """What the state said, by a row; rows from before it was kept lack it."""
    instants = ((said or {}).get(name) for name in Outside._fields)
    return Outside(*(parse_instant(one) if one else None for one in instants))


def read_legal(said: Mapping[str, Any] | None) -> Legal | None:
    """The standing of a row; None for a request for service."""
    if said is None or said["kind"] is None:
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
    )


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
