"""Until when something was promised the events say themselves: an agreement that is edited in
place, with every clock that follows from it, moves no promise unseen."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.replay import check, replay
from domain.appeals.workflow import Action
from domain.law.kinds import AppealKind
from domain.sla.policy import Stage
from tests.domain.appeals.make import MANHOLE, MONDAY, WATER, Life, intake


@pytest.fixture
def life():
    """An application before the law about an open manhole."""
    found = Life()
    found.register(intake(MANHOLE, appeal_kind=AppealKind.APPLICATION))
    found.act(Action.ACCEPT, c.Accept(), organisation=WATER)
    return found


def told_by(life, *, without=()):
    """The events, without what those of before did not tell."""
    events = [orjson.loads(event.canonical) for event in life.shelf.events]
    for promised in events[0]["data"]["promises"]:
        for name in without:
            del promised[name]
    return events


def edited(life):
    """The agreements after somebody made the city's working days of its week days off, in place:
    the same versions of the same calendars.
    """
    promises = life.reference.promises
    week = {MONDAY.date() + timedelta(days=number) for number in range(5)}
    calendars = {
        key: replace(calendar, days_off=calendar.days_off | week)
        for key, calendar in promises.calendars.items()
    }
    return replace(promises, calendars=calendars)


def found(life, *, without=()):
    """What a check finds where the clocks were written to fit the edited agreements."""
    events, promises = told_by(life, without=without), edited(life)
    fitting = [run.clock for run in replay(events, promises)]
    return [(one.stage, one.field) for one in check(fitting, events, promises)]


def test_a_registration_tells_until_when_it_promises(life):
    promised = told_by(life)[0]["data"]["promises"]
    assert {one["stage"]: one["due_at"] for one in promised} == {
        str(clock.stage): clock.due_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for clock in life.appeal.clocks
    }
    assert check(life.appeal.clocks, told_by(life), life.reference.promises) == ()


def test_a_calendar_that_was_edited_in_place_with_its_clocks_is_found(life):
    assert ("consider", "told") in found(life)


def test_what_a_promise_did_not_tell_its_breach_does(life):
    """Of registrations from before due times were told."""
    assert found(life, without=("due_at",)) == []
    life.wait(timedelta(days=40)).tick()
    assert "clock.breached" in life.told()
    assert ("consider", "told") in found(life, without=("due_at",))


def test_a_prolongation_tells_it_as_well(life):
    life.act(Action.PROLONG, c.Prolong(5, "сараптама"), Role.HEAD, WATER)
    assert found(life, without=("due_at",)).count(("consider", "told")) == 2


def test_more_time_tells_it_as_well(life):
    life.extend(Stage.RESOLVE, timedelta(hours=2))
    events = told_by(life, without=("due_at",))
    granted = next(event for event in events if event["type"] == "appeal.extension_granted")
    granted["data"]["due_after"] = granted["at"]
    (difference,) = check(life.appeal.clocks, events, life.reference.promises)
    assert (difference.stage, difference.field) == ("resolve", "told")
