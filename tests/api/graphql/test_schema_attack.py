"""The real graph under attack: what schemathesis makes of its contract, and what hurts others.

Each day has a seed of its own, so that in time every operation is met by much; it is told with what
was found. IKOMEK_ATTACK_EXAMPLES makes the first longer, IKOMEK_ATTACK_SEED repeats a run.
"""

import json
import os
import time
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import schemathesis
from graphql import get_introspection_query
from hypothesis import HealthCheck, Phase, given, seed, settings

from api.graphql.schema import build_schema
from domain.access import Role
from tests.support.cost import uncollected
from tests.support.graph import Graph
from tests.support.live import serving
from tests.support.rest import Callers, make_callers_app

SEED = int(os.environ.get("IKOMEK_ATTACK_SEED", datetime.now(UTC).toordinal()))
EXAMPLES = int(os.environ.get("IKOMEK_ATTACK_EXAMPLES", "1")) * 2
CHEAP = 4
"""Times as many of what changes nothing: no body has to be made up for it."""
SDL = schemathesis.graphql.from_file(str(build_schema()))
OPERATIONS: dict[str, Any] = {}
for _found in SDL.get_all_operations():
    _operation: Any = _found.ok()  # type: ignore[union-attr]
    OPERATIONS[_operation.definition.field_name] = _operation
SECONDS = 60.0
"""What the whole attack may take; the rest of the operations has its turn with another seed."""
KNOWN = {"bad-request", "document-too-costly", "document-too-large", "rate-limited"}


@pytest.fixture(scope="module")
def base(callers: Callers) -> Any:
    app = make_callers_app(callers.house.settings, rate_limit=0)
    with serving(app) as url:
        yield url


def test_schemathesis_finds_nothing(base: str, callers: Callers):
    """Whatever fits the contract is answered: never our fault, never another form."""
    until = time.monotonic() + SECONDS
    asked: set[str] = set()
    names = sorted(OPERATIONS)
    turn = SEED % len(names)
    tokens = [callers.tokens[role] for role in (Role.INSPECTOR, Role.EXECUTOR, Role.CITIZEN)]
    with httpx2.Client(base_url=base, timeout=20) as client:
        for place, name in enumerate(names[turn:] + names[:turn]):
            if time.monotonic() > until:
                break
            _attack(client, OPERATIONS[name], tokens[place % len(tokens)])
            asked.add(name)
    assert len(asked) > len(names) // 3, f"{len(asked)} of {len(names)} operations in time"


def _attack(client: httpx2.Client, operation: Any, token: str) -> None:
    @seed(SEED)
    @settings(
        max_examples=EXAMPLES * (CHEAP if operation.definition.is_query else 1),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        answer = client.post("/graphql", json={"query": case.body}, headers=headers)
        assert answer.status_code == 200, (SEED, case.body, answer.text)
        said = answer.json()
        codes = {error["extensions"]["code"] for error in said.get("errors", ())}
        assert "internal" not in codes, (SEED, case.body, answer.text)
        assert "data" in said or codes <= KNOWN, (SEED, case.body, answer.text)

    ask()


ODD = {
    "public.appeal": ('{ public { appeal(number: "%s") { number } } }', None, None),
    "public.figures": (
        '{ public { figures(by: SPHERE, sphere: "%s") { total } } }', None, "malformed"
    ),
    "appeal": ('{ appeal(number: "%s") { number } }', Role.CITIZEN, None),
    "promisesExplained": (
        '{ promisesExplained(number: "%s") { number } }', Role.INSPECTOR, "not-found"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_odd_signs_name_nothing(graph: Graph, name: str):
    query, role, code = ODD[name]
    for signs in ("\\u0000", "\\u0007", "a\\u0000b", "9" * 200):
        answer = await graph.ask(query % signs, role)
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        assert codes == ([code] if code else []), (signs, answer)


async def test_odd_signs_are_nothing_to_act_on_and_spoil_nothing_beside(
    callers: Callers, graph: Graph
):
    act = """mutation { acceptAppeal(number: "\\u0000", idempotencyKey: "odd-signs-0001") {
        __typename ... on Problem { code } } }"""
    told = (await graph.data(act, Role.EXECUTOR))["acceptAppeal"]
    assert told == {"__typename": "NotFoundProblem", "code": "not-found"}
    number = (await callers.register())["number"]
    asked = f"""{{ good: appeal(number: "{number}") {{ number }}
        odd: appeal(number: "\\u0000") {{ number }} }}"""
    assert await graph.data(asked) == {"good": {"number": number}, "odd": None}


async def test_introspection_holds_nobody_up_and_costs_once(callers: Callers, graph: Graph):
    """The whole of it takes the better part of a second, the first time, beside the loop."""
    said = {"query": get_introspection_query()}
    first = await callers.call("POST", "/graphql", said, role=None)
    assert first.json()["data"]["__schema"]["queryType"]["name"] == "Query"
    with uncollected():
        began = time.process_time()
        again = await callers.call("POST", "/graphql", said, role=None)
        assert time.process_time() - began < 0.2
    assert again.json()["data"] == first.json()["data"]
    assert again.json()["extensions"]["cost"]["requested"] == 400


HURTING = {
    "introspection, deep": "{ __schema { types { fields { type { fields { type { fields { type {"
    " fields { type { name } } } } } } } } } } }",
    "every list in every list": "{ appeals(first: 100) { nodes { events(first: 100) { id }"
    " organisation { children(first: 100) { nodes { children(first: 100) { nodes { name } } } } }"
    " } } }",
    "forged ids": '{ appeals(first: 5, after: "AAAA") { nodes { number } } }',
    "aliases": "{ " + " ".join(f"a{n}: viewer {{ role }}" for n in range(300)) + " }",
}


@pytest.mark.parametrize("name", HURTING)
async def test_what_would_hurt_is_answered_soon(callers: Callers, graph: Graph, name: str):
    spent = []
    for round in range(3):
        query = HURTING[name] + " " * round
        began = time.process_time()
        response = await callers.call("POST", "/graphql", {"query": query})
        spent.append(time.process_time() - began)
        assert response.json()["errors"][0]["extensions"]["code"] != "internal"
    assert min(spent) < 0.05, json.dumps(spent)


async def test_a_normal_query_stays_quick(callers: Callers, graph: Graph):
    await graph.data("{ viewer { role } }")
    spent = []
    for _ in range(5):
        began = time.process_time()
        await graph.data("{ viewer { role } }")
        spent.append(time.process_time() - began)
    assert min(spent) < 0.02, json.dumps(spent)
