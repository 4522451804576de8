"""The life of a member as data: every action, from where, to where.

docs/people.md is drawn from this table (tests/house checks that it is current).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import InvalidTransition


class MemberState(StrEnum):
    """Where a membership stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEFT = "left"


class MemberAction(StrEnum):
    """What can be done with a membership."""

    SUSPEND = "suspend"
    RESTORE = "restore"
    LEAVE = "leave"
    CHANGE_ROLE = "change_role"


class MemberEventType(StrEnum):
    """Every kind of fact in the life of a membership and of the invitation before it."""

    INVITED = "member.invited"
    INVITATION_REVOKED = "member.invitation_revoked"
    JOINED = "member.joined"
    SUSPENDED = "member.suspended"
    RESTORED = "member.restored"
    LEFT = "member.left"
    ROLE_CHANGED = "member.role_changed"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. `to` is None where the state stays."""

    action: MemberAction
    sources: frozenset[MemberState]
    to: MemberState | None
    event: MemberEventType
    meaning: str


A, S, E = MemberAction, MemberState, MemberEventType

TRANSITIONS: Mapping[MemberAction, Transition] = {
    row.action: row
    for row in (
        Transition(A.SUSPEND, frozenset({S.ACTIVE}), S.SUSPENDED, E.SUSPENDED,
                   "the member may do nothing until they are let back"),
        Transition(A.RESTORE, frozenset({S.SUSPENDED}), S.ACTIVE, E.RESTORED,
                   "the member is let back"),
        Transition(A.LEAVE, frozenset({S.ACTIVE, S.SUSPENDED}), S.LEFT, E.LEFT,
                   "the membership is over; who comes back is invited anew"),
        Transition(A.CHANGE_ROLE, frozenset({S.ACTIVE, S.SUSPENDED}), None, E.ROLE_CHANGED,
                   "the member has another role, or another district"),
    )
}  # fmt: skip


def guard(action: MemberAction, state: MemberState) -> Transition:
    """The row of the table, or InvalidTransition naming what is allowed from here."""
    row = TRANSITIONS[action]
    if state not in row.sources:
        raise InvalidTransition(action=str(action), status=str(state), allowed=allowed(state))
    return row


def allowed(state: MemberState) -> tuple[str, ...]:
    """The actions that the table allows from a state."""
    return tuple(str(row.action) for row in TRANSITIONS.values() if state in row.sources)


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> active: invitation redeemed"]
    for row in TRANSITIONS.values():
        for source in sorted(row.sources):
            lines.append(f"    {source} --> {row.to or source}: {row.action}")
    return "\n".join([*lines, f"    {S.LEFT} --> [*]"])
