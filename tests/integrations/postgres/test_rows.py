"""Every field of an appeal comes back from the database as it went in."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.appeals.model import (
    Appeal,
    Applicant,
    Assignment,
    AssignmentState,
    Change,
    Channel,
    Confirmation,
    Extension,
    Kind,
    Membership,
    Pause,
    Place,
    Route,
    Waiver,
)
from domain.appeals.workflow import PauseReason, Status
from domain.catalogue.evidence import Piece
from domain.catalogue.model import Criticality
from domain.law.kinds import AppealKind
from domain.law.standing import Decision, Hearing, HearingOutcome, HearingWay, Legal
from domain.register.chain import Head
from domain.sla.clock import Clock, ClockState
from domain.sla.policy import Stage
from domain.values import Coordinates, Language, new_id
from tests.support.appeals import register
from tests.support.city import KISHI
from tests.support.incidents import keep_incident

TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
SPANS = st.timedeltas(timedelta(0), timedelta(days=4000))
WORDS, MAYBE = LETTERS, st.none() | LETTERS
ANSWERS = st.dictionaries(
    LETTERS, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | LETTERS, max_size=3
)
CLOCKS = st.builds(
    Clock, stage=st.sampled_from(Stage), round=st.integers(1, 99), policy=WORDS,
    policy_version=st.integers(1, 99), calendar=WORDS, calendar_version=st.integers(1, 99),
    state=st.sampled_from(ClockState), started_at=TIMES, due_at=TIMES, target=SPANS,
    paused_at=st.none() | TIMES, paused_reason=MAYBE, paused_for=SPANS,
    met_at=st.none() | TIMES, breached_at=st.none() | TIMES, cancelled_at=st.none() | TIMES,
    step=st.integers(0, 20), next_at=st.none() | TIMES,
)  # fmt: skip
PLACES = st.builds(
    Place, building=st.none() | st.uuids(), street=st.none() | st.uuids(), district=MAYBE,
    address=MAYBE, apartment=MAYBE,
    coordinates=st.none() | st.builds(
        Coordinates, st.floats(-90, 90), st.floats(-180, 180)
    ),
)  # fmt: skip
ASSIGNMENTS = st.builds(
    Assignment, id=st.uuids(version=4), organisation=st.just(KISHI.water),
    state=st.sampled_from(AssignmentState), offered_at=TIMES, answered_at=st.none() | TIMES,
    done_at=st.none() | TIMES, reason=MAYBE,
)  # fmt: skip
CONFIRMATIONS = st.builds(
    Confirmation, by=st.uuids(), role=WORDS, how=WORDS, at=TIMES,
    rating=st.none() | st.integers(1, 5),
)  # fmt: skip
KNOWN = KISHI.ident("incident")
MEMBERSHIPS = st.builds(
    Membership, incident=st.just(KNOWN), joined_at=TIMES, followed=st.integers(0, 999)
)
PAUSES = st.builds(Pause, reason=st.sampled_from(PauseReason), since=TIMES, until=TIMES)
WAIVERS = st.builds(Waiver, st.sampled_from(Stage), st.sampled_from(Piece), st.booleans())
EXTENSIONS = st.builds(
    Extension, stage=st.sampled_from(Stage), round=st.integers(1, 9), until=TIMES,
    assignment=st.uuids(), asked_at=TIMES,
)  # fmt: skip
HEARINGS = st.builds(
    Hearing, notified_at=TIMES, at=TIMES, way=st.sampled_from(HearingWay), earliest=TIMES,
    outcome=st.none() | st.sampled_from(HearingOutcome), recorded_at=st.none() | TIMES,
)  # fmt: skip
LEGAL = st.builds(
    Legal, kind=st.sampled_from(AppealKind), law_version=st.integers(1, 99), received=st.dates(),
    considered=st.booleans(), threat=st.booleans(), last_day=st.none() | st.dates(),
    prolonged=st.integers(0, 99), prolongations=st.integers(0, 9), forwarded_to=MAYBE,
    hearing=st.none() | HEARINGS, decision=st.none() | st.sampled_from(Decision),
)  # fmt: skip
CHANGES = {
    "status": st.sampled_from(Status),
    "kind": st.sampled_from(Kind),
    "language": st.sampled_from(Language),
    "service": WORDS,
    "service_version": st.integers(1, 99),
    "category": WORDS,
    "sphere": WORDS,
    "criticality": st.sampled_from(Criticality),
    "emergency": st.booleans(),
    "text": WORDS,
    "place": PLACES,
    "answers": ANSWERS,
    "assignment": st.none() | ASSIGNMENTS,
    "route": st.builds(Route, reason=WORDS, responsibility=st.none() | st.uuids()),
    "pause": st.none() | PAUSES,
    "waivers": st.lists(WAIVERS, max_size=3).map(tuple),
    "extension": st.none() | EXTENSIONS,
    "confirmation": CONFIRMATIONS,
    "membership": st.none() | MEMBERSHIPS,
    "first_contact": st.booleans(),
    "reopened": st.integers(0, 99),
    "redirected": st.integers(0, 99),
    "legal": st.none() | LEGAL,
    "received_at": st.none() | TIMES,
    "state_deadline": st.none() | TIMES,
    "national_number": st.none() | WORDS,
    "updated_at": TIMES,
    "closed_at": st.none() | TIMES,
    "head": st.builds(Head, st.integers(0, 2**31 - 1), st.binary(min_size=32, max_size=32)),
}
FIXED = {"id", "city", "number", "version", "registered_at", "operator", "contact", "channel",
         "applicant", "clocks"}  # fmt: skip


def test_no_field_of_an_appeal_is_left_out_of_this_test():
    assert {field.name for field in fields(Appeal)} == CHANGES.keys() | FIXED


@pytest.fixture(scope="module")
async def kept(house):
    """An appeal that the examples below write over and over, and an incident to join."""
    await keep_incident(house, KNOWN)
    return await register(house)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries(CHANGES), st.lists(CLOCKS, max_size=4, unique_by=lambda k: k.stage))
async def test_every_field_comes_back_as_it_went_in(house, kept, changes, clocks):
    async with house.units.open(KISHI.principal()) as uow:
        before = await uow.appeals.get(kept.number)
        # Rounds of the examples before stay in the register; these are the next ones.
        rounds = {k.stage: k.round for k in sorted(before.clocks, key=lambda k: k.round)}
        fresh = tuple(replace(k, round=rounds.get(k.stage, 0) + 1) for k in clocks)
        after = replace(
            before, **changes, clocks=(*before.clocks, *fresh), version=before.version + 1
        )
        given_ = (after.assignment,) if after.assignment else ()
        uow.appeals.save(Change(after, (), before.version, fresh, given_))
        await uow.commit()
    stored = await house.queries.appeal(KISHI.principal(), kept.number)

    def in_order(appeal: Appeal) -> Appeal:
        return replace(
            appeal, clocks=tuple(sorted(appeal.clocks, key=lambda k: (k.stage, k.round)))
        )

    assert in_order(stored) == in_order(after)


@pytest.mark.parametrize("channel", Channel, ids=str)
async def test_who_asked_and_by_which_road_comes_back(house, channel):
    applicant = Applicant(None, "Айгүл «Ә» Серікова", "+77015550109", None)
    appeal = await register(house, channel=channel, applicant=applicant, contact=str(new_id()))
    stored = await house.queries.appeal(KISHI.principal(), appeal.number)
    assert replace(stored, clocks=()) == replace(appeal, clocks=())
    assert set(stored.clocks) == set(appeal.clocks)


async def test_an_appeal_without_a_name_comes_back_without_one(house):
    appeal = await register(house, anonymous=True)
    stored = await house.queries.appeal(KISHI.principal(), appeal.number)
    assert stored.applicant is None
