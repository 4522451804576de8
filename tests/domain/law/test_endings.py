"""Why a term in calendar days ends when it does: where its days run out, and its last day."""

from dataclasses import replace
from datetime import date, timedelta

import orjson
import pytest

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.endings import Ending, endings
from domain.appeals.replay import Run, replay
from domain.appeals.workflow import Action
from domain.law.kinds import AppealKind
from domain.sla.policy import Stage
from tests.domain.appeals.acts import speak
from tests.domain.appeals.make import MANHOLE, Life, almaty, intake, reference

A, R, K = Action, Role, AppealKind
CONSIDER = Stage.CONSIDER


def lawful(came: str, kind: AppealKind = K.REQUEST_NOTARY) -> Life:
    life = Life(almaty(came))
    life.register(intake(MANHOLE, appeal_kind=kind))
    return life


def ending(life: Life, round_: int = 1) -> Ending | None:
    found = endings(runs(life), "state-days", life.reference.promises)
    return found.get((CONSIDER, round_))


def runs(life: Life) -> tuple[Run, ...]:
    told = [orjson.loads(event.canonical) for event in life.shelf.events]
    return replay(told, life.reference.promises)


def test_a_term_whose_days_run_out_on_a_day_off_ends_on_the_nearest_working_day():
    # 13 March and ten days are 23 March, Nauryz; 24 and 25 March are off for the weekend in it.
    found = ending(lawful("2026-03-13 10:00"))
    assert found is not None
    assert (found.length, found.out, found.last) == (
        timedelta(days=10), date(2026, 3, 23), date(2026, 3, 26),
    )  # fmt: skip
    assert found.days_off == (date(2026, 3, 23), date(2026, 3, 24), date(2026, 3, 25))
    assert found.worked is None


def test_a_term_that_ends_where_its_days_run_out_needs_no_word():
    assert ending(lawful("2026-03-02 10:00")) is None, "12 March is any Thursday"


def test_a_day_that_a_decree_made_working_ends_the_term_itself():
    found = ending(lawful("2026-08-21 10:00"))
    assert found is not None, "31 August is worked by the Constitution's word"
    assert (found.out, found.last, found.days_off) == (date(2026, 8, 31), date(2026, 8, 31), ())
    assert found.worked == date(2026, 8, 31)


def test_terms_in_working_days_and_the_citys_own_promises_have_none():
    life = lawful("2026-03-06 10:00", K.APPLICATION)
    assert endings(runs(life), "state-days", life.reference.promises) == {}


def test_a_report_of_a_threat_is_no_term_of_days():
    life = Life(almaty("2026-03-07 23:00"))
    life.register(intake(MANHOLE, applicant=None, reports_threat=True))
    assert endings(runs(life), "state-days", life.reference.promises) == {}


def test_a_decree_since_that_nobody_counted_by_explains_nothing():
    life = lawful("2026-05-12 10:00", K.REQUEST_INFORMATION)  # ends on 28 May, after Kurban Ait
    before = ending(life)
    assert before is not None
    life.amend("state-days", date(2026, 5, 28))
    assert ending(life) == before
    life.wait(timedelta(hours=1)).count_again("state-days")
    after = ending(life)
    assert after is not None
    assert (after.out, after.last) == (date(2026, 5, 27), date(2026, 5, 29))
    assert after.days_off == (date(2026, 5, 27), date(2026, 5, 28))
    assert after.working.version == 2


@pytest.mark.parametrize("wait", [timedelta(minutes=1), timedelta(days=3)], ids=str)
def test_a_round_that_was_sent_back_ends_with_the_same_day(wait):
    life = speak(lawful("2026-03-13 10:00"), A.ACCEPT)
    first = ending(life)
    life.wait(wait)
    speak(life, A.RESOLVE, A.RETURN)
    assert first is not None
    assert ending(life, 2) == first


def test_a_term_that_begins_anew_is_counted_from_its_own_receipt():
    life = speak(lawful("2026-03-13 10:00"), A.ACCEPT, A.RESOLVE)
    life.at = almaty("2026-05-01 12:00")  # off: received on Monday 4 May, ten days end on 14 May
    speak(life, A.REOPEN)
    assert ending(life, 2) is None
    assert ending(life) is not None, "what was promised before stays explained"


def test_what_is_put_off_runs_out_later():
    said = reference()
    law = said.promises.laws[1]
    rule = replace(law.kinds[K.REQUEST_NOTARY], prolongable=True)
    lenient = replace(law, kinds={**law.kinds, K.REQUEST_NOTARY: rule})
    city = replace(said, promises=replace(said.promises, laws={1: lenient}))
    life = Life(almaty("2026-03-13 10:00"), city)
    life.register(intake(MANHOLE, appeal_kind=K.REQUEST_NOTARY))
    speak(life, A.ACCEPT)
    life.act(A.PROLONG, c.Prolong(5, "сараптама"), R.HEAD)
    found = ending(life)
    assert found is not None
    assert (found.length, found.out, found.last) == (
        timedelta(days=15), date(2026, 3, 28), date(2026, 3, 30),
    )  # fmt: skip
