"""Clocks are proved from the events; a change of calendar is counted only when somebody says so."""

from datetime import timedelta

import orjson
import psycopg
import pytest
import yaml

from api.commands import recompute
from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.workflow import Action
from tests.support.appeals import perform, register
from tests.support.city import KISHI, STARTER

BILL = "lifts.fee-dispute"
"""Forty office hours."""
DAY = timedelta(days=1)


@pytest.fixture
async def appeal(house):
    """A bill disputed on the Friday before last, whose clock still runs, or is broken."""
    now = house.now()
    friday = now - (now.weekday() - 4) % 7 * DAY - 7 * DAY
    return await register(house, at=friday, service=BILL, answers={})


@pytest.fixture
def owner(city_database):
    with psycopg.connect(city_database, autocommit=True) as connection:
        yield connection


def clock_of(owner, appeal, stage="resolve"):
    return owner.execute(
        "SELECT state, due_at, calendar_version FROM clock WHERE appeal_id = %s AND stage = %s"
        " ORDER BY round DESC LIMIT 1",
        [appeal.id, stage],
    ).fetchone()


def test_honest_clocks_are_what_their_events_tell(ikomek, appeal):
    answer = ikomek("clocks", "check")
    assert answer.status == 0, answer.out + answer.err
    assert "Every clock is what its events tell" in answer.out


@pytest.mark.parametrize(
    ("field", "forged"),
    [
        ("due_at", "due_at + interval '1 second'"),
        ("next_at", "NULL"),
        ("target", "target + interval '1 hour'"),
        ("state", "'met'"),
        ("calendar_version", "calendar_version + 1"),
        ("breached_at", "now()"),
    ],
)
def test_a_clock_that_was_tampered_with_is_named(ikomek, appeal, owner, field, forged):
    kept = owner.execute(f"SELECT {field} FROM clock WHERE appeal_id = %s", [appeal.id]).fetchone()
    owner.execute(f"UPDATE clock SET {field} = {forged} WHERE appeal_id = %s", [appeal.id])
    try:
        answer = ikomek("clocks", "check", "--city", "kishi")
    finally:
        owner.execute(f"UPDATE clock SET {field} = %s WHERE appeal_id = %s", [kept[0], appeal.id])
    assert answer.status == 1
    assert f"{appeal.number} resolve/1 {field}: stored" in answer.out
    assert ikomek("clocks", "check").status == 0


def test_a_clock_that_no_event_began_and_one_that_is_gone_are_named(ikomek, appeal, owner):
    owner.execute("UPDATE clock SET round = 2 WHERE appeal_id = %s", [appeal.id])
    answer = ikomek("clocks", "check")
    owner.execute("UPDATE clock SET round = 1 WHERE appeal_id = %s", [appeal.id])
    assert answer.status == 1
    assert f"{appeal.number} resolve/1 stored: stored False, told True" in answer.out
    assert f"{appeal.number} resolve/2 stored: stored True, told False" in answer.out


@pytest.fixture
async def done(house):
    appeal = await register(house)
    return await perform(house, appeal, Action.WITHDRAW, c.Withdraw("call"), role=Role.OPERATOR)


def test_finished_clocks_may_be_left_out(ikomek, done, owner):
    spoil = "UPDATE clock SET due_at = due_at + %s * interval '1 hour' WHERE appeal_id = %s"
    owner.execute(spoil, [1, done.id])
    told = [ikomek("clocks", "check", *each).status for each in ((), ("--open",))]
    owner.execute(spoil, [-1, done.id])
    assert told == [1, 0]


@pytest.fixture
def changed(ikomek, owner, appeal, tmp_path):
    """The calendar with the day on which the clock is due made a day off: its next version."""
    document = yaml.safe_load((STARTER / "policies.yaml").read_text())
    (office,) = (one for one in document["calendars"] if one["code"] == "office-hours")
    _, due_at, version = clock_of(owner, appeal)
    office["days_off"] = sorted({due_at.date().isoformat()})
    office["names"] |= {"en": f"Office hours {version + 1}"}
    path = tmp_path / "calendars.yaml"
    path.write_text(yaml.safe_dump({"calendars": document["calendars"]}, allow_unicode=True))
    answer = ikomek("policies", "import", path)
    assert answer.status == 0, answer.err
    return due_at


REASON = "Қаулы № 12: осы күн демалыс"


def count_again(ikomek, *more):
    return ikomek("clocks", "recompute", "--calendar", "office-hours", "--reason", REASON, *more)


def events_of(owner, appeal):
    found = owner.execute(
        "SELECT canonical FROM event WHERE appeal_id = %s AND type = 'clock.recomputed'"
        " ORDER BY sequence",
        [appeal.id],
    ).fetchall()
    return [orjson.loads(bytes(row[0])) for row in found]


def test_an_import_alone_touches_no_clock_that_runs(ikomek, appeal, owner, changed):
    assert clock_of(owner, appeal)[1] == changed
    assert ikomek("clocks", "check").status == 0


def test_a_dry_run_says_what_would_change_and_changes_nothing(ikomek, appeal, owner, changed):
    answer = count_again(ikomek, "--dry-run")
    assert answer.status == 0, answer.err
    assert f"{appeal.number} resolve/1: " in answer.out
    assert clock_of(owner, appeal)[1] == changed
    assert events_of(owner, appeal) == []


def test_counting_again_is_recorded_once_and_agrees_with_the_events(ikomek, appeal, owner, changed):
    member = KISHI.ident("member-administrator")
    answer = count_again(ikomek, "--by", member)
    assert answer.status == 0, answer.out + answer.err
    _, due_at, version = clock_of(owner, appeal)
    assert due_at > changed
    (event,) = events_of(owner, appeal)
    said = event["data"]
    assert (said["stage"], said["round"], said["calendar"]) == ("resolve", 1, "office-hours")
    assert (said["version_before"], said["version_after"]) == (version - 1, version)
    assert said["reason"] == REASON
    assert event["actor"]["id"] == str(member)
    assert ikomek("clocks", "check").status == 0
    again = count_again(ikomek)
    assert again.status == 0
    assert "Counted again: 0 clocks" in again.out
    assert len(events_of(owner, appeal)) == 1


def test_what_somebody_holds_is_left_for_the_next_run(
    ikomek, appeal, owner, changed, city_database, monkeypatch
):
    monkeypatch.setattr(recompute, "PASSES", 2)
    monkeypatch.setattr(recompute, "REST", 0)
    with psycopg.connect(city_database) as holder:
        holder.execute("SELECT 1 FROM appeal WHERE id = %s FOR UPDATE", [appeal.id])
        answer = count_again(ikomek)
        assert answer.status == 1
        assert "in use" in answer.err
        assert events_of(owner, appeal) == []
        holder.rollback()
    assert count_again(ikomek).status == 0
    assert len(events_of(owner, appeal)) == 1


def test_a_clock_that_is_not_what_its_events_tell_is_left_alone(ikomek, appeal, owner, changed):
    shift = "UPDATE clock SET due_at = due_at + %s * interval '1 hour' WHERE appeal_id = %s"
    owner.execute(shift, [1, appeal.id])
    answer = count_again(ikomek)
    owner.execute(shift, [-1, appeal.id])
    assert answer.status == 1
    assert f"{appeal.number} was left alone" in answer.err
    assert events_of(owner, appeal) == []
    assert count_again(ikomek).status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--calendar", "lunar", "--reason", REASON),
        ("--calendar", "office-hours", "--reason", " "),
        ("--calendar", "office-hours", "--reason", "x" * 301),
        ("--calendar", "office-hours", "--reason", "сұраған +7 701 555 01 09"),
        ("--calendar", "office-hours", "--reason", REASON, "--by", str(KISHI.water)),
    ],
    ids=["no such calendar", "no reason", "a long reason", "a person", "no member"],
)
def test_what_cannot_be_counted_again_is_refused(ikomek, arguments):
    assert ikomek("clocks", "recompute", *arguments).status == 2
