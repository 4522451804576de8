"""A decree changes the working calendar: every term of the law follows, whatever it counts by."""

from datetime import date

import orjson
import pytest

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.replay import check
from domain.appeals.workflow import Action
from domain.law.kinds import AppealKind
from domain.sla.policy import Stage
from tests.domain.appeals.acts import speak
from tests.domain.appeals.make import MANHOLE, Life, almaty, intake
from tests.domain.law.make import shown

K = AppealKind
CAME = "2026-05-12 10:00"
OFF = (date(2026, 5, 28), date(2026, 5, 29))


def lawful(kind: AppealKind, *, off: tuple[date, ...] = ()) -> Life:
    """An appeal of 12 May 2026; `off` are days that a decree had made free before."""
    life = Life(almaty(CAME))
    for day in off:
        life.amend("state-days", day)
    life.register(intake(MANHOLE, appeal_kind=kind))
    return life


def due(life: Life, stage: Stage = Stage.CONSIDER) -> str:
    clock = life.appeal.clock(stage)
    assert clock is not None
    return shown(clock.due_at)


def explained(life: Life) -> bool:
    events = [orjson.loads(event.canonical) for event in life.shelf.events]
    return check(life.appeal.clocks, events, life.reference.promises) == ()


def test_a_term_in_calendar_days_ends_on_the_nearest_working_day_of_the_changed_calendar():
    """Fifteen days end on 27 May, Kurban Ait, and so on the 28th; both days after are made free."""
    life = lawful(K.REQUEST_INFORMATION)
    assert due(life) == "2026-05-28"
    for day in OFF:
        life.amend("state-days", day)
    counted = life.count_again("state-days", "Үкімет қаулысы")
    assert not counted.faulty
    assert due(life) == "2026-06-01"
    assert life.appeal.legal is not None
    assert life.appeal.legal.last_day == date(2026, 6, 1)
    told = [orjson.loads(one.canonical) for one in life.shelf.events]
    [data] = [
        one["data"] for one in told
        if one["type"] == "clock.recomputed" and one["data"]["stage"] == "consider"
    ]  # fmt: skip
    assert data["ends_by"] == {"calendar": "state-days", "version": 3}
    assert explained(life)
    assert life.count_again("state-days").changes == (), "what stands already has no event"


@pytest.mark.parametrize("kind", K, ids=str)
@pytest.mark.parametrize("day", ["2026-05-20", "2026-05-28", "2026-06-02", "2026-06-11",
                                 "2026-08-10"])  # fmt: skip
def test_every_kind_is_due_as_though_it_had_come_under_the_changed_calendar(
    kind: AppealKind, day: str
):
    off = date.fromisoformat(day)
    life, fresh = lawful(kind), lawful(kind, off=(off,))
    life.amend("state-days", off)
    assert not life.count_again("state-days").faulty
    for stage in (Stage.CONSIDER, Stage.REDIRECT):
        assert due(life, stage) == due(fresh, stage)
    assert life.appeal.legal == fresh.appeal.legal
    assert explained(life)


def test_a_term_that_was_put_off_keeps_what_it_was_put_off_by():
    life = lawful(K.APPLICATION)
    speak(life, Action.ACCEPT)
    life.act(Action.PROLONG, c.Prolong(5, "сараптама"), Role.HEAD)
    before, own = due(life), life.appeal.legal
    life.amend("state-days", date(2026, 5, 20))
    life.count_again("state-days")
    assert due(life) > before
    assert own is not None
    assert life.appeal.legal is not None
    assert own.last_day is not None
    assert life.appeal.legal.last_day is not None
    assert life.appeal.legal.last_day > own.last_day
    assert life.appeal.legal.prolonged == 5
    assert explained(life)


def test_a_day_that_is_worked_again_brings_the_last_day_back():
    life = lawful(K.REQUEST_INFORMATION)
    for _ in range(2):
        life.amend("state-days", date(2026, 5, 28))
        life.count_again("state-days")
    assert due(life) == "2026-05-28"
    assert explained(life)
