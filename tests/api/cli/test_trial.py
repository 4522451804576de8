"""Drafts tried at the command line: what is in force changes nothing, and a draft binds nothing."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.model import Channel
from domain.appeals.workflow import Action, PauseReason
from tests.support.appeals import perform, register

STARTER = Path(__file__).parents[3] / "catalogues" / "starter"
POLICIES = STARTER / "policies.yaml"
HOURS = timedelta(hours=1)
FALLEN = "manholes.animal-fell-in"
"""To be secured in three hours and solved in a day; it may wait for the resident."""


@pytest.fixture(scope="module")
async def lived(house):
    """Four animals of ten days ago: in time, late, paused and reopened, never looked after."""
    begun = house.now() - timedelta(days=10)
    said: dict[str, Any] = {"service": FALLEN, "answers": {"landmark": "Дүкен алдында"}}
    kept, late, turned = [await register(house, at=begun + n * HOURS, **said) for n in range(3)]
    said["channel"] = Channel.TELEGRAM
    untouched = await register(house, at=begun + 3 * HOURS, **said)
    for appeal, hours in ((kept, 2), (late, 40), (turned, 3)):
        await perform(house, appeal, Action.ACCEPT, c.Accept(), at=begun + hours * HOURS)
    pause = c.PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық")
    await perform(house, turned, Action.PAUSE, pause, at=begun + 4 * HOURS)
    await perform(house, turned, Action.RESUME, c.Resume(), at=begun + 30 * HOURS)
    done = c.Resolve("қақпақ қойылды", (), no_photo_reason="түн")
    for appeal, hours in ((kept, 12), (late, 50), (turned, 40)):
        await perform(house, appeal, Action.RESOLVE, done, at=begun + hours * HOURS)
    reopen = c.Reopen("call", "әлі ашық")
    await perform(house, turned, Action.REOPEN, reopen, role=Role.OPERATOR, at=begun + 60 * HOURS)
    return {"kept": kept, "late": late, "turned": turned, "untouched": untouched}


@pytest.fixture
def asked(ikomek, lived):
    """The report of a trial, as JSON."""

    def ask(*arguments):
        answer = ikomek("trial", *arguments, "--days", "30", "--json")
        assert answer.status == 0, answer.err
        return json.loads(answer.out)

    return ask


@pytest.fixture
def in_force(ikomek, tmp_path):
    """What the city has agreed on, as files."""
    ikomek("catalogue", "export", tmp_path / "catalogue")
    ikomek("organisations", "export", tmp_path / "organisations.yaml")
    return tmp_path


def redrawn(source, target, change):
    document = yaml.safe_load(source.read_text())
    change(document)
    target.write_text(yaml.safe_dump(document, allow_unicode=True))
    return target


def within(policy, stage, amount):
    """A change of one promise."""

    def change(document):
        (found,) = [each for each in document["policies"] if each["code"] == policy]
        (promise,) = [each for each in found["stages"] if each["stage"] == stage]
        promise["within"] = amount

    return change


def standing(url):
    tables = ("event", "clock", "policy_version", "service_version", "responsibility", "city")
    with psycopg.connect(url) as connection:
        return [connection.execute(f"SELECT * FROM {each} ORDER BY 1, 2").fetchall()
                for each in tables]  # fmt: skip


def test_what_is_in_force_changes_nothing(asked, in_force, lived, city_database):
    before = standing(city_database)
    report = asked(
        "--policies", POLICIES, "--catalogue", in_force / "catalogue",
        "--organisations", in_force / "organisations.yaml",
    )  # fmt: skip
    assert report["appeals"] == 4
    assert report["check"] == {"alike": 11, "unlike": 0, "examples": []}
    assert report["total"]["then"] == report["total"]["draft"]
    assert report["total"]["changed"] == 0
    assert all(line["then"] == line["draft"] for line in report["services"])
    assert all(each["then"] == each["draft"] for each in report["executors"])
    assert report["moves"] == report["misfits"] == report["draft"]["services"] == []
    assert report["newly_late"]["appeals"] == report["newly_kept"]["appeals"] == 0
    assert standing(city_database) == before


def test_a_stricter_promise_is_broken_more_often(asked, tmp_path, lived):
    draft = redrawn(POLICIES, tmp_path / "p.yaml", within("open-manhole", "resolve", "PT10H"))
    report = asked("--policies", draft)
    assert report["draft"]["policies"] == ["open-manhole"]
    (line,) = [each for each in report["policies"] if each["stage"] == "resolve"]
    assert line["then"]["breached"] == 3, "the late one, nobody's, and the reopened round"
    assert line["draft"]["breached"] == 5, "two took twelve hours of their own"
    assert line["newly_late"] == report["newly_late"]["appeals"] == 2
    assert set(report["newly_late"]["examples"]) == {lived["kept"].number, lived["turned"].number}
    assert report["replayed"] == 1


def test_a_stage_that_nobody_was_promised_is_met_when_it_would_have_been(asked, tmp_path):
    def more(document):
        (policy,) = [each for each in document["policies"] if each["code"] == "open-manhole"]
        policy["stages"].append(
            {"stage": "arrive", "within": "PT45H", "calendar": "around-the-clock",
             "reopen": {"rule": "none"}, "emergency_on_breach": False, "escalations": []}
        )  # fmt: skip

    report = asked("--policies", redrawn(POLICIES, tmp_path / "p.yaml", more))
    (line,) = [each for each in report["stages"] if each["stage"] == "arrive"]
    assert line["then"]["clocks"] == 0
    assert line["draft"]["kept"] == 2
    assert line["draft"]["breached"] == 2


def test_who_would_have_had_the_appeals_is_told(asked, in_force, lived):
    def without_water(document):
        rules = document["responsibilities"]
        document["responsibilities"] = [each for each in rules if each["organisation"] != "water"]

    source = in_force / "organisations.yaml"
    report = asked("--organisations", redrawn(source, in_force / "o.yaml", without_water))
    (move,) = report["moves"]
    assert (move["from"], move["to"], move["appeals"]) == ("water", "department", 4)
    assert set(move["examples"]) == {appeal.number for appeal in lived.values()}
    loads = {each["organisation"]: (each["then"], each["draft"]) for each in report["executors"]}
    assert loads == {"water": (4, 0), "department": (0, 4)}


def test_a_rule_that_begins_next_month_is_tried_as_if_it_had_begun(asked, in_force, house):
    first = (house.now() + timedelta(days=30)).date().isoformat()

    def hand_over(document):
        for rule in document["responsibilities"]:
            if rule["organisation"] == "water":
                rule["valid_to"] = first
        document["responsibilities"].append(
            {"selector": "manholes", "territory": "city", "organisation": "centre",
             "priority": 10, "valid_from": first}
        )  # fmt: skip

    source = in_force / "organisations.yaml"
    report = asked("--organisations", redrawn(source, in_force / "o.yaml", hand_over))
    assert [(each["from"], each["to"]) for each in report["moves"]] == [("water", "centre")]


def test_appeals_that_a_draft_would_leave_to_nobody_are_counted(ikomek, in_force, lived):
    source, target = in_force / "organisations.yaml", in_force / "o.yaml"
    redrawn(source, target, lambda document: document.update(responsibilities=[]))
    answer = ikomek("trial", "--organisations", target, "--days", "30")
    assert "Left without an executor: 4 appeals." in answer.out


def test_a_form_that_asks_more_tells_whose_answers_no_longer_fit(asked, in_force):
    def stricter(document):
        for category in document["categories"]:
            for service in category["services"]:
                if service["code"] == FALLEN:
                    service["form"]["properties"]["landmark"]["minLength"] = 100
                    service["criticality"] = "emergency"

    source = in_force / "catalogue" / "manholes.yaml"
    redrawn(source, source, stricter)
    report = asked("--catalogue", in_force / "catalogue")
    assert [(each["service"], each["appeals"]) for each in report["misfits"]] == [(FALLEN, 4)]
    changes = {each["change"] for each in report["draft"]["services"]}
    assert {"form", "criticality"} <= changes
    assert report["newly_late"]["appeals"] == 1, "an emergency may not wait for the resident"


def test_two_processes_count_as_one(asked, tmp_path, monkeypatch):
    draft = redrawn(POLICIES, tmp_path / "p.yaml", within("open-manhole", "secure", "PT1H"))
    alone = asked("--policies", draft, "--processes", "1")
    monkeypatch.setattr("api.commands.trial.SLICE", 2)
    both = asked("--policies", draft, "--processes", "2")
    for report in (alone, both):
        report.pop("since"), report.pop("until")
    assert both == alone


def test_tables_and_a_csv_are_for_people_and_spreadsheets(ikomek, tmp_path, lived):
    draft = redrawn(POLICIES, tmp_path / "p.yaml", within("open-manhole", "resolve", "PT10H"))
    target = tmp_path / "lines.csv"
    answer = ikomek("trial", "--policies", draft, "--days", "30", "--csv", target)
    assert "The draft changes policies open-manhole." in answer.out
    assert "Counted by their own rules, 11 of 11 clocks come out as stored." in answer.out
    lines = list(csv.DictReader(target.read_text().splitlines()))
    assert [line["breached under draft"] for line in lines if line["changed"] == "5"] == ["5"]


def test_a_bad_file_is_refused_like_at_its_import(ikomek, tmp_path):
    draft = redrawn(POLICIES, tmp_path / "p.yaml", within("open-manhole", "resolve", "soon"))
    answer = ikomek("trial", "--policies", draft)
    assert answer.status == 1
    assert "'soon' is no duration" in answer.out
    assert ikomek("trial").status == 2
    assert ikomek("trial", "--policies", tmp_path / "none.yaml").status == 2
