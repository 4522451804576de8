"""What became of a 'done': the word that followed it. The executors' figures are made of these."""

from collections.abc import Mapping
from enum import StrEnum

from domain.appeals.model import Change
from domain.events import EventType


class Verdict(StrEnum):
    """Who answered a 'done', and how; one without a verdict awaits it."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


VERDICTS: Mapping[EventType, Verdict] = {
    EventType.CONFIRMED: Verdict.CONFIRMED,
    EventType.REOPENED: Verdict.REFUSED,
    EventType.RETURNED: Verdict.RETURNED,
    EventType.WITHDRAWN: Verdict.WITHDRAWN,
}
"""The resident's yes, the resident's no (also after a yes), the inspector's no, and neither."""


def verdict_of(change: Change) -> Verdict | None:
    """What the change says of the 'done' before it, if anything."""
    said = (VERDICTS.get(event.type) for event in change.events)
    return next((verdict for verdict in said if verdict is not None), None)


def is_done(change: Change) -> bool:
    """Whether somebody reported the work done by it."""
    return any(event.type in (EventType.RESOLVED, EventType.DECIDED) for event in change.events)
