"""The scheduler proves, as it goes, that clocks are what their events tell."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from api.worker import audit
from api.worker.audit import Audit, edge
from domain.values import new_id
from tests.support.appeals import register
from tests.support.sql import fetch

SPOIL = "UPDATE clock SET due_at = due_at + $2::interval WHERE appeal_id = $1 AND stage = 'secure'"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    # A logger that was used before goes on telling whom it told then.
    monkeypatch.setattr(audit, "log", structlog.get_logger())
    monkeypatch.setattr(audit, "SETTLED", timedelta(0))


async def told_by(one: Audit) -> list[tuple[str, str, str]]:
    with capture_logs() as logs:
        await one.turn()
    return [
        (line["appeal_id"], line["stage"], line["field"])
        for line in logs
        if line["event"] == "clock_differs"
    ]


async def test_a_clock_that_is_stored_otherwise_is_told_when_its_appeal_moves(house):
    sound, odd = await register(house), await register(house)
    one = Audit(house)
    assert await told_by(one) == []
    late = await register(house)
    for appeal in (odd, late):
        await fetch(house, SPOIL, appeal.id, timedelta(hours=1))
    # What has no news since is not looked at again by this process; `clocks check` looks at all.
    assert await told_by(one) == [(str(late.id), "secure", "due_at")]
    found = await told_by(Audit(house))
    assert set(found) == {(str(odd.id), "secure", "due_at"), (str(late.id), "secure", "due_at")}
    for appeal in (odd, late):
        await fetch(house, SPOIL, appeal.id, timedelta(hours=-1))
    assert await told_by(Audit(house)) == []
    assert sound.number


async def test_what_is_only_just_written_is_left_for_the_next_turn(house, monkeypatch):
    monkeypatch.setattr(audit, "SETTLED", timedelta(minutes=1))
    appeal = await register(house)
    await fetch(house, SPOIL, appeal.id, timedelta(hours=1))
    assert await told_by(Audit(house)) == []
    await fetch(house, SPOIL, appeal.id, timedelta(hours=-1))


def test_ids_made_before_a_moment_are_below_its_edge():
    before = new_id()
    now = datetime.now(UTC)
    assert before < edge(now + timedelta(milliseconds=2))
    assert edge(now - timedelta(seconds=1)) < before
    assert edge(now).version == 7
    assert str(edge(now))[19] in "89ab"
