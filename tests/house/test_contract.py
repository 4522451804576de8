"""Every door knows who may come in, and every letter is answered once."""

import pytest

from api.commands.contracts import workflow_page
from api.rest.operation import Operation
from api.rest.table import OPERATIONS
from domain.access import CITY_WIDE, GRANTS, Permission, Role
from domain.appeals.rules import RULES
from domain.appeals.workflow import TRANSITIONS, Action
from domain.incidents import workflow as incidents
from domain.members import workflow as members
from domain.members.rules import WHERE
from domain.organisations.model import OrganisationKind
from tests.house.source import ROOT

NOBODY_ASKED = {
    "readHealth", "readReady",
    "listCheckpoints", "readLatestCheckpoint", "readConsistency", "listRegisterKeys",
    "listWebhookKeys",
}  # fmt: skip
"""Machines that watch the platform need not say who they are, nor whoever watches the register or
verifies a message.
"""

ANYBODY = NOBODY_ASKED | {"listEventTypes", "readMe"}
"""Whoever has a token may ask these."""


QUESTIONS = {"triage", "searchApplicants"}
"""POSTs that keep nothing: what they ask is too long, and too personal, for an address."""


def ids(operation: Operation) -> str:
    return operation.id


@pytest.mark.parametrize("operation", OPERATIONS, ids=ids)
def test_every_operation_names_its_permission_or_is_knowingly_open(operation: Operation):
    if operation.permission is None:
        assert operation.id in ANYBODY
        assert operation.open_to_all == (operation.id in NOBODY_ASKED)
    else:
        assert not operation.open_to_all


@pytest.mark.parametrize("operation", OPERATIONS, ids=ids)
def test_every_operation_either_reads_or_writes(operation: Operation):
    assert (operation.reads is None) != (operation.writes is None)
    asks = operation.method == "GET" or operation.id in QUESTIONS
    assert asks == (operation.reads is not None)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.method == "POST"], ids=ids)
def test_every_letter_is_answered_once_by_its_key(operation: Operation):
    assert operation.keyed
    assert (operation.writes is None) == (operation.id in QUESTIONS)


def test_no_two_operations_share_a_name_or_a_place():
    assert len({o.id for o in OPERATIONS}) == len(OPERATIONS)
    assert len({(o.method, o.path) for o in OPERATIONS}) == len(OPERATIONS)


def test_roles_and_actions_are_all_spoken_of():
    assert set(GRANTS) == set(Role)
    assert set(RULES) == set(TRANSITIONS) == set(Action)
    assert set(Permission) == {one for granted in GRANTS.values() for one in granted}
    assert set(Role) > CITY_WIDE


def test_the_drawing_of_an_incidents_life_is_current():
    page = (ROOT / "docs" / "incidents.md").read_text()
    assert incidents.diagram() in page
    for row in incidents.TRANSITIONS.values():
        sources = ", ".join(one for one in incidents.IncidentStatus if one in row.sources)
        to = row.to or "(stays)"
        assert f"| {row.action} | {sources} | {to} | {row.permission} | {row.meaning} |" in page


def test_the_drawing_of_a_members_life_is_current():
    page = (ROOT / "docs" / "people.md").read_text()
    assert members.diagram() in page
    for row in members.TRANSITIONS.values():
        sources = ", ".join(one for one in members.MemberState if one in row.sources)
        to = row.to or "(stays)"
        assert f"| {row.action} | {sources} | {to} | {row.event} | {row.meaning} |" in page
    for role, kinds in WHERE.items():
        told = "any" if kinds == set(OrganisationKind) else ", ".join(sorted(kinds))
        assert f"| {role} | {told} |" in page


def test_the_drawing_of_an_appeals_life_is_current():
    page = (ROOT / "docs" / "workflow.md").read_text()
    assert page == workflow_page(), "write it again: ikomek workflow export"
