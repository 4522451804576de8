from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from domain.sla.calendar import Calendar, parse_calendar
from domain.sla.clock import start
from domain.sla.policy import Policy, parse_policy, policy_document

SOURCE = Path(__file__).parents[3] / "catalogues" / "starter" / "policies.yaml"
STARTER = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
ROWS = STARTER["policies"]
REGISTERED = datetime(2026, 4, 3, 11, tzinfo=UTC)


@pytest.fixture(scope="module")
def calendars() -> dict[str, Calendar]:
    rows = STARTER["calendars"]
    years = range(2026, 2029)
    return {
        row["code"]: parse_calendar(row, version=1, zone="Asia/Almaty", years=years) for row in rows
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_a_starter_policy_parses_whole_and_starts_its_clocks(
    row: dict[str, object], calendars: dict[str, Calendar]
) -> None:
    policy: Policy = parse_policy(row, version=1)
    assert policy.promises
    assert parse_policy(policy_document(policy), version=1) == policy
    for promise in policy.promises:
        clock = start(promise, policy, calendars[promise.calendar], at=REGISTERED)
        assert clock.due_at > REGISTERED


def test_starter_codes_are_said_once_and_channels_name_a_known_policy() -> None:
    codes = [row["code"] for row in ROWS]
    assert len(codes) == len(set(codes))
    assert "default" in codes
    assert {row["policy"] for row in STARTER["channel_policies"]} <= set(codes)


def test_a_person_in_a_lift_is_reached_in_twenty_minutes_or_it_is_an_emergency() -> None:
    row = next(row for row in ROWS if row["code"] == "person-in-lift")
    arrive = next(stage for stage in row["stages"] if stage["stage"] == "arrive")
    assert (arrive["within"], arrive["emergency_on_breach"]) == ("PT20M", True)
