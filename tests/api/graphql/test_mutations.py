"""Mutations: the acts of the REST API, by the same rules, told as a union."""

from typing import Any
from uuid import uuid4

from strawberry.utils.str_converters import to_camel_case

from api.graphql.mutation import WRITES
from api.graphql.schema import build_schema
from domain.access import Role
from tests.support.city import KISHI, MANHOLE, MANHOLE_ANSWERS
from tests.support.graph import Graph
from tests.support.heard import listening
from tests.support.rest import Callers

PROBLEM = """
  __typename
  ... on Problem { code title message }
  ... on InvalidProblem { faults { pointer rule message params } }
  ... on RequestProblem { faults { pointer rule } }
  ... on InvalidTransitionProblem { allowed }
"""
REGISTER = (
    """
mutation ($input: IntakeInput!, $key: String) {
  registerAppeal(input: $input, idempotencyKey: $key) {
    ... on RegisteredPayload { replayed incidents { id } appeal { number status service { code } } }
"""
    + PROBLEM
    + "} }"
)
INTAKE = {
    "service": MANHOLE,
    "kind": "COMPLAINT",
    "channel": "PHONE",
    "language": "KK",
    "text": "Жолда люк ашық тұр",
    "location": {"building": str(KISHI.house)},
    "answers": MANHOLE_ANSWERS,
    "applicant": {"name": "Айгүл Серікова", "phone": "+77015550109"},
}


def _act(name: str, arguments: str = "") -> str:
    return (
        f"mutation ($number: String!, $key: String) {{ {name}(number: $number,"
        f" idempotencyKey: $key {arguments}) {{ ... on AppealPayload {{ replayed appeal"
        f" {{ status organisation {{ uuid }} clocks {{ stage state }} }} }} {PROBLEM} }} }}"
    )


async def test_an_appeal_goes_its_whole_way_through_the_graph(callers: Callers, graph: Graph):
    made = await graph.data(REGISTER, Role.OPERATOR, input=INTAKE, key=uuid4().hex)
    appeal = made["registerAppeal"]["appeal"]
    assert appeal["status"] == "ASSIGNED"
    number = appeal["number"]
    steps = [
        ("acceptAppeal", "", Role.EXECUTOR, "IN_PROGRESS"),
        ("resolveAppeal", ', input: {text: "Жабылды", noPhotoReason: "Түн"}', Role.EXECUTOR,
         "RESOLVED"),
        ("checkAppeal", ", input: {}", Role.INSPECTOR, "CHECKED"),
        ("confirmAppeal", ", input: {how: CALL, rating: 5}", Role.OPERATOR, "CLOSED"),
    ]  # fmt: skip
    for name, arguments, role, status in steps:
        key = uuid4().hex
        done = (await graph.data(_act(name, arguments), role, number=number, key=key))[name]
        assert done["__typename"] == "AppealPayload", done
        assert done["appeal"]["status"] == status
        again = (await graph.data(_act(name, arguments), role, number=number, key=key))[name]
        assert again["replayed"] is True
        assert done["replayed"] is False
    rest = (await callers.call("GET", f"/v1/appeals/{number}")).json()
    assert rest["status"] == "closed"
    assert rest["confirmation"]["rating"] == 5


async def test_one_key_is_one_act_behind_both_doors(callers: Callers, graph: Graph):
    number, key = (await callers.register())["number"], uuid4().hex
    first = await callers.act(number, "accept", role=Role.EXECUTOR, key=key)
    assert first.status_code == 200
    asked = _act("acceptAppeal")
    again = (await graph.data(asked, Role.EXECUTOR, number=number, key=key))["acceptAppeal"]
    assert again["replayed"] is True
    other = (await callers.register())["number"]
    reused = (await graph.data(asked, Role.EXECUTOR, number=other, key=key))["acceptAppeal"]
    assert reused["code"] == "idempotency-key-reused"


async def test_the_key_may_come_as_a_header_and_must_come(callers: Callers, graph: Graph):
    number = (await callers.register())["number"]
    asked = _act("acceptAppeal")
    none = (await graph.data(asked, Role.EXECUTOR, number=number))["acceptAppeal"]
    assert none["__typename"] == "RequestProblem"
    assert none["code"] == "idempotency-key-required"
    headers = {"idempotency-key": uuid4().hex}
    done = await graph.data(asked, Role.EXECUTOR, number=number, headers=headers)
    assert done["acceptAppeal"]["appeal"]["status"] == "IN_PROGRESS"


async def test_each_family_of_refusals_is_a_type_of_its_own(callers: Callers, graph: Graph):
    number = (await callers.register())["number"]

    async def told(
        name: str, arguments: str, role: Role | None, of: str = number
    ) -> dict[str, object]:
        asked = _act(name, arguments)
        answer = await graph.data(
            asked, role, number=of, key=uuid4().hex, headers={"accept-language": "en"}
        )
        problem: dict[str, object] = answer[name]
        assert problem["title"]
        assert problem["message"]
        return problem

    accept = "acceptAppeal"
    assert (await told(accept, "", None))["__typename"] == "UnauthenticatedProblem"
    assert (await told(accept, "", Role.OPERATOR))["__typename"] == "NotPermittedProblem"
    absent = await told(accept, "", Role.EXECUTOR, "KIS-2026-999999")
    assert absent["__typename"] == "NotFoundProblem"
    moved = await told("checkAppeal", ", input: {}", Role.INSPECTOR)
    assert moved["__typename"] == "InvalidTransitionProblem"
    assert "assign" not in moved["allowed"]  # type: ignore[operator]
    changed = await told(accept, ", ifVersion: 77", Role.EXECUTOR)
    assert changed["__typename"] == "VersionConflictProblem"


async def test_faults_are_named_as_the_graph_names_its_fields(callers: Callers, graph: Graph):
    said = {**INTAKE, "text": "", "serviceVersion": 0, "answers": {"odd_one": 1},
            "location": {"coordinates": {"latitude": 91.0, "longitude": 0.0}}}  # fmt: skip
    made = (await graph.data(REGISTER, Role.OPERATOR, input=said, key=uuid4().hex))[
        "registerAppeal"
    ]
    assert made["__typename"] == "InvalidProblem"
    pointers = {fault["pointer"] for fault in made["faults"]}
    assert {"/text", "/serviceVersion", "/location/coordinates/latitude"} <= pointers
    assert "/answers/odd_one" in pointers, "the city's own questions keep their names"


async def test_a_correction_needs_the_version_that_was_read(callers: Callers, graph: Graph):
    appeal = await callers.register()
    asked = (
        "mutation ($number: String!, $version: Int) { correctAppeal(number: $number,"
        f' ifVersion: $version, input: {{text: "Түзетілді"}}) {{ ... on AppealPayload'
        f" {{ appeal {{ text kind }} }} {PROBLEM} }} }}"
    )
    without = await graph.data(asked, Role.OPERATOR, number=appeal["number"])
    assert without["correctAppeal"]["code"] == "precondition-required"
    done = await graph.data(
        asked, Role.OPERATOR, number=appeal["number"], version=appeal["version"]
    )
    assert done["correctAppeal"]["appeal"] == {"text": "Түзетілді", "kind": "COMPLAINT"}


async def test_what_rest_takes_in_its_query_is_an_argument(callers: Callers, graph: Graph):
    """A rotation says for how long what signed before goes on signing."""
    said = {"url": "https://utility.example/hooks"}
    made = (await callers.call("POST", "/v1/webhook-endpoints", said, role=Role.HEAD)).json()
    asked = f"""mutation ($id: UUID!, $keep: Int, $key: String) {{
      rotateSecret(id: $id, keepHours: $keep, idempotencyKey: $key) {{
        ... on EndpointWithSecretPayload {{
          endpointWithSecret {{ secret secrets {{ signsUntil }} }} }} {PROBLEM} }} }}"""

    async def rotated(keep: int | None, key: str | None = None) -> dict[str, Any]:
        given = {"id": made["id"], "keep": keep, "key": key or uuid4().hex}
        told: dict[str, Any] = (await graph.data(asked, Role.HEAD, **given))["rotateSecret"]
        return told

    usual = (await rotated(None))["endpointWithSecret"]["secrets"]
    assert [bool(each["signsUntil"]) for each in usual] == [False, True]
    key = uuid4().hex
    alone = (await rotated(0, key))["endpointWithSecret"]
    assert alone["secrets"] == [{"signsUntil": None}]
    assert (await rotated(0, key))["endpointWithSecret"]["secret"] == alone["secret"]
    assert (await rotated(1, key))["code"] == "idempotency-key-reused", "another request"
    refused = await rotated(721)
    assert refused["__typename"] == "RequestProblem"
    assert refused["faults"] == [{"pointer": "/keepHours", "rule": "out-of-range"}]


def test_every_query_of_an_operation_that_acts_has_its_arguments():
    mutations = build_schema()._schema.mutation_type
    assert mutations is not None
    for operation in WRITES:
        known = set(mutations.fields[operation.id].args)
        wanted = operation.query.model_fields if operation.query is not None else {}
        assert {to_camel_case(name) for name in wanted} <= known, operation.id


async def test_whoever_tries_what_they_may_not_is_logged_as_by_rest(callers: Callers, graph: Graph):
    """One line for each act that was refused for who asked; none for what they said."""
    number = (await callers.register())["number"]
    asked = _act("acceptAppeal")
    with listening() as heard:
        await graph.data(asked, Role.OPERATOR, number=number, key=uuid4().hex)
        await callers.act(number, "accept", role=Role.OPERATOR)
        by_graph, by_rest = heard.refusals
        ids = {by_graph.pop("request_id"), by_rest.pop("request_id")}
        for line in (by_graph, by_rest):
            line.pop("timestamp", None)
        assert by_graph == by_rest
        assert (by_graph["code"], by_graph["route"]) == ("not-permitted", "acceptAppeal")
        assert by_graph["who"] == str(KISHI.ident("member-operator"))
        assert len(ids) == 2
        heard.lines.clear()
        await graph.data(asked, None, number=number, key=uuid4().hex)
        assert [line["code"] for line in heard.refusals] == ["unauthenticated"]
        heard.lines.clear()
        await graph.data(asked, Role.EXECUTOR, number="KIS-2026-999999", key=uuid4().hex)
        assert heard.refusals == []
