"""Whatever is done with an appeal, by whomever and in whatever order, the laws hold."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.model import Appeal, AssignmentState, Channel, Kind
from domain.appeals.replay import differences, replay
from domain.appeals.workflow import WORKED, Action, PauseReason, Status
from domain.catalogue.evidence import STAGES
from domain.eotinish.model import Tale, Told
from domain.errors import Refusal
from domain.law.kinds import AppealKind
from domain.law.standing import Decision, HearingOutcome, HearingWay
from domain.register.canonical import instant
from domain.register.chain import broken_link
from domain.sla.clock import ClockState
from domain.sla.policy import LAW_STAGES, Stage
from tests.domain.appeals.acts import SPEECHES
from tests.domain.appeals.make import (
    CENTRE,
    DEPARTMENT,
    HEATING,
    LIFT,
    LIFTS,
    MANHOLE,
    OTHER,
    PHOTO,
    QUESTION,
    WATER,
    Life,
    intake,
)

A = Action
SERVICES = st.sampled_from([MANHOLE, LIFT, QUESTION, OTHER, HEATING])
ORGANISATIONS = st.sampled_from([WATER, LIFTS, DEPARTMENT, CENTRE])
ROLES = st.sampled_from(Role)
CALENDARS = st.sampled_from(["office-hours", "around-the-clock", "state-days", "every-day"])
RATINGS = st.none() | st.integers(1, 5)
FIRST = st.builds(
    c.FirstAnswer, text=st.just("9–18"), confirmed_by=st.sampled_from([None, "call"]),
    rating=RATINGS,
)  # fmt: skip
SAYINGS: dict[Action, st.SearchStrategy[Any]] = {
    A.ANSWER: st.builds(c.GiveAnswer, FIRST),
    A.ASSIGN: st.builds(c.Assign, ORGANISATIONS),
    A.REDIRECT: st.builds(c.Assign, ORGANISATIONS),
    A.REPORT: st.builds(c.Report, st.sampled_from(Stage)),
    A.PAUSE: st.builds(c.PauseWork, st.sampled_from(PauseReason), st.just("неге")),
    A.RESOLVE: st.builds(c.Resolve, st.just("дайын"), st.sampled_from([(), (PHOTO,)])),
    A.CONFIRM: st.builds(c.Confirm, st.sampled_from(["call", "app"]), RATINGS),
    A.CLASSIFY: st.builds(
        c.Classify, st.none() | st.sampled_from(AppealKind), st.just("түрі"), st.booleans()
    ),
    A.PROLONG: st.builds(c.Prolong, st.integers(1, 60), st.just("сараптама")),
    A.SUMMON: st.builds(
        c.Summon,
        st.datetimes(datetime(2026, 3, 1), datetime(2026, 6, 1), timezones=st.just(UTC)),
        st.sampled_from(HearingWay),
        st.just("бас тартылмақ"),
    ),
    A.HEAR: st.builds(c.Hear, st.sampled_from(HearingOutcome), st.just("хаттама")),
    A.DECIDE: st.builds(c.Decide, st.sampled_from(Decision), st.just("шешім")),
    A.WAIVE: st.builds(c.Waive, st.sampled_from(STAGES), st.just("?"), termination=st.booleans()),
    A.CORRECT: st.builds(
        c.Correct, service=SERVICES, answers=st.sampled_from([{}, {"cover": "broken"}])
    ),
}
"""What is said beside the usual."""
USUAL = {Status.ASSIGNED: {AssignmentState.OFFERED},
         Status.IN_PROGRESS: {AssignmentState.ACCEPTED},
         Status.PAUSED: {AssignmentState.ACCEPTED},
         Status.RESOLVED: {AssignmentState.DONE},
         Status.CHECKED: {AssignmentState.DONE},
         Status.CLOSED: {AssignmentState.DONE}}  # fmt: skip
FINISHED = {Status.RESOLVED, Status.CHECKED}


class AnyLife(RuleBasedStateMachine):
    """One appeal, everybody, any act, any wait."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.former: Appeal | None = None

    @initialize(
        service=SERVICES,
        channel=st.sampled_from(Channel),
        answer=st.none() | FIRST,
        anonymous=st.booleans(),
        kind=st.sampled_from(Kind),
        appeal_kind=st.none() | st.sampled_from(AppealKind),
        reports_threat=st.booleans(),
    )
    def register(self, service, **said):
        self.life.register(intake(service, **said))
        assert self.life.appeal.version == 1

    @rule(data=st.data(), action=st.sampled_from(Action), role=ROLES, organisation=ORGANISATIONS)
    def anybody_does_anything(self, data, action, role, organisation):
        usual_role, usual = SPEECHES[action]
        command = data.draw(SAYINGS.get(action, st.just(usual)))
        self._try(action, command, role, organisation)
        assert usual_role in Role

    @rule(data=st.data(), action=st.sampled_from(Action))
    def the_right_one_does_it(self, data, action):
        role, usual = SPEECHES[action]
        command = data.draw(SAYINGS.get(action, st.just(usual)))
        standing = self.life.appeal.assignment
        at_home = standing.organisation if standing and role is Role.EXECUTOR else None
        self._try(action, command, role, at_home)

    @rule(minutes=st.sampled_from([1, 25, 200, 1500, 12000]))
    def time_passes_and_the_scheduler_looks(self, minutes):
        before = self.life.appeal
        self.life.wait(timedelta(minutes=minutes)).tick()
        after = self.life.appeal
        assert after.status in {before.status, Status.IN_PROGRESS}
        assert after.version - before.version in {0, 1}
        assert not self.life.tick(), "what was due is due no more"

    @rule(stage=st.sampled_from(Stage), minutes=st.sampled_from([30, 600, 3000]))
    def more_time_is_asked_for_and_given(self, stage, minutes):
        with suppress(Refusal):
            self.life.extend(stage, timedelta(minutes=minutes))

    @rule()
    def the_state_decides(self):
        self.life.wait(timedelta(minutes=1)).hear(Told(Tale.DECIDED, "ЖТ-2026-00000001", 3, {}))

    @rule(days=st.integers(-2, 9), code=CALENDARS)
    def a_calendar_changes_and_what_runs_is_counted_again(self, days, code):
        self.life.amend(code, (self.life.at + timedelta(days=days)).date())
        found = self.life.count_again(code)
        assert not found.faulty
        assert not self.life.count_again(code).changes, "what was counted again is not so twice"

    @rule(days=st.integers(0, 9))
    def a_calendar_changes_and_nobody_counts_again(self, days):
        self.life.amend("office-hours", (self.life.at + timedelta(days=days)).date())

    def _try(self, action, command, role, organisation):
        before, told = self.life.appeal, len(self.life.shelf.events)
        try:
            after = self.life.act(action, command, role, organisation)
        except Refusal:
            assert self.life.appeal is before
            assert len(self.life.shelf.events) == told
            return
        assert after.version == before.version + 1
        assert len(self.life.shelf.events) > told
        if after.status is Status.CLOSED and before.status is not Status.CLOSED:
            self._closed_by_a_word(after, role)

    def _closed_by_a_word(self, after, role):
        assert after.confirmation is not None
        assert after.confirmation.role == role
        assert after.confirmation.how in {"call", "app"}
        assert after.confirmation.at == self.life.at
        assert "appeal.confirmed" in self.life.told()[-3:]

    @invariant()
    def only_a_confirmation_closes(self):
        if self.life.number and self.life.appeal.status is Status.CLOSED:
            said = self.life.appeal.confirmation
            assert said is not None
            assert said.role in set(Role)
            assert said.how
            assert self.life.appeal.due_at is None

    @invariant()
    def a_promise_runs_only_where_something_is_owed(self):
        if self.life.number and self.life.appeal.status not in WORKED:
            assert self.life.appeal.due_at is None

    @invariant()
    def the_chain_is_whole(self):
        events = self.life.shelf.events
        links = [(e.canonical, orjson.loads(e.canonical)["previous"]) for e in events]
        assert broken_link(links) is None
        if events:
            assert self.life.appeal.head.hash == events[-1].hash
            assert self.life.appeal.head.sequence == len(events)

    @invariant()
    def the_events_alone_tell_every_clock(self):
        if self.life.number:
            told = [orjson.loads(event.canonical) for event in self.life.shelf.events]
            runs = replay(told, self.life.reference.promises)
            assert list(differences(self.life.appeal.clocks, runs)) == []

    @invariant()
    def an_adverse_act_follows_a_hearing(self):
        legal = self.life.appeal.legal if self.life.number else None
        if legal is not None and legal.decision is Decision.ADVERSE:
            assert legal.hearing is not None
            assert legal.hearing.outcome is not None
            # None of the steps before the work was met by the refusal itself.
            decided = orjson.loads(self.life.shelf.events[-1].canonical)
            if decided["type"] == "appeal.decided":
                steps = [
                    k for k in self.life.appeal.clocks if k.stage in (Stage.ARRIVE, Stage.SECURE)
                ]
                assert decided["at"] not in {instant(k.met_at) for k in steps if k.met_at}

    @invariant()
    def the_law_never_waits(self):
        if self.life.number:
            states = {k.state for k in self.life.appeal.clocks if k.stage in LAW_STAGES}
            assert ClockState.PAUSED not in states

    @invariant()
    def each_stage_has_one_clock_that_runs_at_most(self):
        if not self.life.number:
            return
        going = {ClockState.RUNNING, ClockState.BREACHED, ClockState.PAUSED}
        clocks = self.life.appeal.clocks
        for stage in Stage:
            assert sum(k.stage is stage and k.state in going for k in clocks) <= 1
        paused = any(k.state is ClockState.PAUSED for k in clocks)
        waits = self.life.appeal.status is Status.PAUSED
        assert waits == (self.life.appeal.pause is not None)
        assert waits or not paused

    @invariant()
    def the_assignment_fits_the_status(self):
        if not self.life.number:
            return
        appeal = self.life.appeal
        # Whom the state forestalled did nothing, and has it in name.
        decided = "appeal.state_decided" in self.life.told()
        if appeal.assignment is None:
            away = {Status.ASSIGNED, Status.IN_PROGRESS, Status.PAUSED}
            assert appeal.status not in away | (set() if decided else FINISHED)
        else:
            in_name = decided and appeal.status in FINISHED | {Status.CLOSED}
            recalled = {AssignmentState.RECALLED} if in_name else set()
            assert appeal.assignment.state in USUAL[appeal.status] | recalled


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
