"""Evidence at the API: told beforehand, asked for, let go; and the figures that come of 'done'."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.errors import Asked as Request
from api.errors import document
from api.rest.evidence import asked_view
from domain.access import Role
from domain.appeals.evidence import Asked
from domain.catalogue.changes import Changes
from domain.catalogue.evidence import ActForm, Need, Piece
from domain.errors import Conflict, EvidenceMissing, Fault
from domain.sla.policy import Stage
from integrations.postgres import reference_writer as writer
from tests.integrations.media.files import picture
from tests.support.city import EVIDENCED, KISHI, MANHOLE
from tests.support.rest import Callers, assert_problem, pointers
from tests.support.worker import eventually

NEEDED = [
    {"stage": "secure", "photos": 1, "within_metres": None, "act_number": None},
    {
        "stage": "resolve",
        "photos": 2,
        "within_metres": 100,
        "act_number": {"pattern": "[0-9]{1,6}/[0-9]{4}", "example": "118/2026"},
    },
]
HERE = {"latitude": 50.41, "longitude": 80.25, "accuracy": 8}
STOLEN = "manholes.cover-stolen"
SEEN = {"landmark": "Дүкен алдында", "in_progress": False}
FAR = HERE | {"latitude": 50.42}


async def photo(callers: Callers, side: int) -> str:
    files = {"file": ("люк.jpg", picture(size=(side, 16)), "image/jpeg")}
    kept = await callers.call("POST", "/v1/attachments", role=Role.EXECUTOR, files=files)
    assert kept.status_code == 201, kept.text
    return str(kept.json()["id"])


async def at_work(callers: Callers, **changes: Any) -> dict[str, Any]:
    appeal = await callers.register(service=EVIDENCED, **changes)
    taken = await callers.act(appeal["number"], "accept", role=Role.EXECUTOR)
    told: dict[str, Any] = taken.json()
    return told


def plain(needs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: need[name] for name in NEEDED[0]} for need in needs]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("kk", "акт нөмірі (мысалы, 118/2026); алдымен «Қауіпсіздендіру» кезеңі өз актісімен"
               " (мысалы, ҚА-7)"),
        ("ru", "номер акта (пример: 118/2026); сначала этап «Обеспечение безопасности» со своим"
               " актом (пример: ҚА-7)"),
        ("en", "the number of the act (example: 118/2026); first the stage “Making it safe” with"
               " an act of its own (example: ҚА-7)"),
    ],
)  # fmt: skip
def test_an_act_of_another_form_is_told_with_the_stage_that_it_belongs_to(language, words):
    need = Need(act=ActForm("[0-9]{1,6}/[0-9]{4}", "118/2026"))
    of_secure = (Stage.SECURE, ActForm("ҚА-[0-9]+", "ҚА-7"))
    told = asked_view(Asked(Stage.RESOLVE, need, frozenset(), False, (of_secure,)), language)
    assert told["text"] == words
    assert told["act_number"] == {"pattern": "[0-9]{1,6}/[0-9]{4}", "example": "118/2026"}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("kk", "фото: 2; орныңыз, сол жерден 100 м ішінде; акт нөмірі (мысалы, 118/2026)"),
        ("ru", "фото: 2; ваше положение, не дальше 100 м от места; номер акта (пример: 118/2026)"),
        ("en", "photos: 2; your position, within 100 m of the place;"
               " the number of the act (example: 118/2026)"),
    ],
)  # fmt: skip
async def test_a_service_tells_beforehand_what_it_will_need(callers: Callers, language, words):
    path = f"/v1/services/{EVIDENCED}"
    answer = await callers.call("GET", path, headers={"accept-language": language})
    told = answer.json()["evidence"]
    assert plain(told) == NEEDED
    assert told[1]["text"] == words
    other = await callers.call("GET", f"/v1/services/{MANHOLE}")
    assert other.json()["evidence"] == []


async def test_an_appeal_tells_its_executor_what_is_still_needed(callers: Callers):
    appeal = await at_work(callers)
    assert plain(appeal["evidence"]) == NEEDED
    queue = await callers.call("GET", "/v1/assignments?limit=1", role=Role.EXECUTOR)
    assert plain(queue.json()["items"][0]["appeal"]["evidence"]) == NEEDED
    body = {"stage": "secure", "attachments": [await photo(callers, 20)]}
    after = (await callers.act(appeal["number"], "report", body, role=Role.EXECUTOR)).json()
    assert plain(after["evidence"]) == NEEDED[1:]


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
async def test_every_missing_piece_is_named_with_how_to_mend_it(callers: Callers, language):
    number = (await at_work(callers))["number"]
    refused = await callers.act(
        number, "resolve", {"text": "Жабылды", "no_photo_reason": "түн"}, role=Role.EXECUTOR,
        headers={"accept-language": language},
    )  # fmt: skip
    document = assert_problem(refused, 422, "evidence-missing")
    assert pointers(refused) == {
        "/evidence": "photos-missing",
        "/position": "position-missing",
        "/act_number": "act-missing",
    }
    said = [fault["message"] for fault in document["errors"]]
    assert "/v1/attachments" in said[0]
    assert "100" in said[1]
    assert "118/2026" in said[2]
    assert all("waive" in words or language == "en" for words in said)
    page = await callers.call("GET", "/problems/evidence-missing", role=None)
    assert page.status_code == 200


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
async def test_a_photo_from_before_the_appeal_is_refused_and_said_so(callers: Callers, language):
    early = [await photo(callers, side) for side in (60, 64)]
    number = (await at_work(callers))["number"]
    body = {"text": "Жабылды", "act_number": "118/2026", "position": HERE, "evidence": early}
    headers = {"accept-language": language}
    refused = await callers.act(number, "resolve", body, role=Role.EXECUTOR, headers=headers)
    document = assert_problem(refused, 422, "evidence-missing")
    assert pointers(refused) == {"/evidence": "photos-early"}
    assert document["errors"][0]["params"] == {"needed": 2, "came": 0}
    body["evidence"] = [*early, *[await photo(callers, side) for side in (68, 72)]]
    done = await callers.act(number, "resolve", body, role=Role.EXECUTOR)
    assert done.status_code == 200, done.text


async def test_work_that_is_shown_is_done_and_the_position_is_kept_nowhere(callers: Callers):
    number = (await at_work(callers))["number"]
    body = {"text": "Жабылды", "act_number": "118/2026", "position": FAR}
    body["evidence"] = [await photo(callers, side) for side in (40, 44)]
    far = await callers.act(number, "resolve", body, role=Role.EXECUTOR)
    assert pointers(far) == {"/position": "position-far"}
    assert far.json()["errors"][0]["params"] == {"distance": 1112, "accuracy": 8, "within": 100}
    vague = body | {"position": HERE | {"accuracy": 100.5}}
    refused = await callers.act(number, "resolve", vague, role=Role.EXECUTOR)
    assert pointers(refused) == {"/position/accuracy": "position-vague"}
    done = await callers.act(number, "resolve", body | {"position": HERE}, role=Role.EXECUTOR)
    assert done.status_code == 200, done.text
    assert done.json()["evidence"] == []
    events = await callers.call("GET", f"/v1/appeals/{number}/events")
    last = events.json()["items"][-1]
    assert last["data"]["shown"] == {
        "photos": {"came": 2, "needed": 2, "seen_before": 0},
        "position": {"distance": 0, "accuracy": 8, "within": 100},
    }
    assert last["texts"]["act_number"] == "118/2026"
    assert "50.41" not in events.text


async def test_a_picture_that_was_shown_before_is_told_to_whoever_checks(callers: Callers):
    shown = []
    for _ in range(2):
        number = (await callers.brought_to("in_progress"))["number"]
        body = {"text": "Жабылды", "evidence": [await photo(callers, 36)]}
        done = await callers.act(number, "resolve", body, role=Role.EXECUTOR)
        assert done.status_code == 200, done.text
        events = await callers.call("GET", f"/v1/appeals/{number}/events")
        shown.append(events.json()["items"][-1]["data"].get("shown"))
    assert shown == [None, {"photos": {"came": 1, "needed": 0, "seen_before": 1}}]


@pytest.mark.parametrize(
    ("position", "pointer", "rule"),
    [
        ({"latitude": 50.4, "longitude": 80.2}, "/position/accuracy", "required"),
        (HERE | {"accuracy": -1}, "/position/accuracy", "out-of-range"),
        (HERE | {"accuracy": 1e9}, "/position/accuracy", "out-of-range"),
        (HERE | {"latitude": 91}, "/position/latitude", "out-of-range"),
        (HERE | {"altitude": 200}, "/position/altitude", "unknown"),
        ([50.4, 80.2], "/position", "type"),
    ],
)
async def test_a_position_that_is_none_is_refused(callers: Callers, position, pointer, rule):
    number = (await callers.brought_to("in_progress"))["number"]
    body = {"text": "ok", "no_photo_reason": "түн", "position": position}
    refused = await callers.act(number, "resolve", body, role=Role.EXECUTOR)
    assert pointers(refused) == {pointer: rule}


async def test_an_inspector_lets_evidence_go_on_the_record(callers: Callers):
    number = (await at_work(callers))["number"]
    path = f"/v1/appeals/{number}"
    waive = {"stage": "resolve", "evidence": ["photo", "position"], "reason": "Пәтер ішінде"}
    waived = await callers.act(
        number, "waive", waive, role=Role.INSPECTOR, headers={"accept-language": "en"}
    )
    assert waived.status_code == 200, waived.text
    (resolve,) = [one for one in waived.json()["evidence"] if one["stage"] == "resolve"]
    assert (resolve["photos"], resolve["within_metres"]) == (0, None)
    assert resolve["waived"] == ["photo", "position"]
    assert resolve["text"].endswith("waived by an inspector: photos, position")
    again = await callers.act(number, "waive", waive, role=Role.INSPECTOR)
    assert_problem(again, 409, "conflict")
    body = {"text": "Жөнделді", "act_number": "7/2026"}
    assert (await callers.act(number, "resolve", body, role=Role.EXECUTOR)).status_code == 200
    events = (await callers.call("GET", f"{path}/events")).json()["items"]
    (fact,) = [one for one in events if one["type"] == "appeal.evidence_waived"]
    assert fact["actor"]["role"] == "inspector"
    assert fact["data"] == {"stage": "resolve", "evidence": ["photo", "position"]}
    assert fact["texts"] == {"reason": "Пәтер ішінде"}


async def test_residents_learn_that_evidence_was_let_go_and_not_what_was_written(callers: Callers):
    appeal = await callers.register(Role.CITIZEN, service=EVIDENCED, applicant=...)
    number = appeal["number"]
    waive = {"stage": "resolve", "reason": "Пәтер ішінде"}
    await callers.act(number, "waive", waive, role=Role.INSPECTOR)
    events = await callers.call("GET", f"/v1/appeals/{number}/events", role=Role.CITIZEN)
    fact = events.json()["items"][-1]
    assert fact["type"] == "appeal.evidence_waived"
    assert fact["texts"] == {}


async def test_the_share_of_done_that_residents_refuse_is_told(callers: Callers):
    numbers = [(await callers.brought_to("resolved"))["number"] for _ in range(3)]
    for number, action, body in zip(
        numbers, ("confirm", "confirm", "reopen"), ({}, {}, {"reason": "Жоқ"}), strict=True
    ):
        await callers.act(number, action, body | {"how": "call"}, role=Role.OPERATOR)
    path = "/v1/statistics/executors"
    answer = await callers.call("GET", path, role=Role.HEAD, headers={"accept-language": "en"})
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["items"]
    assert row["organisation"] == {"id": str(KISHI.water), "name": "water"}
    assert row["service"] is None
    heard = row["confirmed"] + row["refused"]
    assert row["refused_share"] == row["refused"] / heard > 0
    assert 0 < row["first_time_right_share"] < 1
    services = await callers.call("GET", path, params={"by": "service"}, role=Role.AUDITOR)
    assert MANHOLE in {item["service"]["code"] for item in services.json()["items"]}


async def test_figures_go_on_from_page_to_page(callers: Callers):
    await callers.brought_to("resolved")
    path, asked = "/v1/statistics/executors", {"by": "service", "limit": "1"}
    whole = (await callers.call("GET", path, params={"by": "service"})).json()
    found, after = [], 0
    while after is not None:
        page = (await callers.call("GET", path, params=asked | {"after": str(after)})).json()
        found += page["items"]
        after = page["next"]
    assert found == whole["items"]


async def test_a_period_is_a_year_at_most(callers: Callers):
    path, now = "/v1/statistics/executors", callers.house.now()

    def days(count: float) -> str:
        return (now - timedelta(days=count)).isoformat().replace("+00:00", "Z")

    longer = await callers.call("GET", path, params={"done_from": days(367)})
    assert_problem(longer, 400, "malformed")
    assert pointers(longer) == {"/done_from": "period-too-long"}
    year = await callers.call("GET", path, params={"done_from": days(365.9)})
    assert year.status_code == 200
    past = await callers.call("GET", path, params={"done_to": days(300)})
    assert past.json()["items"] == []
    assert past.json()["done_to"] == days(300)


async def test_an_appeal_is_judged_by_the_version_that_it_was_registered_under(callers: Callers):
    before = await callers.register(service=STOLEN, answers=SEEN)
    reference = callers.house.references.of(KISHI.id)
    known = reference.catalogue.service(STOLEN)
    newer = replace(known, version=known.version + 1, evidence={Stage.RESOLVE: Need(photos=1)})
    async with callers.house.engine.begin() as connection:
        changes = Changes((), (), (), (newer,), (), ())
        await writer.write_catalogue(connection, KISHI.id, changes)
        await writer.bump(connection, KISHI.id)

    async def demanded() -> bool:
        answer = await callers.call("GET", f"/v1/services/{STOLEN}")
        return bool(answer.json()["evidence"])

    await eventually(demanded)
    after = await callers.register(service=STOLEN, answers=SEEN)
    assert (before["service"]["version"], after["service"]["version"]) == (1, 2)
    assert (before["evidence"], len(after["evidence"])) == ([], 1)
    body, statuses = {"text": "Жабылды", "no_photo_reason": "түн"}, []
    for appeal in (before, after):
        await callers.act(appeal["number"], "accept", role=Role.EXECUTOR)
        done = await callers.act(appeal["number"], "resolve", body, role=Role.EXECUTOR)
        statuses.append(done.status_code)
    assert statuses == [200, 422]


@pytest.mark.parametrize(
    ("language", "reason", "words"),
    [
        ("kk", "work-wants-evidence", "жетпейтіні: фото, акт нөмірі"),
        ("ru", "work-wants-evidence", "не хватает: фото, номер акта"),
        ("en", "work-wants-evidence", "missing: photos, number of the act"),
        ("kk", "termination-wants-evidence", "Қарауды тоқтату жұмыстың орнын баспайды"),
        ("ru", "termination-wants-evidence", "Прекращение рассмотрения не заменяет работы"),
        ("en", "termination-wants-evidence", "Ending the procedure does not end the work"),
        ("kk", "termination-wants-evidence", "жетпейтіні: фото, акт нөмірі"),
        ("ru", "termination-wants-evidence", "не хватает: фото, номер акта"),
        ("en", "termination-wants-evidence", "missing: photos, number of the act"),
    ],
)
def test_a_decision_is_refused_with_the_pieces_that_it_would_stand_for(language, reason, words):
    refusal = Conflict(reason=reason, pieces=(Piece.PHOTO, Piece.ACT_NUMBER))
    said = document(refusal, Request("/v1/appeals/X/decide", language, "r"))["detail"]
    assert words in said
    assert "waive" in said


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("kk", "«Қауіпсіздендіру» кезеңінің де актісі керек"),
        ("ru", "нужен и акт этапа «Обеспечение безопасности»"),
        ("en", "the act of the stage “Making it safe” is needed too"),
    ],
)
def test_a_stage_is_named_in_the_callers_language_and_may_be_waived(language, words):
    params = {"stage": Stage.SECURE, "example": "ҚА-7"}
    refusal = EvidenceMissing([Fault("/act_number", "act-of-stage", params)])
    [said] = document(refusal, Request("/v1/appeals/X/resolve", language, "r"))["errors"]
    assert words in said["message"]
    assert "waive" in said["message"]
    assert said["params"] == {"stage": "secure", "example": "ҚА-7"}, "a word of the API stays one"
