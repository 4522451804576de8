"""The ladder of every operation: nobody 401, a role without the permission 403, a stranger 404,
whoever's business it is 2xx. Made from the table, so that no operation can be forgotten.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.bootstrap import House
from api.rest.operation import Operation, Upload
from api.rest.table import OPERATIONS
from domain.access import Permission, Role
from domain.values import new_id
from tests.integrations.media.files import picture
from tests.support.city import EVIDENCED, MANHOLE, SmallCity, write_small_city
from tests.support.incidents import OPENING, TEXTS, incident_at
from tests.support.members import employed, invited
from tests.support.register import cosign, signed
from tests.support.rest import Callers, assert_problem, intake, issue_tokens
from tests.support.sql import fetch
from tests.support.worker import eventually

ULKEN = SmallCity("ulken", "ULK")
GUARDED = [operation for operation in OPERATIONS if not operation.open_to_all]
OF_APPEALS = [operation for operation in OPERATIONS if "{number}" in operation.path]
EVERYBODYS = {Permission.READ_APPEAL, Permission.READ_CATALOGUE, Permission.READ_INCIDENT}
HOW = {"how": "call"}
WHY = {"reason": "Демалыста"}
NEWCOMER = {
    "code": "ksk-aida", "kind": "housing", "names": {"kk": "Айда ПИК", "ru": "КСК Аида"}
}  # fmt: skip
CONSULTATION = {"service": "general.how-109-works", "channel": "phone", "language": "kk"}


@dataclass(frozen=True)
class Rung:
    """How the owner of the matter uses an operation."""

    role: Role
    status: str = "assigned"
    body: Any = None


RUNGS = {
    "registerAppeal": Rung(Role.OPERATOR, body=intake()),
    "correctAppeal": Rung(Role.OPERATOR, body={"text": "Түзетілді"}),
    "answerAppeal": Rung(Role.OPERATOR, body={"text": "Шықты"}),
    "assignAppeal": Rung(Role.INSPECTOR, "registered", {"organisation": "water"}),
    "redirectAppeal": Rung(Role.INSPECTOR, body={"organisation": "department"}),
    "acceptAppeal": Rung(Role.EXECUTOR, body={}),
    "declineAppeal": Rung(Role.EXECUTOR, body={"reason": "Біздікі емес"}),
    "reportAppeal": Rung(Role.EXECUTOR, "in_progress", {"stage": "secure"}),
    "pauseAppeal": Rung(Role.EXECUTOR, "calm", {"reason": "awaiting_resident", "note": "?"}),
    "resumeAppeal": Rung(Role.EXECUTOR, "paused", {}),
    "waiveAppeal": Rung(Role.INSPECTOR, "evidenced", {"stage": "resolve", "reason": "Пәтерде"}),
    "resolveAppeal": Rung(Role.HEAD, "in_progress", {"text": "ok", "no_photo_reason": "түн"}),
    "checkAppeal": Rung(Role.INSPECTOR, "resolved", {}),
    "returnAppeal": Rung(Role.INSPECTOR, "resolved", {"reason": "Жабылмаған"}),
    "confirmAppeal": Rung(Role.OPERATOR, "resolved", HOW),
    "reopenAppeal": Rung(Role.OPERATOR, "resolved", HOW | {"reason": "Жоқ"}),
    "withdrawAppeal": Rung(Role.OPERATOR, body=HOW),
    "commentAppeal": Rung(Role.OPERATOR, body={"text": "Бақылауда"}),
    "instructAppeal": Rung(Role.AKIM, body={"directive": "instruction", "text": "Бүгін жабылсын"}),
    "attachAppeal": Rung(Role.OPERATOR, body={"attachments": "own"}),
    "readApplicant": Rung(Role.EXECUTOR),
    "triage": Rung(Role.CITIZEN, body={"text": "люк ашық"}),
    "recordConsultation": Rung(Role.OPERATOR, body=CONSULTATION),
    "openIncident": Rung(Role.INSPECTOR, body=OPENING),
    "changeIncident": Rung(Role.INSPECTOR, "active", {"matching": "suggested"}),
    "startIncident": Rung(Role.INSPECTOR, "announced", {}),
    "assignIncident": Rung(Role.INSPECTOR, "active", {"organisation": "department"}),
    "acceptIncident": Rung(Role.EXECUTOR, "active", {}),
    "reportIncident": Rung(Role.EXECUTOR, "accepted", {"stage": "arrive"}),
    "resolveIncident": Rung(Role.EXECUTOR, "accepted", {"text": "ok", "no_photo_reason": "түн"}),
    "returnIncident": Rung(Role.INSPECTOR, "resolved", {"reason": "Жабылмаған"}),
    "closeIncident": Rung(Role.INSPECTOR, "resolved", {}),
    "cancelIncident": Rung(Role.INSPECTOR, "active", {"reason": "Қате"}),
    "broadcastIncident": Rung(Role.INSPECTOR, "active", {"texts": TEXTS}),
    "joinIncident": Rung(Role.INSPECTOR, "active", {"appeals": "own"}),
    "partIncident": Rung(Role.INSPECTOR, "joined", {"appeals": "own", "reason": "Басқа"}),
    "createEndpoint": Rung(Role.HEAD, body={"url": "https://hook.example.kz/109"}),
    "changeEndpoint": Rung(Role.HEAD, body={"description": "Диспетчер"}),
    "inviteMember": Rung(Role.ADMINISTRATOR, body={"organisation": "water", "role": "executor"}),
    "revokeInvitation": Rung(Role.ADMINISTRATOR, body={}),
    "suspendMember": Rung(Role.ADMINISTRATOR, body=WHY),
    "restoreMember": Rung(Role.ADMINISTRATOR, "suspended", WHY),
    "endMembership": Rung(Role.ADMINISTRATOR, body={}),
    "changeRole": Rung(Role.ADMINISTRATOR, body=WHY | {"role": "head"}),
    "onboardOrganisation": Rung(Role.ADMINISTRATOR, body={"organisation": NEWCOMER}),
    "searchApplicants": Rung(
        Role.OPERATOR, body={"phone": "+77015550109", "purpose": "Қайта қоңырау шалу"}
    ),
}
BY_PERMISSION = {
    Permission.MANAGE_ENDPOINTS: Role.HEAD,
    Permission.COSIGN: Role.AUDITOR,
    Permission.PERFORM: Role.EXECUTOR,
    Permission.MANAGE_MEMBERS: Role.ADMINISTRATOR,
    Permission.READ_MEMBERS: Role.ADMINISTRATOR,
    Permission.READ_OWN_RECORD: Role.CITIZEN,
    Permission.READ_READS: Role.AUDITOR,
}


def _rung(operation: Operation) -> Rung:
    usual = (
        BY_PERMISSION.get(operation.permission, Role.INSPECTOR)
        if operation.permission
        else (Role.CITIZEN)
    )
    return RUNGS.get(operation.id, Rung(usual))


@pytest.fixture(scope="module")
async def strangers(callers: Callers, house: House) -> dict[Role, str]:
    """Tokens of everybody in another city."""
    await write_small_city(house.engine, house.keyring, ULKEN)
    tokens = await issue_tokens(house, ULKEN)

    async def known() -> bool:
        answer = await replace(callers, tokens=tokens).call("GET", "/v1/me")
        return answer.status_code == 200

    await eventually(known)
    return tokens


def _concrete(path: str, **named: str) -> str:
    known = {"number": "KIS-2026-000001", "id": str(uuid4()), "code": MANHOLE}
    return path.format(**{**known, **named})


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.id)
async def test_nobody_is_asked_who_they_are(callers: Callers, operation: Operation):
    answer = await callers.call(operation.method, _concrete(operation.path), role=None)
    assert_problem(answer, 401, "unauthenticated")


@pytest.mark.parametrize(
    "operation", [o for o in GUARDED if o.permission], ids=lambda operation: operation.id
)
async def test_a_role_without_the_permission_is_refused(callers: Callers, operation: Operation):
    from domain.access import GRANTS

    wrong = [role for role in callers.tokens if operation.permission not in GRANTS[role]]
    for role in wrong:
        answer = await callers.call(operation.method, _concrete(operation.path), role=role)
        assert_problem(answer, 403, "not-permitted")
    assert wrong or operation.permission in EVERYBODYS


async def _body_of(
    callers: Callers, operation: Operation, rung: Rung, token: Role
) -> dict[str, Any]:
    if isinstance(operation.body, Upload):
        return {"files": {"file": ("люк.jpg", picture(), "image/jpeg")}}
    if operation.body is None:
        return {}
    body = dict(rung.body or {})
    if body.get("organisation") in ("water", "department"):
        body["organisation"] = str(callers.city.ident(body["organisation"]))
    if body.get("appeals") == "own":
        body["appeals"] = [(await callers.register())["number"]]
    if body.get("attachments") == "own":
        body["attachments"] = [await _uploaded(callers, token)]
    return {"json": body}


async def _uploaded(callers: Callers, role: Role) -> str:
    files = {"file": ("люк.jpg", picture(), "image/jpeg")}
    answer = await callers.call("POST", "/v1/attachments", role=role, files=files)
    return str(answer.json()["id"])


CALM = "manholes.sunken-cover"


async def _appeal(callers: Callers, status: str) -> str:
    if status == "evidenced":
        return str((await callers.register(service=EVIDENCED))["number"])
    if status not in ("calm", "paused"):
        return str((await callers.brought_to(status))["number"])
    tree = (await callers.call("GET", "/v1/services?limit=100")).json()["items"]
    calm = next(s for s in tree if s["criticality"] == "normal" and s["sphere"] == "manholes")
    form = (await callers.call("GET", f"/v1/services/{calm['code']}/form")).json()
    answers = {name: _fitting(form["properties"][name]) for name in form.get("required", ())}
    appeal = await callers.register(service=calm["code"], answers=answers)
    number = str(appeal["number"])
    await callers.act(number, "accept", role=Role.EXECUTOR)
    if status == "paused":
        said = {"reason": "awaiting_resident", "note": "?"}
        assert (await callers.act(number, "pause", said, role=Role.EXECUTOR)).status_code == 200
    return number


def _fitting(schema: dict[str, Any]) -> Any:
    if "oneOf" in schema:
        return schema["oneOf"][0]["const"]
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": 1, "number": 1, "boolean": True}.get(schema.get("type", ""), "Дүкен")


async def _endpoint(callers: Callers) -> str:
    body = {"url": "https://hook.example.kz/109"}
    made = await callers.call("POST", "/v1/webhook-endpoints", body, role=Role.HEAD)
    return str(made.json()["id"])


async def _finished_delivery(callers: Callers) -> str:
    endpoint = await _endpoint(callers)
    sent = await callers.call("POST", f"/v1/webhook-endpoints/{endpoint}/test", role=Role.HEAD)
    delivery = UUID(sent.json()["delivery"])
    await fetch(
        callers.house,
        "UPDATE delivery SET state = 'exhausted', finished_at = now(), next_attempt_at = NULL"
        " WHERE id = $1",
        delivery,
    )
    return str(delivery)


Name = Callable[[Callers, Rung], Awaitable[str]]


async def _id_for(callers: Callers, operation: Operation, rung: Rung) -> str:
    if "/attachments/" in operation.path:
        return await _uploaded(callers, rung.role)
    if "/incidents/" in operation.path:
        return await incident_at(callers, rung.status)
    if "/deliveries/" in operation.path:
        return await _finished_delivery(callers)
    if "/webhook-endpoints/" in operation.path:
        return await _endpoint(callers)
    if "/invitations/" in operation.path:
        return str((await invited(callers))["id"])
    if "/members/" in operation.path:
        return await employed(callers, state=rung.status)
    return str(callers.city.water)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
async def test_whose_business_it_is_gets_an_answer(callers: Callers, operation: Operation):
    rung = _rung(operation)
    if operation.permission is Permission.ATTACH and isinstance(operation.body, Upload):
        rung = replace(rung, role=Role.CITIZEN)
    named = {"code": "open-manhole"} if "policies" in operation.path else {}
    if "{number}" in operation.path:
        named["number"] = await _appeal(callers, rung.status)
    if "{id}" in operation.path:
        named["id"] = await _id_for(callers, operation, rung)
    path = _concrete(operation.path, **named)
    options = await _body_of(callers, operation, rung, rung.role)
    if operation.tag == "Register":
        checkpoint = await signed(callers.house)
        if operation.id == "addCosignature":
            line = str(cosign(checkpoint))
            options["json"] = {"size": checkpoint.size, "cosignature": line}
        if operation.id == "readConsistency":
            options["params"] = {"from": checkpoint.size}
    if rung.status == "joined":
        join = path.replace("/part", "/join")
        said = {"appeals": options["json"]["appeals"]}
        assert (await callers.call("POST", join, said)).status_code == 200
    if operation.id == "suggestAddresses":
        options["params"] = {"q": "Абай"}
    if operation.id in ("resolveRoute", "explainRoute"):
        options["params"] = {"service": MANHOLE}
    headers = {"if-match": "*"} if operation.method == "PATCH" else {}
    answer = await callers.call(operation.method, path, role=rung.role, headers=headers, **options)
    assert answer.status_code == operation.status, answer.text


@pytest.mark.parametrize("operation", OF_APPEALS, ids=lambda operation: operation.id)
async def test_a_foreign_appeal_does_not_exist(
    callers: Callers, strangers: dict[Role, str], operation: Operation
):
    rung = _rung(operation)
    number = await _appeal(callers, rung.status)
    path = _concrete(operation.path, number=number)
    options = await _body_of(callers, operation, replace(rung, role=rung.role), rung.role)
    headers = {"if-match": "*"} if operation.method == "PATCH" else {}
    foreign = replace(callers, tokens=strangers)
    answer = await foreign.call(operation.method, path, role=rung.role, headers=headers, **options)
    assert_problem(answer, 404, "not-found")
    nothing = await foreign.call(
        operation.method, _concrete(operation.path, number="KIS-2026-999999"),
        role=rung.role, headers=headers, **options,
    )  # fmt: skip
    said, unsaid = answer.json(), nothing.json()
    assert {**said, "instance": "", "request_id": ""} == {
        **unsaid, "instance": "", "request_id": ""
    }  # fmt: skip


async def _member(callers: Callers, role: Role, organisation: str) -> str:
    """The token of somebody of that role in another organisation of the same city."""
    id = new_id()
    await fetch(
        callers.house,
        "INSERT INTO member (id, city_id, organisation_id, role, name) VALUES ($1,$2,$3,$4,'B.')",
        id, callers.city.id, callers.city.ident(organisation), str(role),
    )  # fmt: skip
    return await callers.house.tokens.issue(callers.city.id, name="test", member=id)


async def _neighbour(callers: Callers) -> str:
    id = new_id()
    sealed = callers.house.keyring.seal(b'{"name":"B","phone":null,"email":null}')
    await fetch(
        callers.house,
        "INSERT INTO citizen (id, city_id, sealed) VALUES ($1, $2, $3)",
        id, callers.city.id, sealed,
    )  # fmt: skip
    return await callers.house.tokens.issue(callers.city.id, name="test", citizen=id)


@pytest.mark.parametrize("role", [Role.EXECUTOR, Role.HEAD, Role.CITIZEN])
async def test_an_appeal_of_others_in_the_same_city_does_not_exist(callers: Callers, role: Role):
    from domain.access import GRANTS

    token = (
        await _neighbour(callers)
        if role is Role.CITIZEN
        else await _member(callers, role, "centre")
    )
    stranger = replace(callers, tokens={role: token})
    for operation in OF_APPEALS:
        if operation.permission not in GRANTS[role]:
            continue
        rung = _rung(operation)
        number = (await callers.register())["number"]
        body = await _body_of(callers, operation, rung, Role.OPERATOR)
        answer = await stranger.call(
            operation.method, _concrete(operation.path, number=number), role=role, **body
        )
        assert_problem(answer, 404, "not-found")
    assert (await stranger.call("GET", "/v1/appeals", role=role)).json()["items"] == []


async def test_an_upload_of_others_does_not_exist(callers: Callers):
    mine = await _uploaded(callers, Role.CITIZEN)
    other = replace(callers, tokens={Role.CITIZEN: await _neighbour(callers)})
    for path in (f"/v1/attachments/{mine}", f"/v1/attachments/{mine}/content"):
        assert (await callers.call("GET", path, role=Role.CITIZEN)).status_code == 200
        assert_problem(await other.call("GET", path, role=Role.CITIZEN), 404, "not-found")
    taken = await other.call(
        "POST",
        "/v1/appeals",
        intake(applicant=..., attachments=[mine], channel="app"),
        role=Role.CITIZEN,
    )
    assert taken.status_code == 422


OF_INCIDENTS = [o for o in OPERATIONS if o.path.startswith("/v1/incidents/{id}")]


@pytest.mark.parametrize("operation", OF_INCIDENTS, ids=lambda operation: operation.id)
async def test_a_foreign_incident_does_not_exist(
    callers: Callers, strangers: dict[Role, str], operation: Operation
):
    rung = _rung(operation)
    incident = await incident_at(callers, rung.status)
    options = await _body_of(callers, operation, rung, rung.role)
    if rung.body and "appeals" in rung.body:
        options["json"]["appeals"] = ["KIS-2026-000001"]
    headers = {"if-match": "*"} if operation.method == "PATCH" else {}
    foreign = replace(callers, tokens=strangers)
    for id in (incident, str(uuid4()), "no-id"):
        path = operation.path.format(id=id)
        answer = await foreign.call(
            operation.method, path, role=rung.role, headers=headers, **options
        )
        assert_problem(answer, 404, "not-found")


async def test_an_incident_of_others_in_the_same_city_does_not_exist(callers: Callers):
    incident = await incident_at(callers, "accepted")
    for role, organisation in ((Role.EXECUTOR, "department-2"), (Role.HEAD, "department-2")):
        await _organisation(callers, organisation)
        token = await _member(callers, role, organisation)
        stranger = replace(callers, tokens={role: token})
        for path in (f"/v1/incidents/{incident}", f"/v1/incidents/{incident}/events"):
            assert_problem(await stranger.call("GET", path, role=role), 404, "not-found")
        for action, body in (("accept", {}), ("broadcast", {"texts": TEXTS})):
            path = f"/v1/incidents/{incident}/{action}"
            answer = await stranger.call("POST", path, body, role=role)
            assert_problem(answer, 404, "not-found")
        assert (await stranger.call("GET", "/v1/incidents", role=role)).json()["items"] == []
    resident = await callers.call("GET", f"/v1/incidents/{incident}", role=Role.CITIZEN)
    assert_problem(resident, 404, "not-found")


async def _organisation(callers: Callers, code: str) -> None:
    await fetch(
        callers.house,
        "INSERT INTO organisation SELECT (jsonb_populate_record(o, jsonb_build_object("
        " 'id', $1::uuid, 'code', $2::text, 'parent_id', NULL))).* FROM organisation o"
        " WHERE o.id = $3 ON CONFLICT DO NOTHING",
        callers.city.ident(code), code, callers.city.water,
    )  # fmt: skip


async def test_an_endpoint_of_others_does_not_exist(callers: Callers):
    mine = await _endpoint(callers)
    other = replace(callers, tokens={Role.HEAD: await _member(callers, Role.HEAD, "department")})
    for operation in OPERATIONS:
        if operation.path.startswith("/v1/webhook-endpoints/{id}"):
            body: dict[str, Any] = (
                {} if operation.body is None else {"json": {"description": "мен"}}
            )
            path = _concrete(operation.path, id=mine)
            answer = await other.call(operation.method, path, role=Role.HEAD, **body)
            assert_problem(answer, 404, "not-found")
