"""Nothing twice and nothing lost, whatever the gateway does and whoever dies.

The long form is `python -m benchmarks.eotinish storm`: 10,000 appeals, 30,000 status messages.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.eotinish.reconciling import Report
from tests.conftest import make_settings
from tests.support.eotinish import ENVIRONMENT, stand_in, write_file
from tests.support.storm import Storm, faults_of, rage

APPEALS = 30


def test_numbers_that_were_mixed_up_are_a_fault_of_the_storm():
    cases: list[dict[str, Any]] = [
        {"number": f"ЖТ-{place}", "own_number": f"KIS-{place}", "state": "FINISHED",
         "taken": [{"type": "stateExecution"}, {"type": "stateFinished"}]}
        for place in (1, 2)
    ]  # fmt: skip
    storm = Storm(
        statuses={"closed": 2}, report=Report(UUID(int=1), datetime.now(UTC), 2, 2),
        told={"cases": cases, "violations": []},
        numbers={"KIS-1": "ЖТ-1", "KIS-2": "ЖТ-2"},
    )  # fmt: skip
    assert faults_of(storm, 2) == []
    storm.numbers = {"KIS-1": "ЖТ-2", "KIS-2": "ЖТ-1"}
    assert len(faults_of(storm, 2)) == 2


@pytest.mark.timeout(240)
async def test_both_registers_agree_after_a_storm(house, tmp_path, monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with stand_in(tmp_path) as state:
        file = write_file(
            state.url, tmp_path, gateway_timeout=2, retry_seconds=0.1, poll_seconds=0.1
        )
        settings = make_settings(house.settings.database_url, tmp_path, eotinish=file)
        storm = await rage(house, settings, state, APPEALS, workers=2, kills=2, within=200.0)
    assert faults_of(storm, APPEALS) == []
    assert storm.killed > 0
    assert storm.told["counts"].get("lost", 0) > 0
    assert storm.told["counts"].get("ON_DELIVERY", 0) > 0
    assert storm.told["counts"].get("NOT_DELIVERED", 0) > 0
