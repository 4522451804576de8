"""The scheduler proves, as it goes, that clocks are what their events tell."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import structlog
from structlog.testing import capture_logs

from api.worker import audit
from api.worker.audit import Audit, Round, edge
from domain.values import new_id
from tests.support.appeals import register
from tests.support.sql import fetch

SPOIL = "UPDATE clock SET due_at = due_at + $2::interval WHERE appeal_id = $1 AND stage = 'secure'"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    # A logger that was used before goes on telling whom it told then.
    monkeypatch.setattr(audit, "log", structlog.get_logger())
    monkeypatch.setattr(audit, "SETTLED", timedelta(0))


@pytest.fixture(autouse=True)
def steps(monkeypatch) -> list[datetime]:
    """When turns would have gone a step of the round; steps are gone where a test says so."""
    wanted: list[datetime] = []

    async def rest(_: Audit, now: datetime) -> None:
        wanted.append(now)

    monkeypatch.setattr(Audit, "go_round", rest)
    return wanted


GO_ROUND = Audit.go_round
WEDNESDAY = audit.MONDAY + timedelta(days=702)


async def told_by(one: Audit, *, at: datetime | None = None) -> list[tuple[str, str, str]]:
    """What one turn tells; with a moment, what one step of the round tells."""
    with capture_logs() as logs:
        await (one.turn() if at is None else GO_ROUND(one, at))
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
    # What has no news since is left to the round.
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


async def test_a_quiet_clock_that_is_stored_otherwise_is_told_within_a_week(house, monkeypatch):
    quiet = [await register(house) for _ in range(4)]
    odd = quiet[1]
    one = Audit(house)
    assert await told_by(one) == []
    await fetch(house, SPOIL, odd.id, timedelta(hours=1))
    assert await told_by(one) == [], "it has no news"
    # The steps are of a week gone by; what they look at was written just now.
    monkeypatch.setattr(audit, "SETTLED", WEDNESDAY - datetime.now(UTC) - timedelta(days=1))
    monkeypatch.setattr(audit, "APPEALS", 3)
    days = [await told_by(one, at=WEDNESDAY + timedelta(hours=hour)) for hour in range(0, 168, 4)]
    told = [line for day in days for line in day]
    assert told == [(str(odd.id), "secure", "due_at")], "once in seven days, not more often"
    await fetch(house, SPOIL, odd.id, timedelta(hours=-1))


async def test_every_turn_goes_a_step_of_the_round(house, steps):
    await Audit(house).turn()
    assert len(steps) == 1
    assert datetime.now(UTC) - steps[0] < timedelta(minutes=1)


async def test_what_changed_this_minute_is_not_yet_judged_on_the_round(house):
    appeal = await register(house)
    now = datetime.now(UTC)
    found = await house.histories.between(FIRST, appeal.id, 9999, quiet_since=edge(now))
    assert appeal.id in {one.id for one in found}
    early = edge(now - timedelta(minutes=1))
    found = await house.histories.between(FIRST, appeal.id, 9999, quiet_since=early)
    assert appeal.id not in {one.id for one in found}


FIRST = UUID(int=0)
OLDEST, NEWEST = UUID(int=1000), UUID(int=8000)
HOUR = timedelta(hours=1)


def looked_at(one: Round, moments: Sequence[datetime], *, full: int = 10**9) -> list[range]:
    """The stretches of a walk; no step looks at more than `full` ids."""
    stretches = []
    for now in moments:
        after, upto = one.stretch(OLDEST, NEWEST, now)
        end = min(upto.int, after.int + full)
        one.went(upto, UUID(int=end) if end < upto.int else None)
        stretches.append(range(after.int + 1, end + 1))
    return stretches


@pytest.mark.parametrize("full", [10**9, 50], ids=["in time", "late"])
def test_a_round_leaves_nothing_out_whenever_it_begins(full):
    moments = [WEDNESDAY + HOUR * n for n in range(2 * 168)]
    seen = {id_ for part in looked_at(Round(), moments, full=full) for id_ in part}
    assert seen >= set(range(OLDEST.int, NEWEST.int + 1))


def test_a_process_that_begins_anew_goes_on_where_the_former_one_ended():
    moments = [WEDNESDAY + HOUR * n for n in range(2, 10)]
    former, later = looked_at(Round(), moments[:4]), looked_at(Round(), moments[4:])
    assert later[0].start <= former[-1].stop
    assert later[-1].stop > former[-1].stop


def test_ids_made_before_a_moment_are_below_its_edge():
    before = new_id()
    now = datetime.now(UTC)
    assert before < edge(now + timedelta(milliseconds=2))
    assert edge(now - timedelta(seconds=1)) < before
    assert edge(now).version == 7
    assert str(edge(now))[19] in "89ab"
