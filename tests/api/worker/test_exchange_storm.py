"""Nothing twice and nothing lost, whatever the gateway does and whoever dies.

The long form is `python -m benchmarks.eotinish storm`: 10,000 appeals, 30,000 status messages.
"""

import pytest

from tests.conftest import make_settings
from tests.support.eotinish import ENVIRONMENT, stand_in, write_file
from tests.support.storm import faults_of, rage

APPEALS = 30


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
