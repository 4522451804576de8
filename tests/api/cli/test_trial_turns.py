"""What a trial reads of lives that others turned: by their own rules every clock is as stored."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.appeals import commands as c
from domain.appeals.workflow import Action, PauseReason
from domain.eotinish.model import Tale, Told
from tests.support.appeals import hear, perform, register

POLICIES = Path(__file__).parents[3] / "catalogues" / "starter" / "policies.yaml"
FALLEN = "manholes.animal-fell-in"
"""To be secured in three hours and solved in a day; it may wait for the resident."""
HOUR = timedelta(hours=1)
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
