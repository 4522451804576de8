"""Two people who must not see each other's things, and schemathesis in the place of each.

That it finds nothing means something only because it finds the leak that is planted here: an
operation that reads as somebody who sees the whole city, past every wall below it.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from api.rest.appeals import shown
from api.rest.operation import Call, Reply
from api.rest.table import OPERATIONS
from api.settings import Settings
from domain.access import Role
from tests.support.attack import Outcome
from tests.support.live import serving
from tests.support.peers import pry
from tests.support.rest import intake, make_callers_app
from tests.walls.doors import RestDoor
from tests.walls.policy import POLICY
from tests.walls.town import EVERYBODY, Town

SEED = int(os.environ.get("IKOMEK_ATTACK_SEED", "109"))
EXAMPLES = int(os.environ.get("IKOMEK_ATTACK_EXAMPLES", "20"))
APPEAL = intake(applicant=..., channel="app", location={"address": "Абай 12"})
PEERS = {
    "residents": (("citizen", "neighbour"), {"registerAppeal": APPEAL}),
    "two cities": (("citizen", "elsewhere-citizen"), {"registerAppeal": APPEAL}),
    "two utilities": (
        ("head", "sibling-head"),
        {"createEndpoint": {"url": "https://hook.example.kz/109"}},
    ),
}
# Answered when a checkpoint covers the appeal, and by a worker's work.
NOT_YET = {"readReceipt", "readProof"}


def _reads(town: Town, role: Role | None, creates: str) -> list[str]:
    """The list of what an operation creates, and what reads one of it, if the role may."""
    door = RestDoor(town.app)
    return [
        one
        for one in door.operations
        if not door.changes(one)
        and door.path(one).startswith(door.path(creates))
        and role in POLICY[one].roles
        and one not in NOT_YET
    ]


def _pried(town: Town, settings: Settings, folder: Path, which: str) -> tuple[Outcome, set[str]]:
    names, bodies = PEERS[which]
    (creates,) = bodies
    role = next(who.role for who in EVERYBODY if who.name == names[0])
    peers = {name: town.tokens[name] for name in names}
    reads = _reads(town, role, creates)
    with serving(make_callers_app(settings, rate_limit=0)) as url:
        outcome = pry(url, peers, bodies, reads, seed=SEED, examples=EXAMPLES, folder=folder)
    sys.stdout.write(f"seed {SEED}: {outcome.cases} cases\n")
    door = RestDoor(town.app)
    return outcome, {f"GET {door.path(one)}" for one in reads}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("which", PEERS)
async def test_peers_cannot_read_each_others_things(
    town: Town, settings: Settings, tmp_path: Path, which: str
):
    outcome, reads = _pried(town, settings, tmp_path, which)
    assert not outcome.findings, "\n\n".join(map(str, outcome.findings))
    assert {one for one in reads if 200 in outcome.statuses.get(one, ())} == reads


async def _as_an_inspector(call: Call) -> Reply:
    """The planted leak: it asks for the appeal as somebody who sees every one of the city."""
    anybody = replace(call.principal, role=Role.INSPECTOR, citizen=None)
    return shown(await call.house.queries.appeal(anybody, call.path["number"]), call)


@pytest.mark.timeout(600)
async def test_a_planted_leak_is_found(
    town: Town, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    leaky = [
        replace(one, reads=_as_an_inspector) if one.id == "readAppeal" else one
        for one in OPERATIONS
    ]
    monkeypatch.setattr("api.app.OPERATIONS", tuple(leaky))
    outcome, _ = _pried(town, settings, tmp_path, "residents")
    assert outcome.findings
    for finding in outcome.findings:
        assert "`neighbour` received the" in finding.said or "`citizen` received" in finding.said
        assert "GET /v1/appeals/KIS" in finding.said
