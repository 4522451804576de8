"""A drafted law is counted as if it had been so: the same life in a city that has it says how."""

from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.appeals.model import Channel, Kind
from domain.appeals.workflow import Action, PauseReason
from domain.law.kinds import AppealKind
from domain.law.model import Law
from domain.reference import Reference
from domain.sla.policy import LAW_STAGES, Stage
from domain.sla.timeline import instant
from domain.trials.draft import Agreed, Trial, on_trial
from domain.trials.laws import changed, untried
from domain.trials.lives import outcome_of
from domain.trials.slices import STAGES
from domain.trials.tally import Outcome
from tests.domain.appeals.make import OTHER, Life, almaty, reference
from tests.domain.trials.test_count import DAY, DRAWN, NOW, counted, live

A, K = Action, AppealKind
WISHES = {Kind.COMPLAINT: K.COMPLAINT, Kind.APPLICATION: K.APPLICATION, Kind.REQUEST: K.REQUEST}
TERMS = sorted(code for code, _ in reference().promises.policies if code.startswith("law-")
               and code.endswith("days"))  # fmt: skip
ACTS = (A.ASSIGN, A.ACCEPT, A.RESOLVE, A.RETURN, A.REOPEN, A.CHECK, A.CONFIRM, A.PROLONG,
        A.REDIRECT, A.WITHDRAW, A.DECIDE)  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 9000)), max_size=9)
WAIT = (Stage.RESOLVE, PauseReason.AWAITING_RESIDENT)


def law(**kinds: str) -> Law:
    """The law in force with other policies for kinds, by their names with _ for -."""
    known = reference().promises.laws[1]
    moved = {
        kind: replace(rule, policy=kinds.get(kind.replace("-", "_"), rule.policy))
        for kind, rule in known.kinds.items()
    }
    return replace(known, kinds=moved)


def under(drafted: Law) -> Reference:
    """A city that has it."""
    city = reference()
    return replace(city, promises=replace(city.promises, laws={1: drafted}))


def tried(drafted: Law) -> Trial:
    return on_trial(reference(), DRAWN, DAY, agreed=Agreed(law=drafted))


def lawful(trial, *lives):
    pairs, tally = counted(trial, *lives)
    assert not tally.unlike.count
    return pairs[[STAGES[stage] in LAW_STAGES for stage in pairs["stage"].tolist()]]


def acted(life) -> list[str]:
    """What people did; what a clock says of itself follows from its due time."""
    return [type for type in life.told() if not type.startswith("clock.")]


def agree(then: Life, would: Life, drafted: Law) -> None:
    """Under the draft the law's clocks of a life are those of that life in a city that has it."""
    found = {
        (STAGES[row["stage"]], int(row["round"])): (
            instant(int(row["due_draft"])), int(row["draft"])
        )
        for row in lawful(tried(drafted), then)
    }  # fmt: skip
    assert found == {
        (clock.stage, clock.round): (clock.due_at, int(outcome_of(clock)))
        for clock in would.appeal.clocks
        if clock.stage in LAW_STAGES
    }


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(WISHES)), STEPS, st.sampled_from(TERMS), st.sampled_from(TERMS),
)  # fmt: skip
def test_a_kind_that_is_moved_is_counted_as_in_a_city_where_it_was(wish, steps, term, other):
    drafted = law(**{wish: term, "proposal": other})
    did = [(*step, *WAIT) for step in steps]
    then = live(OTHER, Channel.E_OTINISH, did, kind=wish)
    would = live(OTHER, Channel.E_OTINISH, did, kind=wish, city=under(drafted))
    assume(acted(then) == acted(would))
    agree(then, would, drafted)


DAYS = 24 * 60
TAKEN = [(A.ASSIGN, 9), (A.ACCEPT, 9)]
TURNED = {
    "put off": [*TAKEN, (A.PROLONG, 60), (A.RESOLVE, 30 * DAYS)],
    "put off twice": [*TAKEN, (A.PROLONG, 60), (A.PROLONG, DAYS)],
    "sent back in time": [*TAKEN, (A.RESOLVE, DAYS), (A.RETURN, DAYS), (A.RESOLVE, 20 * DAYS)],
    "sent back when the term was over": [*TAKEN, (A.RESOLVE, DAYS), (A.RETURN, 35 * DAYS)],
    "sent back twice": [*TAKEN, (A.RESOLVE, 9), (A.RETURN, DAYS), (A.RESOLVE, 9),
                        (A.RETURN, 35 * DAYS)],
    "sent back and then put off": [*TAKEN, (A.RESOLVE, 9), (A.RETURN, DAYS), (A.PROLONG, 60)],
    "not believed": [*TAKEN, (A.RESOLVE, DAYS), (A.CHECK, 9), (A.REOPEN, 9 * DAYS)],
}  # fmt: skip


@pytest.mark.parametrize(
    "term", ["law-10-days", "law-30-days", "law-10-calendar-days", "law-90-calendar-days"]
)
@pytest.mark.parametrize("name", TURNED)
def test_whatever_turned_a_term_of_the_law_it_is_counted_by_the_draft(name, term):
    drafted, did = law(application=term), [(*step, *WAIT) for step in TURNED[name]]
    then, would = (
        live(OTHER, Channel.E_OTINISH, did, kind=Kind.APPLICATION, city=city)
        for city in (None, under(drafted))
    )
    assert acted(then) == acted(would)
    wanted = {"appeal.returned", "appeal.prolonged", "appeal.reopened"}
    assert wanted & set(acted(then))
    agree(then, would, drafted)


@pytest.mark.parametrize(
    ("term", "due"),
    [
        # Received on Monday 2 March 2026; 9 March is off. Ten: 3-6, 10-13, 16, 17.
        ("law-10-days", "2026-03-18 00:00"),
        # The tenth day after is a Thursday.
        ("law-10-calendar-days", "2026-03-13 00:00"),
        # The ninetieth is Sunday 31 May, and ends on Monday.
        ("law-90-calendar-days", "2026-06-02 00:00"),
    ],
)
def test_complaints_are_counted_by_the_term_that_the_draft_has_for_them(term, due):
    lives = [live(OTHER, Channel.E_OTINISH, [], kind=kind) for kind in sorted(WISHES)]
    pairs = lawful(tried(law(complaint=term)), *lives)
    consider = pairs[pairs["stage"] == STAGES.index(Stage.CONSIDER)]
    found = dict(zip(sorted(WISHES), consider, strict=True))
    complaint = found.pop(Kind.COMPLAINT)
    assert instant(int(complaint["due_draft"])) == almaty(due)
    assert instant(int(complaint["due_then"])) == almaty("2026-04-04 00:00")
    for other in found.values():
        assert other["due_then"] == other["due_draft"]
        assert other["policy_then"] == other["policy_draft"]


def test_a_threat_is_counted_by_the_draft_s_policy_of_threats():
    known = reference().promises
    threat = known.policies[known.laws[1].threat.policy, 1]
    slower = replace(
        threat, promises=tuple(replace(one, within=timedelta(days=90)) for one in threat.promises)
    )
    life = live(OTHER, Channel.PHONE, [], anonymous=True, reports_threat=True)
    trial = on_trial(reference(), DRAWN, DAY, agreed=Agreed((), [slower]))
    (pair,) = lawful(trial, life)
    assert (pair["then"], pair["draft"]) == (Outcome.BREACHED, Outcome.OPEN)
    assert instant(int(pair["due_draft"])) == life.appeal.registered_at + timedelta(days=90)
    assert instant(int(pair["due_draft"])) > NOW


def test_a_law_that_says_the_same_changes_nothing():
    trial = tried(replace(law(), version=7))
    assert changed(trial.now.promises, trial.drafted.promises) == []
    assert trial.drafted.promises.laws == trial.now.promises.laws


def test_what_a_draft_says_anew_is_named_and_what_cannot_be_tried_too():
    known = law()
    later = replace(known, receipt=replace(known.receipt, until=time(12)))
    fewer = replace(known, intake=known.intake[1:])
    wider = replace(known, threat=replace(known.threat, services=frozenset({OTHER})))
    sooner = replace(known, hearing=replace(known.hearing, notice_days=9))
    for drafted, named, refused in (
        (law(application="law-10-days"), ["application"], []),
        (sooner, ["hearing"], []),
        (later, ["receipt"], ["receipt"]),
        (fewer, ["intake"], ["intake"]),
        (wider, ["threat"], ["threat/services"]),
    ):
        trial = tried(drafted)
        assert changed(trial.now.promises, trial.drafted.promises) == named
        assert untried(trial.now.promises, trial.drafted.promises) == refused


def test_a_term_that_nobody_had_cannot_be_tried():
    known = reference().promises.policies["law-20-days", 1]
    consider = [one for one in known.promises if one.stage is Stage.CONSIDER]
    former = replace(known, promises=tuple(consider))
    city = reference()
    policies = {**city.promises.policies, ("law-20-days", 1): former}
    city = replace(city, promises=replace(city.promises, policies=policies))
    trial = on_trial(city, DRAWN, DAY, agreed=Agreed((), [known]))
    assert untried(trial.now.promises, trial.drafted.promises) == ["kinds/complaint/redirect"]
    nothing = replace(city, promises=replace(city.promises, laws={}))
    trial = on_trial(nothing, DRAWN, DAY, agreed=Agreed(law=law()))
    assert untried(trial.now.promises, trial.drafted.promises) == ["law"]


def test_a_term_that_the_draft_has_no_more_is_on_one_side_alone():
    known = reference().promises.policies["law-20-days", 1]
    consider = tuple(one for one in known.promises if one.stage is Stage.CONSIDER)
    trial = on_trial(
        reference(), DRAWN, DAY, agreed=Agreed((), [replace(known, promises=consider)])
    )
    pairs = lawful(trial, live(OTHER, Channel.E_OTINISH, []))
    drafts = {STAGES[row["stage"]]: int(row["draft"]) for row in pairs}
    assert drafts[Stage.REDIRECT] == Outcome.NONE
    assert drafts[Stage.CONSIDER] == Outcome.BREACHED
