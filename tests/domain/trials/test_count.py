"""The fast count is the slow one, and a draft that says what is in force changes nothing."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.model import Channel
from domain.appeals.replay import check
from domain.appeals.workflow import PAUSE_RULES, Action, PauseReason
from domain.catalogue.exchange import Draft
from domain.catalogue.model import Criticality
from domain.eotinish.model import Tale, Told
from domain.errors import Refusal
from domain.reference import Promises, Reference
from domain.sla.policy import Policy, Promise, ReopenRule, Stage
from domain.sla.timeline import instant
from domain.trials.count import Count
from domain.trials.draft import Agreed, Drawn, Trial, on_trial
from domain.trials.look import look
from domain.trials.roads import Roads
from domain.trials.slices import STAGES, Columns
from domain.trials.tally import Outcome, Tally
from tests.domain.appeals.acts import SPEECHES
from tests.domain.appeals.make import (
    HEATING,
    LIFT,
    MANHOLE,
    MONDAY,
    OTHER,
    QUESTION,
    Life,
    almaty,
    hours,
    intake,
    reference,
)
from tests.domain.trials.make import CODES, slice_of

A = Action
NOW = MONDAY + timedelta(days=60)
DAY = NOW.date()
DRAWN = Drawn((), ())
SERVICES = st.sampled_from([MANHOLE, LIFT, QUESTION, OTHER, HEATING])
PLAIN = (A.ASSIGN, A.ACCEPT, A.REPORT, A.RESOLVE, A.CHECK, A.CONFIRM, A.ANSWER, A.DECLINE,
         A.COMMENT, A.WITHDRAW, A.REDIRECT, A.CLASSIFY, A.PROLONG, A.DECIDE)  # fmt: skip
TURNS = (A.PAUSE, A.RESUME, A.RETURN, A.REOPEN, A.FORWARD)
STATE = Told(Tale.DECIDED, "ЖТ-2026-00000001", 3, {})
MORE, AMEND, RECOUNT = "more time", "a calendar changes", "counted again"
OTHERS = (STATE, MORE, AMEND, RECOUNT)
AMENDED = {"office-hours": MONDAY.date() + timedelta(days=3),
           "state-days": MONDAY.date() + timedelta(days=9)}  # fmt: skip
"""The day that each change of a calendar makes a day off, or none again: so a version is one in
every life."""
STEPS = st.tuples(st.sampled_from((*PLAIN, *TURNS, *OTHERS)), st.integers(1, 3000),
                  st.sampled_from([*Stage]), st.sampled_from([*PauseReason]))  # fmt: skip
LIVES = st.lists(
    st.tuples(SERVICES, st.sampled_from(Channel), st.lists(STEPS, max_size=9)),
    min_size=1,
    max_size=4,
)


def live(service, channel, steps, *, city: Reference | None = None, **said) -> Life:
    """A life in which whatever is refused is left undone."""
    life = Life(city=city)
    life.register(intake(service, channel=channel, **said))
    for action, minutes, stage, reason in steps:
        # A microsecond more each time, so that nobody acts in the very one in which a promise is
        # due: the clock's own tick would count it as broken, an act after it as kept.
        life.wait(timedelta(minutes=minutes, microseconds=1)).tick()
        with suppress(Refusal):
            _live_on(life, action, stage, reason)
    life.at = NOW
    life.tick()
    return life


def _live_on(life: Life, action, stage, reason) -> None:
    if action is MORE:
        life.extend(stage, timedelta(hours=9))
    elif action is STATE:
        life.hear(STATE)
    elif action is AMEND:
        for code, day in AMENDED.items():
            life.amend(code, day)
    elif action is RECOUNT:
        for code in AMENDED:
            life.count_again(code)
    else:
        role, command = SPEECHES[action]
        if action is A.REPORT:
            command = c.Report(stage)
        elif action is A.PAUSE:
            command = c.PauseWork(reason, "неге")
            role = min(PAUSE_RULES[reason].roles - {Role.HEAD, Role.OPERATOR})
        standing = life.appeal.assignment
        home = standing.organisation if standing and role is Role.EXECUTOR else None
        life.act(action, command, role, home)


def agreed_on(*lives: Life) -> Promises:
    """All that the city ever agreed on in these lives."""
    calendars = dict(reference().promises.calendars)
    for life in lives:
        calendars |= life.reference.promises.calendars
    return replace(reference().promises, calendars=calendars)


@st.composite
def drafts(draw) -> Trial:
    """Any promises for the policies of the city in memory, and any policy for its services."""
    city = reference()
    policies = [_redrawn(draw, policy) for policy in city.promises.policies.values()]
    channels = draw(
        st.dictionaries(st.sampled_from([*Channel]), st.sampled_from(CODES.policies), max_size=3)
    )
    services = [
        replace(
            service,
            policy=draw(st.sampled_from([service.policy, *CODES.policies[:4]])),
            criticality=draw(st.sampled_from([service.criticality, *Criticality])),
        )
        for service in city.catalogue.services
    ]
    shelf = Draft(city.catalogue.spheres, city.catalogue.categories, tuple(services))
    by_channel = draw(st.sampled_from([None, channels]))
    return on_trial(city, DRAWN, DAY, agreed=Agreed((), policies, by_channel), catalogue=shelf)


def _redrawn(draw, policy: Policy) -> Policy:
    if draw(st.booleans()):
        return policy
    stages = draw(st.lists(st.sampled_from([*Stage]), min_size=1, unique=True))
    return replace(policy, promises=tuple(_promise(draw, stage) for stage in stages))


def _promise(draw, stage: Stage) -> Promise:
    return Promise(
        stage=stage,
        within=timedelta(minutes=draw(st.integers(1, 20_000))),
        calendar=draw(st.sampled_from(CODES.calendars)),
        warn_before=None,
        reopen=draw(st.sampled_from(ReopenRule)),
        reopen_at_least=timedelta(hours=1),
        emergency_on_breach=draw(st.booleans()),
        escalations=(),
        extend_at_most=draw(st.sampled_from([None, timedelta(hours=5), timedelta(days=3)])),
    )


def counted(trial: Trial, *lives: Life, all_turned: bool = False) -> tuple[Columns, Tally]:
    count = Count(trial, agreed_on(*lives), CODES, since=MONDAY, now=NOW)
    tally = Tally()
    piece = slice_of(lives, all_turned=all_turned)
    pairs = look(piece, count, Roads(count, ()), tally)
    order = np.argsort(pairs, order=("place", "stage", "round"))
    return pairs[order], tally


@settings(max_examples=80, deadline=None)
@given(LIVES, drafts())
def test_all_at_once_is_as_one_by_one(lives, trial):
    known = [live(*life) for life in lives]
    fast, quick = counted(trial, *known)
    slow, thorough = counted(trial, *known, all_turned=True)
    assert fast.tolist() == slow.tolist()
    assert not quick.unlike.count
    assert not thorough.unlike.count


@settings(max_examples=40, deadline=None)
@given(LIVES)
def test_a_draft_of_what_is_in_force_changes_no_row(lives):
    city = reference()
    agreed = Agreed(
        list(city.promises.calendars.values()),
        list(city.promises.policies.values()),
        dict(city.promises.by_channel),
    )
    shelf = Draft(city.catalogue.spheres, city.catalogue.categories, city.catalogue.services)
    trial = on_trial(city, DRAWN, DAY, agreed=agreed, catalogue=shelf)
    known = [live(*life) for life in lives]
    pairs, tally = counted(trial, *known)
    for name in ("policy", "due", "used"):
        assert pairs[f"{name}_then"].tolist() == pairs[f"{name}_draft"].tolist()
    assert pairs["then"].tolist() == pairs["draft"].tolist()
    assert sum(len(life.appeal.clocks) for life in known) == len(pairs) == tally.alike
    assert not tally.unlike.count
    assert tally.load_then == tally.load_draft
    assert not tally.moves


WAIT = (Stage.RESOLVE, PauseReason.AWAITING_RESIDENT)
TURNED = {
    "waited": [(A.PAUSE, 60), (A.RESUME, 600), (MORE, 60), (A.RESOLVE, 3000)],
    "returned": [(A.PAUSE, 60), (A.RESUME, 600), (A.RESOLVE, 60), (A.RETURN, 60), (MORE, 9)],
    "reopened": [(MORE, 60), (A.RESOLVE, 60), (A.REOPEN, 60), (A.PAUSE, 60), (A.RESUME, 600)],
    "counted again in the first round": [
        (A.PAUSE, 60), (AMEND, 9), (RECOUNT, 9), (A.RESUME, 600), (A.RESOLVE, 600),
        (A.REOPEN, 60),
    ],
    "counted again in the second round": [
        (A.RESOLVE, 600), (A.REOPEN, 60), (A.PAUSE, 9), (AMEND, 9), (RECOUNT, 9),
        (A.RESUME, 600), (MORE, 9), (AMEND, 9), (RECOUNT, 9),
    ],
    "counted again between two waits, with more time": [
        (MORE, 9), (A.PAUSE, 9), (A.RESUME, 600), (AMEND, 9), (RECOUNT, 9), (A.PAUSE, 9),
        (A.RESUME, 600),
    ],
}  # fmt: skip
"""What happens to a cold radiator, of which nothing is amiss."""


@pytest.mark.parametrize("name", TURNED)
def test_whatever_turns_an_honest_life_its_clocks_come_out_as_stored(name):
    steps = [(A.ASSIGN, 9), (A.ACCEPT, 9), *TURNED[name]]
    life = live(HEATING, Channel.PHONE, [(*step, *WAIT) for step in steps])
    events = [orjson.loads(event.canonical) for event in life.shelf.events]
    assert check(life.appeal.clocks, events, life.reference.promises) == ()
    told = {event["type"] for event in events}
    names = [step for step, _ in TURNED[name]]
    assert ("appeal.extension_granted" in told) == (MORE in names)
    assert ("clock.recomputed" in told) == (RECOUNT in names)
    assert {"appeal.returned", "appeal.reopened", "appeal.paused"} & told
    _, tally = counted(on_trial(reference(), DRAWN, DAY), life)
    assert (tally.alike, tally.unlike.count) == (len(life.appeal.clocks), 0)


def test_what_the_state_decided_is_done_under_any_draft():
    known = reference().promises.policies["open-manhole", 1]
    promised = [replace(one, within=hours(5)) for one in known.promises]
    arrive = replace(promised[0], stage=Stage.ARRIVE)
    trial = on_trial(
        reference(), DRAWN, DAY,
        agreed=Agreed((), [replace(known, promises=(arrive, *promised))]),
    )  # fmt: skip
    plain = [(A.ACCEPT, 9), (STATE, 230)]
    waited = [(A.ACCEPT, 9), (A.PAUSE, 9), (A.RESUME, 9), (STATE, 212)]
    wait = (Stage.SECURE, PauseReason.AWAITING_RESIDENT)
    known_lives = [live(MANHOLE, Channel.PHONE, [(*one, *wait) for one in each])
                   for each in (plain, waited)]  # fmt: skip
    pairs, tally = counted(trial, *known_lives)
    assert not tally.unlike.count
    assert tally.replayed == 1
    for stage in (Stage.ARRIVE, Stage.SECURE, Stage.RESOLVE):
        drafted = pairs[pairs["stage"] == STAGES.index(stage)]["draft"].tolist()
        assert drafted == [Outcome.KEPT, Outcome.KEPT], stage


def test_a_shorter_term_of_the_law_is_tried_on_whom_it_concerns():
    known = reference().promises.policies["law-20-days", 1]
    shorter = replace(
        known,
        promises=tuple(
            replace(one, within=timedelta(days=5)) if one.stage is Stage.CONSIDER else one
            for one in known.promises
        ),
    )
    trial = on_trial(reference(), DRAWN, DAY, agreed=Agreed((), [shorter]))
    lives = [live(OTHER, channel, []) for channel in (Channel.E_OTINISH, Channel.PHONE)]
    pairs, _ = counted(trial, *lives)
    law = pairs[pairs["stage"] == STAGES.index(Stage.CONSIDER)]
    assert len(law) == 1, "a call about a lamp is no appeal before the law"
    # Received on Monday 2 March 2026. Five days: 3, 4, 5, 6 and 10; 9 March is off.
    assert instant(int(law[0]["due_draft"])) == almaty("2026-03-11 00:00")
    # Twenty: 3-6 10-13 16-20 26 27 30 31 March, 1-3 April.
    assert instant(int(law[0]["due_then"])) == almaty("2026-04-04 00:00")
    others = pairs[pairs["stage"] != STAGES.index(Stage.CONSIDER)]
    assert others["due_then"].tolist() == others["due_draft"].tolist()
