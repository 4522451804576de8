"""The transition table, row by row: what it allows happens, and nothing else does."""

import pytest

from domain.access import GRANTS, Role
from domain.appeals.rules import RULES
from domain.appeals.workflow import (
    AWAITING_RESIDENT,
    FINAL,
    OPEN,
    PAUSE_RULES,
    TRANSITIONS,
    Action,
    PauseReason,
    Status,
    allowed,
    diagram,
)
from domain.errors import InvalidTransition, NotPermitted
from tests.domain.appeals.acts import NEEDS, SPEECHES, WAYS, at, speak
from tests.domain.appeals.make import Life, principal

EVERY = [(action, status) for action in Action for status in Status]


@pytest.mark.parametrize(("action", "status"), EVERY, ids=lambda one: str(one))
def test_the_table_alone_decides_what_may_happen(action: Action, status: Status):
    life = at(status)
    role, command = SPEECHES[action]
    row = TRANSITIONS[action]
    before, told = life.appeal, life.told()
    if status not in row.sources:
        with pytest.raises(InvalidTransition) as refused:
            life.act(action, command, role)
        assert refused.value.params["allowed"] == allowed(status, principal(role))
        assert refused.value.params["status"] == str(status)
        assert life.appeal == before
        assert life.told() == told
        return
    before = speak(life, *NEEDS.get(action, ())).appeal
    after = life.act(action, command, role)
    assert after.status in (row.to or (status,))
    assert after.version == before.version + 1
    assert len(life.told()) > len(told)


@pytest.mark.parametrize("action", Action, ids=str)
@pytest.mark.parametrize("role", Role, ids=str)
def test_nobody_acts_without_the_permission_of_the_row(role: Role, action: Action):
    row = TRANSITIONS[action]
    if row.permission in GRANTS[role]:
        return
    life = at(next(status for status in Status if status in row.sources))
    before = life.appeal
    with pytest.raises(NotPermitted) as refused:
        life.act(action, SPEECHES[action][1], role)
    assert refused.value.params == {"permission": str(row.permission), "role": str(role)}
    assert life.appeal == before


@pytest.mark.parametrize("status", Status, ids=str)
@pytest.mark.parametrize("role", Role, ids=str)
def test_what_is_said_to_be_possible_is_what_the_role_may_do(role: Role, status: Status):
    possible = allowed(status, principal(role))
    assert set(possible) <= set(allowed(status))
    assert {Action(action) for action in possible} == {
        action
        for action, row in TRANSITIONS.items()
        if status in row.sources and row.permission in GRANTS[role]
    }


def test_every_action_has_its_row_its_rule_and_its_speech():
    assert set(TRANSITIONS) == set(RULES) == set(SPEECHES) == set(Action)


def test_every_role_is_granted_something_or_knowingly_nothing():
    assert set(GRANTS) == set(Role)
    assert not GRANTS[Role.SYSTEM]


def test_every_status_is_open_or_awaits_the_resident_or_is_final():
    assert set(WAYS) == set(Status) == OPEN | AWAITING_RESIDENT | FINAL
    assert not OPEN & AWAITING_RESIDENT
    assert not FINAL & (OPEN | AWAITING_RESIDENT)


def test_only_confirm_leads_to_closed():
    assert [a for a, row in TRANSITIONS.items() if Status.CLOSED in row.to] == [Action.CONFIRM]


def test_every_reason_to_pause_has_its_rule():
    assert set(PAUSE_RULES) == set(PauseReason)
    assert all(rule.longest.days >= 1 for rule in PAUSE_RULES.values())


def test_the_diagram_draws_every_row():
    drawn = diagram()
    for row in TRANSITIONS.values():
        for source in row.sources:
            for target in row.to:
                assert f"    {source} --> {target}: {row.action}" in drawn


def test_a_refused_act_leaves_no_trace():
    life = Life()
    life.register()
    kept = life.shelf.events.copy()
    with pytest.raises(InvalidTransition):
        life.act(Action.CONFIRM, SPEECHES[Action.CONFIRM][1], Role.OPERATOR)
    assert life.shelf.events == kept
