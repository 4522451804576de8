"""What a trial reads of lives that others turned: by their own rules every clock is as stored."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.workflow import Action, PauseReason
from domain.eotinish.model import Tale, Told
from domain.sla.policy import Stage
from tests.support.appeals import hear, perform, register
from tests.support.city import KISHI

POLICIES = Path(__file__).parents[3] / "catalogues" / "starter" / "policies.yaml"
FALLEN = "manholes.animal-fell-in"
"""To be secured in three hours and solved in a day; it may wait for the resident."""
HOUR = timedelta(hours=1)
BILL = "lifts.fee-dispute"
"""Forty office hours."""
WAIT = c.PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық")


@pytest.fixture(scope="module")
async def decided(house):
    """Two appeals that the state decided upon in time: after a wait, and without any."""
    begun = house.now() - timedelta(days=10)
    said: dict[str, Any] = {"service": FALLEN, "answers": {"landmark": "Дүкен алдында"}}
    waited, plain = [await register(house, at=begun, **said) for _ in range(2)]
    for appeal in (waited, plain):
        await perform(house, appeal, Action.ACCEPT, c.Accept(), at=begun + HOUR)
    await perform(house, waited, Action.PAUSE, WAIT, at=begun + HOUR)
    await perform(house, waited, Action.RESUME, c.Resume(), at=begun + 1.5 * HOUR)
    for appeal in (waited, plain):
        await hear(house, appeal, Told(Tale.DECIDED, appeal.number, 3, {}), at=begun + 2 * HOUR)
    return waited, plain


@pytest.fixture
def asked(ikomek, tmp_path):
    """The report of a trial of an open manhole's policy, made over by `change`."""

    def ask(change):
        document = yaml.safe_load(POLICIES.read_text())
        (policy,) = [each for each in document["policies"] if each["code"] == "open-manhole"]
        change(policy["stages"])
        draft = tmp_path / "policies.yaml"
        draft.write_text(yaml.safe_dump(document, allow_unicode=True))
        answer = ikomek("trial", "--policies", draft, "--days", "30", "--json")
        assert answer.status == 0, answer.err
        return json.loads(answer.out)

    return ask


def test_what_the_state_decided_is_done_then_and_under_the_draft(asked, decided):
    def stricter(stages):
        arrive = {**stages[0], "stage": "arrive", "within": "PT9H", "reopen": {"rule": "none"}}
        for stage in stages:
            stage["within"] = "PT9H"
        stages.append(arrive)

    report = asked(stricter)
    assert report["check"]["unlike"] == 0
    assert report["replayed"] == 1
    drafted = {each["stage"]: each["draft"] for each in report["stages"]}
    for stage in ("arrive", "secure", "resolve"):
        assert (drafted[stage]["kept"], drafted[stage]["breached"]) == (2, 0), stage


@pytest.fixture(scope="module")
async def extended(house):
    """Work that waited for the resident and was given two hours more; then it was not believed."""
    begun = house.now() - timedelta(days=9)
    appeal = await register(house, at=begun, service=FALLEN, answers={"landmark": "Дүкен алдында"})
    until = begun + 28 * HOUR
    for hours, action, command, role in (
        (1, Action.ACCEPT, c.Accept(), Role.EXECUTOR),
        (2, Action.PAUSE, WAIT, Role.EXECUTOR),
        (4, Action.RESUME, c.Resume(), Role.EXECUTOR),
        (5, Action.EXTEND, c.AskExtension(Stage.RESOLVE, until, "қақпақ жоқ"), Role.EXECUTOR),
        (6, Action.GRANT, c.GrantExtension(), Role.INSPECTOR),
        (27, Action.RESOLVE, c.Resolve("дайын", (), no_photo_reason="түн"), Role.EXECUTOR),
        (30, Action.REOPEN, c.Reopen("call", "әлі ашық"), Role.OPERATOR),
    ):
        appeal = await perform(house, appeal, action, command, role=role, at=begun + hours * HOUR)
    clocks = [clock for clock in appeal.clocks if clock.stage is Stage.RESOLVE]
    assert [clock.round for clock in clocks] == [1, 2]
    assert clocks[0].due_at == until
    return appeal


@pytest.fixture(scope="module")
async def disputed(house):
    """A bill that waited for the resident, and whose clock nobody looked at since."""
    begun = house.now() - timedelta(days=20)
    appeal = await register(house, at=begun, service=BILL, answers={})
    home = KISHI.department
    for hours, action, command in (
        (1, Action.ACCEPT, c.Accept()),
        (2, Action.PAUSE, WAIT),
        (50, Action.RESUME, c.Resume()),
    ):
        appeal = await perform(
            house, appeal, action, command, organisation=home, at=begun + hours * HOUR
        )
    return appeal


def test_more_time_and_a_wait_come_out_as_stored(asked, extended):
    found = asked(lambda stages: None)["check"]
    assert found["alike"] >= len(extended.clocks)
    assert (found["unlike"], found["examples"]) == (0, [])


def test_time_that_was_given_is_given_again_under_a_draft(asked, extended):
    """Done after 27 hours, two of them waited for the resident and two given."""

    def resolve(within, **more):
        def change(stages):
            (stage,) = [each for each in stages if each["stage"] == "resolve"]
            stage |= {"within": within} | more

        (found,) = [each for each in asked(change)["stages"] if each["stage"] == "resolve"]
        return found["newly_late"]

    before = resolve("PT24H")
    assert resolve("PT23H") == before
    assert resolve("PT23H", extend_at_most="PT1H") == before + 1
    assert resolve("PT22H") == before + 1


def test_what_was_counted_again_after_a_wait_comes_out_as_stored(ikomek, asked, disputed, tmp_path):
    clock = disputed.clock(Stage.RESOLVE)
    document = yaml.safe_load(POLICIES.read_text())
    (office,) = [one for one in document["calendars"] if one["code"] == "office-hours"]
    office["days_off"] = [clock.due_at.date().isoformat()]
    path = tmp_path / "calendars.yaml"
    path.write_text(yaml.safe_dump({"calendars": document["calendars"]}, allow_unicode=True))
    assert ikomek("policies", "import", path).status == 0
    again = ("clocks", "recompute", "--calendar", "office-hours", "--reason", "қаулы")
    assert disputed.number in ikomek(*again).out
    found = asked(lambda stages: None)["check"]
    assert (found["unlike"], found["examples"]) == (0, [])
