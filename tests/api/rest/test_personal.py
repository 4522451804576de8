"""Who looks for residents, and who reads of them, leaves a trace that they can see."""

from dataclasses import replace
from uuid import UUID

import orjson
import pytest

from domain.access import Role
from domain.values import new_id
from tests.support.city import KISHI, MANHOLE
from tests.support.members import employed, iin, person, token_of
from tests.support.rest import Callers, assert_problem, intake, pointers
from tests.support.sql import fetch

SEARCH = "/v1/applicants/search"
PHONE, NAME, MAIL = "+77052220001", "Жанар Бөкеева", "zhanar@example.kz"


async def logged_in(callers: Callers, serial: int, phone: str) -> tuple[UUID, Callers]:
    """A resident who came by eGov, and their way in."""
    house = callers.house
    me = await house.people.resident(KISHI.id, person(serial, phone=phone), house.now())
    token = await house.tokens.issue(KISHI.id, name="resident", citizen=me.id)
    return me.id, replace(callers, tokens={**callers.tokens, Role.CITIZEN: token})


async def found(callers: Callers, role: Role = Role.OPERATOR, **said: str) -> list[str]:
    body = {"purpose": "Қайта қоңырау шалу"} | said
    answer = await callers.call("POST", SEARCH, body, role=role)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return [one["number"] for one in answer.json()["items"]]


async def test_an_operator_finds_by_phone_and_by_iin_and_sees_masks(callers: Callers):
    phone = "+77052220002"
    me, mine = await logged_in(callers, 2, phone)
    by_call = (await callers.register(applicant={"name": NAME, "phone": phone}))["number"]
    by_app = (await mine.register(Role.CITIZEN, applicant=...))["number"]
    hidden = (await mine.register(Role.CITIZEN, applicant=..., anonymous=True))["number"]
    assert await found(callers, phone="8 705 222 00 02") == [by_app, by_call]
    assert await found(callers, iin=iin(2)) == [by_app]
    assert hidden not in await found(callers, phone=phone)
    body = {"phone": phone, "purpose": "x"}
    text = (await callers.call("POST", SEARCH, body, role=Role.INSPECTOR)).text
    assert phone not in text
    assert NAME not in text
    assert str(me) in text


async def test_each_search_is_kept_even_one_that_finds_nothing(callers: Callers):
    assert await found(callers, phone="+77052229999") == []
    rows = await fetch(
        callers.house,
        "SELECT * FROM personal_read WHERE operation = 'searchApplicants' AND appeal_id IS NULL",
    )
    assert [(r["role"], r["fields"], r["purpose"]) for r in rows] == [
        ("operator", ["phone"], "Қайта қоңырау шалу")
    ]
    assert "+77052229999" not in str(rows)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"purpose": "x"}, {"": "one-of"}),
        ({"purpose": "x", "phone": PHONE, "iin": iin(1)}, {"": "one-of"}),
        ({"phone": PHONE}, {"/purpose": "required"}),
        ({"purpose": "x", "iin": "123456789012"}, {"/iin": "iin"}),
    ],
)
async def test_a_search_says_whom_and_why(
    callers: Callers, body: dict[str, str], faults: dict[str, str]
):
    answer = await callers.call("POST", SEARCH, body, role=Role.OPERATOR)
    assert answer.status_code == 422
    assert pointers(answer) == faults
    assert "123456789012" not in answer.text


async def test_who_was_read_about_sees_it_and_nobodys_name(callers: Callers):
    phone = "+77052220003"
    _, mine = await logged_in(callers, 3, phone)
    number = (await mine.register(Role.CITIZEN, applicant=...))["number"]
    path = f"/v1/appeals/{number}/applicant"
    assert (await callers.call("GET", path, role=Role.EXECUTOR)).json()["phone"] == phone
    await found(callers, iin=iin(3))
    said = (await mine.call("GET", "/v1/me/reads", role=Role.CITIZEN)).json()["items"]
    assert [(one["operation"], one["role"], one["appeal"]) for one in said] == [
        ("searchApplicants", "operator", number), ("readApplicant", "executor", number)
    ]  # fmt: skip
    assert said[1]["organisation"]["id"] == str(KISHI.water)
    assert said[0]["purpose"] == "Қайта қоңырау шалу"
    text = orjson.dumps(said).decode()
    for who in (Role.EXECUTOR, Role.OPERATOR):
        assert str(KISHI.ident(f"member-{who}")) not in text
    others = replace(mine, tokens={Role.CITIZEN: callers.tokens[Role.CITIZEN]})
    assert number not in (await others.call("GET", "/v1/me/reads", role=Role.CITIZEN)).text


async def test_an_auditor_sees_who_read_and_an_administrator_their_own(callers: Callers):
    phone = "+77052220004"
    me, mine = await logged_in(callers, 4, phone)
    number = (await mine.register(Role.CITIZEN, applicant=...))["number"]
    await callers.call("GET", f"/v1/appeals/{number}/applicant", role=Role.EXECUTOR)
    await found(callers, iin=iin(4))
    page = (await callers.call("GET", "/v1/personal-reads", role=Role.AUDITOR)).json()["items"]
    assert [(one["reader"], one["citizen"]) for one in page[:2]] == [
        (str(KISHI.ident("member-operator")), str(me)),
        (str(KISHI.ident("member-executor")), str(me)),
    ]
    assert page[0]["reader_name"] == "A. operator"
    one = await callers.call("GET", "/v1/personal-reads?limit=1", role=Role.AUDITOR)
    path = f"/v1/personal-reads?limit=1&cursor={one.json()['next']}"
    two = await callers.call("GET", path, role=Role.AUDITOR)
    assert [one.json()["items"][0], two.json()["items"][0]] == page[:2]
    reader = str(KISHI.ident("member-executor"))
    path = f"/v1/personal-reads?reader={reader}"
    narrowed = (await callers.call("GET", path, role=Role.AUDITOR)).json()["items"]
    assert {each["reader"] for each in narrowed} == {reader}
    id = await employed(callers, Role.ADMINISTRATOR)
    theirs = replace(callers, tokens={Role.ADMINISTRATOR: await token_of(callers, id)})
    seen = await theirs.call("GET", "/v1/personal-reads", role=Role.ADMINISTRATOR)
    assert {each["organisation"]["id"] for each in seen.json()["items"]} == {str(KISHI.water)}


async def test_a_resident_takes_all_that_is_held_on_them_and_nothing_of_others(callers: Callers):
    phone = "+77052220005"
    me, mine = await logged_in(callers, 5, phone)
    neighbour = (await callers.register(applicant={"name": NAME, "phone": PHONE}))["number"]
    number = (await mine.register(Role.CITIZEN, applicant=...))["number"]
    await callers.act(number, "decline", {"reason": "Біздікі емес"}, role=Role.EXECUTOR)
    said = {"text": "Ішкі сөз", "internal": True}
    await callers.act(number, "comment", said, role=Role.OPERATOR)
    await callers.act(number, "comment", {"text": "Күтіңіз"}, role=Role.OPERATOR)
    await found(callers, iin=iin(5))
    await fetch(
        callers.house,
        "WITH c AS (INSERT INTO client (id, city_id, name, kind, auth_method, redirect_uris,"
        " grant_types, scopes, staff, created_at) VALUES ($1, $2, 'iKOMEK109', 'public', 'none',"
        " '{}', '{}', '{}', false, now())) INSERT INTO login_session (id, city_id, client_id,"
        " subject_id, resident, scopes, begun_at, expires_at)"
        " VALUES ($1, $2, $1, $3, true, '{appeals:read}', now(), now())",
        new_id(), KISHI.id, me,
    )  # fmt: skip
    answer = await mine.call("GET", "/v1/me/export", role=Role.CITIZEN)
    record = answer.json()
    assert [(one["client"], one["scopes"]) for one in record["sessions"]] == [
        ("iKOMEK109", ["appeals:read"])
    ]
    assert answer.headers["cache-control"] == "no-store"
    assert record["person"] == {
        "name": "Серікова Айгүл Маратқызы", "phone": phone, "email": None, "iin": iin(5)
    }  # fmt: skip
    assert [login["provider"] for login in record["logins"]] == ["egov"]
    assert [token["name"] for token in record["tokens"]] == ["resident"]
    (appeal,) = record["appeals"]
    assert (appeal["number"], appeal["service"]) == (number, MANHOLE)
    assert appeal["applicant"]["phone"] == phone
    texts = [event["texts"] for event in appeal["events"]]
    assert texts[0]["phone"] == phone
    assert {"text": "Күтіңіз"} in texts
    assert [read["operation"] for read in record["reads"]] == ["searchApplicants"]
    for hidden in (neighbour, PHONE, "Ішкі сөз", "Біздікі емес"):
        assert hidden not in answer.text
    rows = await fetch(
        callers.house, "SELECT operation FROM personal_read WHERE citizen_id = $1 ORDER BY id", me
    )
    assert rows[-1]["operation"] == "exportOwnRecord"


async def test_nothing_personal_is_told_where_it_has_no_business(callers: Callers, capsys):
    """Logs, problem documents, messages and the contract hold no IIN, phone or name."""
    number = iin(6)
    _, mine = await logged_in(callers, 6, PHONE)
    said = {"name": NAME, "phone": PHONE, "email": MAIL}
    appeal = (await callers.register(applicant=said))["number"]
    for body in (
        {"phone": PHONE, "purpose": ""}, {"iin": number, "phone": PHONE, "purpose": "x"},
        {"iin": number[:-1] + "x", "purpose": "x"}, {"phone": PHONE, "purpose": "x", "x": NAME},
    ):  # fmt: skip
        problem = await callers.call("POST", SEARCH, body, role=Role.OPERATOR)
        assert problem.status_code == 422
        _hides(problem.text, number)
    await found(callers, phone=PHONE)
    await found(callers, iin=number)
    invitation = {"organisation": str(KISHI.water), "role": "executor", "iin": number}
    await callers.call("POST", "/v1/invitations", invitation, role=Role.ADMINISTRATOR)
    await callers.call("POST", SEARCH, {"phone": PHONE}, role=Role.CITIZEN)
    bad = intake(applicant={"name": NAME, "phone": "not " + PHONE}, service="none")
    _hides((await callers.call("POST", "/v1/appeals", bad, role=Role.OPERATOR)).text, number)
    await mine.call("GET", "/v1/me/export", role=Role.CITIZEN)
    await callers.house.outbox.relay(callers.house.now())
    rows = await fetch(callers.house, "SELECT payload FROM delivery")
    for row in rows:
        _hides(bytes(row["payload"]).decode(), number)
    logged = capsys.readouterr()
    _hides(logged.out + logged.err, number)
    contract = (await callers.call("GET", "/v1/openapi.json", role=None)).text
    _hides(contract, number)
    assert appeal


def _hides(text: str, number: str) -> None:
    for hidden in (number, PHONE, PHONE[1:], NAME, "Жанар", "Серікова", MAIL):
        assert hidden not in text


async def test_an_akims_word_reaches_the_executor_and_not_the_resident(callers: Callers):
    number = (await callers.register(Role.CITIZEN, applicant=...))["number"]
    body = {"directive": "instruction", "text": "Бүгін жабылсын"}
    answer = await callers.act(number, "instruct", body, role=Role.AKIM)
    assert answer.status_code == 200, answer.text
    path = f"/v1/appeals/{number}/events"
    for role, sees in ((Role.EXECUTOR, True), (Role.INSPECTOR, True), (Role.CITIZEN, False)):
        text = (await callers.call("GET", path, role=role)).text
        assert ("Бүгін жабылсын" in text) is sees
    for action, said in (("comment", {"text": "x"}), ("assign", {})):
        refused = await callers.act(number, action, said, role=Role.AKIM)
        assert refused.status_code in (403, 422)
    assert_problem(
        await callers.act(number, "comment", {"text": "x"}, role=Role.AKIM), 403, "not-permitted"
    )
