"""The life of an appeal as data: every action, from where, to where, who may.

docs/workflow.md is drawn from this table (tests/house checks that it is current).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from domain.access import Permission, Principal, Role
from domain.errors import InvalidTransition
from domain.sla.policy import Stage


class Status(StrEnum):
    """Where an appeal stands."""

    REGISTERED = "registered"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    ANSWERED = "answered"
    RESOLVED = "resolved"
    CHECKED = "checked"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What can be done with a registered appeal."""

    ANSWER = "answer"
    ASSIGN = "assign"
    REDIRECT = "redirect"
    ACCEPT = "accept"
    DECLINE = "decline"
    REPORT = "report"
    PAUSE = "pause"
    RESUME = "resume"
    WAIVE = "waive"
    EXTEND = "extend"
    GRANT = "grant"
    REFUSE = "refuse"
    RESOLVE = "resolve"
    CHECK = "check"
    RETURN = "return"
    CONFIRM = "confirm"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    COMMENT = "comment"
    CORRECT = "correct"
    ATTACH = "attach"
    INSTRUCT = "instruct"
    CLASSIFY = "classify"
    PROLONG = "prolong"
    FORWARD = "forward"
    SUMMON = "summon"
    HEAR = "hear"
    DECIDE = "decide"


S, A, P = Status, Action, Permission

OPEN = frozenset({S.REGISTERED, S.ASSIGNED, S.IN_PROGRESS, S.PAUSED})
"""Somebody in the city must act."""

AWAITING_RESIDENT = frozenset({S.ANSWERED, S.RESOLVED, S.CHECKED})
"""The resident's word is wanted; only it closes."""

FINAL = frozenset({S.CLOSED, S.WITHDRAWN})
WORKED = frozenset(S) - FINAL - {S.RESOLVED, S.CHECKED}
"""Something is still owed, so that a promise may run; of what was done none does."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. An empty `to` means that the status stays."""

    action: Action
    sources: frozenset[Status]
    to: tuple[Status, ...]
    permission: Permission
    meaning: str


def _row(
    action: Action,
    sources: frozenset[Status],
    to: tuple[Status, ...],
    permission: Permission,
    meaning: str,
) -> tuple[Action, Transition]:
    return action, Transition(action, sources, to, permission, meaning)


TRANSITIONS: Mapping[Action, Transition] = dict(
    (
        _row(A.ANSWER, frozenset({S.REGISTERED, S.ASSIGNED}), (S.ANSWERED,), P.ANSWER,
             "the operator answers at first contact"),
        _row(A.ASSIGN, frozenset({S.REGISTERED}), (S.ASSIGNED,), P.ASSIGN,
             "the inspector gives it to an executor"),
        _row(A.REDIRECT, frozenset({S.ASSIGNED, S.IN_PROGRESS, S.PAUSED}), (S.ASSIGNED,), P.ASSIGN,
             "the inspector gives it to another executor"),
        _row(A.ACCEPT, frozenset({S.ASSIGNED}), (S.IN_PROGRESS,), P.PERFORM,
             "the executor takes it"),
        _row(A.DECLINE, frozenset({S.ASSIGNED, S.IN_PROGRESS}), (S.REGISTERED,), P.PERFORM,
             "the executor gives it back to the inspectors, with the reason"),
        _row(A.REPORT, frozenset({S.IN_PROGRESS}), (), P.PERFORM,
             "the executor reports a stage: arrived, secured"),
        _row(A.PAUSE, frozenset({S.IN_PROGRESS}), (S.PAUSED,), P.PAUSE,
             "a clock waits for a reason that the rules know"),
        _row(A.RESUME, frozenset({S.PAUSED}), (S.IN_PROGRESS,), P.PAUSE,
             "the clock runs on"),
        _row(A.WAIVE, OPEN, (), P.WAIVE,
             "the inspector lets evidence of a stage go, with the reason"),
        _row(A.EXTEND, frozenset({S.IN_PROGRESS, S.PAUSED}), (), P.PERFORM,
             "the executor asks for more time, with the reason"),
        _row(A.GRANT, frozenset({S.IN_PROGRESS, S.PAUSED}), (), P.EXTEND,
             "the inspector gives the time asked for, or less; no more than the policy lets"),
        _row(A.REFUSE, frozenset({S.IN_PROGRESS, S.PAUSED}), (), P.EXTEND,
             "the inspector gives no more time, with the reason"),
        _row(A.RESOLVE, frozenset({S.IN_PROGRESS}), (S.RESOLVED,), P.PERFORM,
             "the executor reports the work done, with evidence"),
        _row(A.CHECK, frozenset({S.RESOLVED}), (S.CHECKED,), P.CHECK,
             "the inspector finds the work good"),
        _row(A.RETURN, frozenset({S.RESOLVED}), (S.IN_PROGRESS,), P.CHECK,
             "the inspector finds it wanting; the clock goes on"),
        _row(A.CONFIRM, AWAITING_RESIDENT, (S.CLOSED,), P.CONFIRM,
             "the resident says that it is solved"),
        _row(A.REOPEN, AWAITING_RESIDENT | {S.CLOSED}, (S.IN_PROGRESS, S.REGISTERED), P.CONFIRM,
             "the resident says that it is not solved; back to the executor, "
             "or to the inspectors where there is none"),
        _row(A.WITHDRAW, OPEN | AWAITING_RESIDENT, (S.WITHDRAWN,), P.WITHDRAW,
             "the resident takes it back"),
        _row(A.COMMENT, frozenset(Status), (), P.COMMENT,
             "a word to the resident, or among colleagues"),
        _row(A.CORRECT, OPEN, (), P.CORRECT,
             "a mistake of the record is put right by a new event"),
        _row(A.ATTACH, OPEN | AWAITING_RESIDENT, (), P.ATTACH,
             "a photo, a PDF or a recording is added"),
        _row(A.INSTRUCT, frozenset(Status), (), P.INSTRUCT,
             "the akim writes a resolution or an instruction, for the executor and the inspectors"),
        _row(A.CLASSIFY, OPEN, (), P.CLASSIFY,
             "the inspector says which kind of appeal it is before the law, if any"),
        _row(A.PROLONG, frozenset({S.ASSIGNED, S.IN_PROGRESS, S.PAUSED}), (), P.PROLONG,
             "the head puts the law's term off, with the reason; the applicant is told"),
        _row(A.FORWARD, OPEN, (S.ANSWERED,), P.FORWARD,
             "the inspector sends it to a competent body outside the register; "
             "the applicant is told where"),
        _row(A.SUMMON, frozenset({S.IN_PROGRESS}), (), P.PERFORM,
             "the applicant is told what is meant to be decided, and when they are heard"),
        _row(A.HEAR, frozenset({S.IN_PROGRESS}), (), P.PERFORM,
             "what came of the hearing is put on record, with its minutes"),
        _row(A.DECIDE, frozenset({S.IN_PROGRESS}), (S.RESOLVED,), P.PERFORM,
             "an appeal before the law is answered by a decision"),
    )
)  # fmt: skip


def guard(action: Action, status: Status, principal: Principal | None = None) -> Transition:
    """The row of the table, or InvalidTransition naming what is allowed from here."""
    transition = TRANSITIONS[action]
    if status not in transition.sources:
        possible = allowed(status, principal)
        raise InvalidTransition(action=str(action), status=str(status), allowed=possible)
    return transition


def allowed(status: Status, principal: Principal | None = None) -> tuple[str, ...]:
    """The actions that the table allows from a status: to the principal, if one is named."""
    return _allowed(status, None if principal is None else principal.permissions)


@lru_cache(maxsize=1024)
def _allowed(status: Status, held: frozenset[Permission] | None) -> tuple[str, ...]:
    return tuple(
        str(row.action)
        for row in TRANSITIONS.values()
        if status in row.sources and (held is None or row.permission in held)
    )


class Directive(StrEnum):
    """What an akim writes on an appeal: what they think of it, or what is to be done."""

    RESOLUTION = "resolution"
    INSTRUCTION = "instruction"


class PauseReason(StrEnum):
    """Why a clock may wait."""

    AWAITING_RESIDENT = "awaiting_resident"
    PARTS = "parts"
    WEATHER = "weather"


@dataclass(frozen=True, slots=True)
class PauseRule:
    """Who may pause for this reason, which stages' clocks wait, and how long at once.

    `in_all` bounds what a clock may wait in all its pauses together (in its calendar's time),
    or one wait after another would put a promise off for ever.
    """

    roles: frozenset[Role]
    stages: frozenset[Stage]
    longest: timedelta

    @property
    def in_all(self) -> timedelta:
        """Twice the longest."""
        return 2 * self.longest


PAUSE_RULES: Mapping[PauseReason, PauseRule] = {
    PauseReason.AWAITING_RESIDENT: PauseRule(
        frozenset({Role.EXECUTOR, Role.HEAD, Role.INSPECTOR, Role.OPERATOR}),
        frozenset({Stage.RESOLVE}),
        timedelta(days=3),
    ),
    PauseReason.PARTS: PauseRule(
        frozenset({Role.HEAD, Role.INSPECTOR}), frozenset({Stage.RESOLVE}), timedelta(days=14)
    ),
    PauseReason.WEATHER: PauseRule(
        frozenset({Role.HEAD, Role.INSPECTOR}),
        frozenset({Stage.ARRIVE, Stage.RESOLVE}),
        timedelta(days=5),
    ),
}

REOPEN_WITHIN = timedelta(days=30)
"""How long after closing the resident may still say that it is not solved."""


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> registered", "    [*] --> assigned"]
    for transition in TRANSITIONS.values():
        for source in sorted(transition.sources):
            for target in transition.to:
                lines.append(f"    {source} --> {target}: {transition.action}")
    return "\n".join([*lines, *(f"    {status} --> [*]" for status in sorted(FINAL))])
