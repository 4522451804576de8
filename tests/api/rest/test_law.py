"""The law's clock over HTTP: shown beside the city's own, explained, acted on and controlled."""

from datetime import date, timedelta
from typing import Any

import pytest
import yaml

from api.rest.explain import end_sentence
from domain.access import NOBODY, Principal, Role
from domain.appeals.endings import Ending
from domain.appeals.recounts import recompute_clocks
from integrations.postgres import reference_writer
from tests.domain.law.make import working
from tests.support.city import KISHI, LAW
from tests.support.rest import Callers, assert_problem, intake
from tests.support.sql import fetch
from tests.support.worker import eventually

R = Role
IN_ENGLISH = {"accept-language": "en"}


async def lawful(callers: Callers, kind: str = "application", **said: Any) -> dict[str, Any]:
    found: dict[str, Any] = await callers.register(R.OPERATOR, appeal_kind=kind, **said)
    return found


async def test_an_appeal_shows_law_and_city_and_which_of_them_leads(callers: Callers):
    appeal = await lawful(callers)
    number = appeal["number"]
    read = await callers.call("GET", f"/v1/appeals/{number}", role=R.INSPECTOR, headers=IN_ENGLISH)
    found = read.json()
    legal = found["legal"]
    assert (legal["kind"], legal["name"], legal["article"]) == (
        "application", "Application", "АППК 76",
    )  # fmt: skip
    assert legal["considered"]
    assert {"consider", "redirect", "resolve"} <= {clock["stage"] for clock in found["clocks"]}
    assert found["leading"]["by"] == "standard"
    assert found["leading"]["due_at"] == found["due_at"] or found["leading"]["stage"] == "resolve"
    assert "city's standard is stricter" in found["leading"]["sentence"]
    assert "АППК 76" in found["leading"]["sentence"]
    told = await callers.call(
        "GET", f"/v1/appeals/{number}/sla/explain", role=R.INSPECTOR,
        headers=IN_ENGLISH,
    )  # fmt: skip
    explained = told.json()
    clocks = {clock["stage"]: clock for clock in explained["clocks"]}
    assert explained["leading"]["by"] == "standard"
    assert clocks["resolve"]["leads"]
    assert not clocks["consider"]["leads"]
    assert (clocks["consider"]["by"], clocks["resolve"]["by"]) == ("law", "standard")
    assert clocks["consider"]["article"] == "АППК 76"
    assert clocks["redirect"]["article"] == "АППК 65"
    assert "15 d promised" in clocks["consider"]["sentence"]
    assert all(clock["agrees"] for clock in explained["clocks"])


async def test_the_resident_reads_that_the_term_was_put_off(callers: Callers):
    made = await callers.register(R.CITIZEN, applicant=...)
    number = made["number"]
    said = {"kind": "application", "reason": "Арыз"}
    assert (await callers.act(number, "classify", said, role=R.INSPECTOR)).status_code == 200
    assert (await callers.act(number, "accept", {}, role=R.EXECUTOR)).status_code == 200
    more = {"days": 7, "reason": "Сараптама керек"}
    done = await callers.act(number, "prolong", more, role=R.HEAD)
    assert done.status_code == 200, done.text
    assert done.json()["legal"]["prolonged"] == 7
    events = await callers.call("GET", f"/v1/appeals/{number}/events", role=R.CITIZEN)
    (notice,) = [e for e in events.json()["items"] if e["type"] == "appeal.prolonged"]
    assert notice["texts"]["reason"] == "Сараптама керек"
    refused = await callers.act(number, "prolong", {"days": 90, "reason": "Көп"}, role=R.HEAD)
    problem = assert_problem(refused, 422, "invalid")
    assert problem["errors"][0]["rule"] == "prolonged-too-far"


async def test_an_adverse_decision_wants_a_hearing(callers: Callers):
    number = (await lawful(callers))["number"]
    await callers.act(number, "accept", {}, role=R.EXECUTOR)
    said = {"decision": "adverse", "text": "Бас тартылды"}
    refused = await callers.act(number, "decide", said, role=R.EXECUTOR, headers=IN_ENGLISH)
    assert "must be heard" in assert_problem(refused, 409, "conflict")["detail"]


async def test_residents_do_not_say_what_the_law_calls_it(callers: Callers):
    said = intake(applicant=..., channel="app", appeal_kind="complaint")
    refused = await callers.call("POST", "/v1/appeals", said, role=R.CITIZEN)
    problem = assert_problem(refused, 422, "invalid")
    assert [(e["pointer"], e["rule"]) for e in problem["errors"]] == [
        ("/appeal_kind", "staff-only")
    ]


async def test_control_goes_from_the_city_down(callers: Callers):
    await lawful(callers)
    whole = (await callers.call("GET", "/v1/control/organisations", role=R.AKIM)).json()
    assert whole["node"]["id"] is None
    assert whole["node"]["figures"]["open"] >= 1
    department = next(one for one in whole["items"] if one["id"] == str(KISHI.department))
    assert department["below"] == 1
    under = await callers.call(
        "GET", f"/v1/control/organisations?under={KISHI.department}", role=R.AKIM
    )
    (water,) = under.json()["items"]
    assert water["id"] == str(KISHI.water)
    assert water["figures"]["open"] <= department["figures"]["open"]
    places = (await callers.call("GET", "/v1/control/territories", role=R.AKIM)).json()
    assert [one["code"] for one in places["items"]] == ["centre"]
    assert places["node"]["figures"] == whole["node"]["figures"]
    listed = await callers.call(
        "GET", f"/v1/control/appeals?matter=open&organisation={KISHI.water}&limit=1", role=R.AKIM
    )
    assert len(listed.json()["items"]) == 1
    if listed.json()["next"]:
        more = await callers.call(
            "GET",
            f"/v1/control/appeals?matter=open&organisation={KISHI.water}&limit=100"
            f"&cursor={listed.json()['next']}",
            role=R.AKIM,
        )
        ids = {one["id"] for one in more.json()["items"]}
        assert listed.json()["items"][0]["id"] not in ids


async def test_a_head_controls_its_own_and_knows_no_other(callers: Callers):
    own = (await callers.call("GET", "/v1/control/organisations", role=R.HEAD)).json()
    assert own["node"]["id"] == str(KISHI.water)
    assert own["items"] == []
    for path in (
        f"/v1/control/organisations?under={KISHI.department}",
        f"/v1/control/appeals?organisation={KISHI.department}",
        "/v1/control/territories?under=nowhere",
    ):
        assert_problem(await callers.call("GET", path, role=R.HEAD), 404, "not-found")
    assert_problem(
        await callers.call("GET", "/v1/control/organisations", role=R.EXECUTOR),
        403,
        "not-permitted",
    )


async def test_an_administrator_makes_a_day_off_and_the_open_terms_are_counted_again(
    callers: Callers,
):
    house = callers.house
    number = (await lawful(callers, "application"))["number"]
    appeal = await callers.call("GET", f"/v1/appeals/{number}", role=R.INSPECTOR)
    last = date.fromisoformat(appeal.json()["legal"]["last_day"])
    decree = "Үкімет қаулысы № 12"
    said = {"calendar": "state-days", "date": last.isoformat(), "kind": "off", "decree": decree}
    refused = await callers.call("POST", "/v1/calendars/days", said, role=R.INSPECTOR)
    assert_problem(refused, 403, "not-permitted")
    done = await callers.call("POST", "/v1/calendars/days", said, role=R.ADMINISTRATOR)
    assert done.status_code == 201, done.text
    assert done.json()["decrees"][last.isoformat()] == decree
    again = await callers.call("POST", "/v1/calendars/days", said, role=R.ADMINISTRATOR)
    assert_problem(again, 409, "conflict")
    await house.references.refresh(house.now())
    before = house.references.of(KISHI.id).promises
    assert before.calendar("state-days").version == done.json()["version"]
    clocks = (await callers.call("GET", f"/v1/appeals/{number}/clocks", role=R.INSPECTOR)).json()
    due = {clock["stage"]: clock["due_at"] for clock in clocks["items"]}
    system = Principal(NOBODY, R.SYSTEM, KISHI.id)
    async with house.units.open(system) as uow:
        found = await recompute_clocks(
            "state-days", decree, uow=uow, reference=house.references.of(KISHI.id),
            at=house.now(), limit=100,
        )  # fmt: skip
        await uow.commit()
    assert not found.faulty
    path = f"/v1/appeals/{number}/sla/explain"

    async def explained() -> bool:
        """The API reads a new calendar within about a second."""
        answer = await callers.call("GET", path, role=R.INSPECTOR)
        return answer.status_code == 200

    await eventually(explained)
    told = await callers.call("GET", path, role=R.INSPECTOR, headers=IN_ENGLISH)
    clocks_now = {clock["stage"]: clock for clock in told.json()["clocks"]}
    assert clocks_now["consider"]["due_at"] > due["consider"]
    (recount,) = clocks_now["consider"]["recomputations"]
    assert recount["reason"] == decree
    off = [day for one in clocks_now["consider"]["intervals"] for day in one["days_off"]]
    assert [one["decree"] for one in off if one["date"] == last.isoformat()] == [decree]
    assert all(clock["agrees"] for clock in told.json()["clocks"])
    back = said | {"kind": "usual"}
    assert (
        await callers.call("POST", "/v1/calendars/days", back, role=R.ADMINISTRATOR)
    ).status_code == 201


async def test_a_term_in_calendar_days_follows_the_decree_and_says_so(callers: Callers):
    house = callers.house
    number = (await lawful(callers, "request-information"))["number"]
    path = f"/v1/appeals/{number}"
    before = (await callers.call("GET", path, role=R.INSPECTOR)).json()["legal"]["last_day"]
    decree = "Үкімет қаулысы № 13"
    said = {"calendar": "state-days", "date": before, "kind": "off", "decree": decree}
    done = await callers.call("POST", "/v1/calendars/days", said, role=R.ADMINISTRATOR)
    assert done.status_code == 201, done.text
    await house.references.refresh(house.now())
    async with house.units.open(Principal(NOBODY, R.SYSTEM, KISHI.id)) as uow:
        found = await recompute_clocks(
            "state-days", decree, uow=uow, reference=house.references.of(KISHI.id),
            at=house.now(), limit=500,
        )  # fmt: skip
        await uow.commit()
    assert not found.faulty
    assert number in [one for one, _, _ in found.moved]
    read = (await callers.call("GET", path, role=R.INSPECTOR)).json()
    assert read["legal"]["last_day"] > before

    async def explained() -> bool:
        """The API reads a new calendar within about a second."""
        answer = await callers.call("GET", f"{path}/sla/explain", role=R.INSPECTOR)
        return answer.status_code == 200

    await eventually(explained)
    ends = {
        "kk": "сондықтан мерзім ең жақын жұмыс күні",
        "ru": "срок кончается в ближайший рабочий день",
        "en": "the term ends on the nearest working day",
    }
    for language, words in (("kk", "күнтізбесі"), ("ru", "календарь"), ("en", "calendar")):
        told = await callers.call(
            "GET", f"{path}/sla/explain", role=R.INSPECTOR, headers={"accept-language": language}
        )
        clock = {one["stage"]: one for one in told.json()["clocks"]}["consider"]
        assert clock["agrees"]
        (recount,) = clock["recomputations"]
        assert words in recount["sentence"]
        assert decree in recount["sentence"]
        assert ends[language] in clock["sentence"]
        assert decree in clock["sentence"]
        assert "{" not in clock["sentence"]
    back = said | {"kind": "usual"}
    undone = await callers.call("POST", "/v1/calendars/days", back, role=R.ADMINISTRATOR)
    assert undone.status_code == 201


@pytest.mark.parametrize(
    ("language", "moved", "worked"),
    [
        ("kk", "Мерзімнің өзі, 10 тәул, 23 наурыз бітеді, ол жұмыс күні емес; сондықтан мерзім ең"
               " жақын жұмыс күні, 26 наурыз, аяқталады. Демалыс күндері: 23 наурыз (Наурыз",
         "Мерзім жұмыс күні етілген күні аяқталады: 31 тамыз ("),
        ("ru", "Сами 10 сут истекают 23 марта, в нерабочий день; срок кончается в ближайший рабочий"
               " день, 26 марта. Выходные: 23 марта (Наурыз",
         "Срок кончается в день, объявленный рабочим: 31 августа ("),
        ("en", "The 10 d themselves run out on 23 March, a day off; the term ends on the nearest"
               " working day, 26 March. Days off: 23 March (Nauryz; Ministry of Labour",
         "The term ends on a day that was made a working one: 31 August (The Constitution"),
    ],
)  # fmt: skip
def test_the_end_of_a_term_in_calendar_days_is_told_with_what_moved_it(language, moved, worked):
    calendar = working()
    ten = timedelta(days=10)
    later = Ending(ten, date(2026, 3, 23), date(2026, 3, 26), calendar)
    assert moved in end_sentence(later, language)
    assert "2026" in end_sentence(later, language), "the calendar that says so"
    itself = Ending(ten, date(2026, 8, 31), date(2026, 8, 31), calendar)
    assert worked in end_sentence(itself, language)
    assert "1 July 2026" in end_sentence(itself, language)
    assert end_sentence(None, language) == ""


async def test_an_import_of_the_file_takes_no_day_back_that_an_administrator_gave(
    callers: Callers,
):
    said = {"calendar": "state-days", "date": "2029-02-14", "kind": "off", "decree": "Боран"}
    done = await callers.call("POST", "/v1/calendars/days", said, role=R.ADMINISTRATOR)
    assert done.status_code == 201, done.text
    document = yaml.safe_load(LAW.read_text())
    for changed in (False, True):
        if changed:
            [days] = [one for one in document["calendars"] if one["code"] == "state-days"]
            days["days_off"] = [*days["days_off"], {"date": "2029-03-01", "decree": "Қаулы"}]
        async with callers.house.engine.begin() as connection:
            await reference_writer.write_policies(connection, KISHI.id, document)
        [newest] = await fetch(
            callers.house,
            "SELECT content::text AS said, written_by FROM calendar_version"
            " WHERE city_id = $1 AND code = 'state-days' ORDER BY version DESC LIMIT 1",
            KISHI.id,
        )
        assert "2029-02-14" in newest["said"]
        assert newest["written_by"] == KISHI.principal(R.ADMINISTRATOR).id
        assert ("2029-03-01" in newest["said"]) is changed


async def test_a_calendar_that_is_not_there_and_one_without_days_are_not_changed(callers: Callers):
    said = {"calendar": "nowhere", "date": "2030-01-02", "kind": "off", "decree": "Қаулы"}
    refused = await callers.call("POST", "/v1/calendars/days", said, role=R.ADMINISTRATOR)
    problem = assert_problem(refused, 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/calendar"
    said["calendar"] = "around-the-clock"
    refused = await callers.call("POST", "/v1/calendars/days", said, role=R.ADMINISTRATOR)
    assert_problem(refused, 409, "conflict")


async def test_a_node_says_of_itself_what_is_said_of_it_above(callers: Callers):
    await lawful(callers)
    whole = (await callers.call("GET", "/v1/control/territories", role=R.AKIM)).json()
    centre = await callers.call("GET", "/v1/control/territories?under=centre", role=R.AKIM)
    (listed,) = [one for one in whole["items"] if one["code"] == "centre"]
    assert centre.json()["node"] == listed
    assert centre.json()["items"] == []
