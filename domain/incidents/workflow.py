"""The life of an incident as data: every action, from where, to where, who may.

docs/incidents.md holds the diagram of this table (tests/house checks that it is current).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.access import Permission
from domain.errors import InvalidTransition


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    ANNOUNCED = "announced"
    ACTIVE = "active"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class IncidentAction(StrEnum):
    """What can be done with an incident."""

    CHANGE = "change"
    START = "start"
    ASSIGN = "assign"
    ACCEPT = "accept"
    REPORT = "report"
    RESOLVE = "resolve"
    RETURN = "return"
    CLOSE = "close"
    CANCEL = "cancel"
    BROADCAST = "broadcast"
    JOIN = "join"
    PART = "part"


S, A, P = IncidentStatus, IncidentAction, Permission

LIVE = frozenset({S.ANNOUNCED, S.ACTIVE})
"""New appeals may belong to it."""

ENDED = frozenset({S.CLOSED, S.CANCELLED})


@dataclass(frozen=True, slots=True)
class IncidentTransition:
    """One row of the table. `to` None means that the status stays."""

    action: IncidentAction
    sources: frozenset[IncidentStatus]
    to: IncidentStatus | None
    permission: Permission
    meaning: str


def _row(
    action: IncidentAction,
    sources: frozenset[IncidentStatus],
    to: IncidentStatus | None,
    permission: Permission,
    meaning: str,
) -> tuple[IncidentAction, IncidentTransition]:
    return action, IncidentTransition(action, sources, to, permission, meaning)


TRANSITIONS: Mapping[IncidentAction, IncidentTransition] = dict(
    (
        _row(A.CHANGE, LIVE, None, P.OPEN_INCIDENT,
             "texts, times, area or services are told anew"),
        _row(A.START, frozenset({S.ANNOUNCED}), S.ACTIVE, P.OPEN_INCIDENT,
             "what was announced has begun: by a person, or by itself at its time"),
        _row(A.ASSIGN, LIVE, None, P.ASSIGN,
             "the inspector gives it to another executor, and every joined appeal with it"),
        _row(A.ACCEPT, LIVE, None, P.PERFORM,
             "the executor takes it, and every joined appeal with it"),
        _row(A.REPORT, frozenset({S.ACTIVE}), None, P.PERFORM,
             "the executor reports a stage, arrived or secured, for every joined appeal"),
        _row(A.RESOLVE, frozenset({S.ACTIVE}), S.RESOLVED, P.PERFORM,
             "the executor reports the work done, with evidence, for every joined appeal"),
        _row(A.RETURN, frozenset({S.RESOLVED}), S.ACTIVE, P.CHECK,
             "the inspector finds the work wanting; what was resolved with it goes back"),
        _row(A.CLOSE, frozenset({S.RESOLVED}), S.CLOSED, P.CHECK,
             "the inspector finds the work good; each resident is asked for their own word"),
        _row(A.CANCEL, LIVE, S.CANCELLED, P.OPEN_INCIDENT,
             "it was none, or does not take place; joined appeals go on by themselves"),
        _row(A.BROADCAST, LIVE | {S.RESOLVED}, None, P.OPEN_INCIDENT,
             "a word to the residents of all joined appeals"),
        _row(A.JOIN, LIVE, None, P.ASSIGN, "the inspector joins appeals to it"),
        _row(A.PART, LIVE | {S.RESOLVED}, None, P.ASSIGN, "the inspector parts appeals from it"),
    )
)  # fmt: skip


def guard(action: IncidentAction, status: IncidentStatus) -> IncidentTransition:
    """The row of the table, or InvalidTransition naming what is allowed from here."""
    transition = TRANSITIONS[action]
    if status not in transition.sources:
        raise InvalidTransition(action=str(action), status=str(status), allowed=allowed(status))
    return transition


def allowed(status: IncidentStatus) -> tuple[str, ...]:
    """The actions that the table allows from a status."""
    return tuple(str(t.action) for t in TRANSITIONS.values() if status in t.sources)


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> announced", "    [*] --> active"]
    for transition in TRANSITIONS.values():
        if transition.to is not None:
            lines.extend(
                f"    {source} --> {transition.to}: {transition.action}"
                for source in sorted(transition.sources)
            )
    return "\n".join([*lines, *(f"    {status} --> [*]" for status in sorted(ENDED))])
