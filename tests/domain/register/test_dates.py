"""Nobody writes an answer on Friday and dates it Monday: not in the export, whoever signs it."""

from datetime import timedelta
from unittest import mock
from uuid import UUID

import pytest

from domain.events import Actor, EventType, Fact
from domain.register.chain import Head, extend
from domain.register.export import Standing
from domain.register.findings import Kind
from tests.domain.register.exports import CITY, Register, audit, audited, kinds, minute, new_id

ONE, OTHER = UUID(int=1000), UUID(int=1001)
BY = Actor("executor", UUID(int=7))
ACT = {"incident": str(UUID(int=7))}


def history(*told, fast=0):
    """A signed export of events: whose, when each was written, when it says that it happened, and
    what it names. `fast`: by so many minutes the city's time is behind the clock's.
    """
    heads: dict[UUID, Head] = {}
    events = []
    for number, (appeal, written, at, *data) in enumerate(told):
        with mock.patch("domain.register.chain.new_id", lambda at=(written, number): _id(*at)):
            heads[appeal], (event,) = extend(
                heads.get(appeal, Head()),
                [Fact(EventType.ACCEPTED, *data)],
                city=CITY, appeal=appeal, about={"number": str(appeal)}, actor=BY,
                at=minute(at - fast),
            )  # fmt: skip
        events.append(event.canonical)
    standings = [Standing(appeal, head.sequence, head.hash) for appeal, head in heads.items()]
    return Register(events, [len(events)], standings).export()


def _id(written, number):
    return UUID(int=new_id(written).int & ~0xFFFF | number)


def at_work(*more):
    """A city that has worked for an hour: every minute somebody does something."""
    return [*((ONE, each, each) for each in range(60)), *more]


def test_what_happens_when_it_is_written_is_no_fault():
    assert audit(history(*at_work((OTHER, 60, 60), (OTHER, 61, 52)))) == []


def test_an_answer_that_is_dated_back_is_found():
    (finding,) = audit(history(*at_work((OTHER, 60, 60), (OTHER, 200, 61))))
    assert finding.kind is Kind.DATED
    assert finding.says == (
        f"leaf 61 ({OTHER}, 2): it says that it happened 2026-11-22 07:01:00 UTC,"
        " and was written 2026-11-22 09:20:00 UTC"
    )


def test_an_answer_that_is_dated_forward_is_found():
    assert kinds(audit(history(*at_work((OTHER, 60, 90))))) == {"dated otherwise"}


def test_an_answer_whose_id_is_dated_back_with_it_is_found_by_the_leaves_before_it():
    (finding,) = audit(history(*at_work((OTHER, 20, 20))))
    assert finding.kind is Kind.DATED
    assert "its id is of 2026-11-22 06:20:00 UTC, and a leaf before it of 2026-11-22 06:59:00" in (
        finding.says
    )


def test_what_committed_late_is_no_fault():
    assert audit(history(*at_work((OTHER, 50, 50)))) == []


def test_a_demonstration_whose_time_runs_otherwise_is_no_fault():
    assert audit(history(*at_work((OTHER, 60, 60), (OTHER, 200, 61)), fast=9000)) == []


def test_a_step_after_an_act_of_its_incident_is_dated_by_the_act():
    joined = (OTHER, 60, 60, ACT)
    followed = audited(history(*at_work(joined, (OTHER, 61, 61, ACT), (OTHER, 200, 65, ACT))))
    assert followed.finish() == []
    assert followed.dates.followed == 1, "which is told"
    # But not to before it was joined, and of no incident that it never joined.
    assert kinds(audit(history(*at_work(joined, (OTHER, 200, 30, ACT))))) == {"dated otherwise"}
    assert kinds(audit(history(*at_work((OTHER, 200, 65, ACT))))) == {"dated otherwise"}
    assert kinds(audit(history(*at_work(joined, (OTHER, 200, 65))))) == {"dated otherwise"}


@pytest.mark.parametrize("later", [timedelta(minutes=11), timedelta(days=400)])
def test_each_that_is_dated_otherwise_is_named(later):
    by = int(later.total_seconds()) // 60
    found = audit(history(*at_work((OTHER, 60 + by, 60), (OTHER, 61 + by, 61))))
    assert [finding.kind for finding in found] == [Kind.DATED, Kind.DATED]
