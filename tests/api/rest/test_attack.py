"""schemathesis finds nothing: the contract is kept towards friends and attackers alike.

The seed is printed; IKOMEK_ATTACK_SEED repeats a run, IKOMEK_ATTACK_EXAMPLES makes it longer
(300 takes about a quarter of an hour).
"""

import os
import sys
from uuid import uuid4

import pytest

from api.settings import Settings
from domain.access import Role
from tests.support.attack import OF_MEMBERS, Known, attack
from tests.support.city import KISHI
from tests.support.incidents import incident_at
from tests.support.live import serving
from tests.support.members import employed
from tests.support.register import signed
from tests.support.rest import Callers, make_callers_app

SEED = int(os.environ.get("IKOMEK_ATTACK_SEED", "109"))
EXAMPLES = int(os.environ.get("IKOMEK_ATTACK_EXAMPLES", "1"))
STATUS_FOR = {
    "answerAppeal": "assigned",
    "assignAppeal": "registered",
    "redirectAppeal": "assigned",
    "acceptAppeal": "assigned",
    "declineAppeal": "assigned",
    "reportAppeal": "in_progress",
    "pauseAppeal": "in_progress",
    "resumeAppeal": "in_progress",
    "resolveAppeal": "in_progress",
    "checkAppeal": "resolved",
    "returnAppeal": "resolved",
    "confirmAppeal": "resolved",
    "reopenAppeal": "resolved",
    "withdrawAppeal": "assigned",
}


INCIDENTS = {
    "readIncident": "active", "listIncidentEvents": "active", "changeIncident": "active",
    "startIncident": "announced", "assignIncident": "active", "acceptIncident": "active",
    "reportIncident": "accepted", "resolveIncident": "accepted", "returnIncident": "resolved",
    "closeIncident": "resolved", "cancelIncident": "active", "broadcastIncident": "active",
    "joinIncident": "active", "partIncident": "active",
}  # fmt: skip


async def _known(callers: Callers) -> Known:
    appeals = {
        operation: [(await callers.brought_to(status))["number"] for _ in range(3)]
        for operation, status in STATUS_FOR.items()
    }
    own = [(await callers.register(Role.CITIZEN, applicant=...))["number"] for _ in range(3)]
    for operation in ("confirmAppeal", "reopenAppeal", "withdrawAppeal"):
        appeals[operation] += own
    appeals["*"] = [(await callers.register())["number"] for _ in range(3)]
    await signed(callers.house)
    endpoints = [await _endpoint(callers) for _ in range(4)]
    organisations = [str(KISHI.water), str(KISHI.department)]
    own_endpoint = ("readEndpoint", "changeEndpoint", "rotateSecret", "testEndpoint",
                    "listDeliveries", "readEndpointHealth", "replayDeliveries")  # fmt: skip
    ids = dict.fromkeys(own_endpoint, endpoints)
    ids["readOrganisation"] = organisations
    for operation, status in INCIDENTS.items():
        ids[operation] = [await incident_at(callers, status) for _ in range(3)]
    for operation in OF_MEMBERS:
        ids[operation] = [await employed(callers) for _ in range(3)]
    ids["removeEndpoint"] = [await _endpoint(callers)]
    return Known(KISHI, dict(callers.tokens), appeals, ids)


async def _endpoint(callers: Callers) -> str:
    body = {"url": f"https://hook.example.kz/{uuid4()}"}
    response = await callers.call("POST", "/v1/webhook-endpoints", body, role=Role.HEAD)
    return str(response.json()["id"])


@pytest.mark.timeout(3600)
async def test_schemathesis_finds_nothing(callers: Callers, settings: Settings):
    known = await _known(callers)
    sys.stdout.write(f"seed {SEED}, {EXAMPLES} examples of each kind\n")
    with serving(make_callers_app(settings, rate_limit=0)) as url:
        outcome = attack(url, known, seed=SEED, examples=EXAMPLES, stateful=EXAMPLES > 50)
    sys.stdout.write(f"{outcome.cases} cases, {len(outcome.statuses)} operations\n")
    assert not outcome.findings, "\n\n".join(map(str, outcome.findings))
    assert outcome.cases > 1000
