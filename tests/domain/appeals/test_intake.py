"""Registering: what a resident says becomes an appeal that somebody must act on."""

import orjson
import pytest

from domain.access import Role
from domain.appeals.commands import (
    Confirm,
    FirstAnswer,
    GiveAnswer,
    Reopen,
    Whereabouts,
    Withdraw,
)
from domain.appeals.model import SELF_SERVICE, Applicant, AssignmentState, Channel
from domain.appeals.workflow import Action, Status
from domain.errors import Invalid, NotPermitted
from domain.events import EventType
from domain.sla.clock import ClockState
from domain.sla.policy import Stage
from domain.values import Coordinates
from tests.domain.appeals.acts import speak
from tests.domain.appeals.make import (
    AIGUL,
    HEATING,
    INTERNAL,
    LIFT,
    LIFTS,
    MANHOLE,
    MONDAY,
    OTHER,
    PAST,
    PHOTO,
    PHOTO_HASH,
    QUESTION,
    WATER,
    Life,
    almaty,
    hours,
    ident,
    intake,
)

SAID = FirstAnswer("Қабылдау 9-дан 18-ге дейін")
AGREED = FirstAnswer("Қабылдау 9-дан 18-ге дейін", confirmed_by="call", rating=5)


CHATS = {Channel.TELEGRAM, Channel.FACEBOOK, Channel.INSTAGRAM}


def rules(refusal: Invalid) -> set[tuple[str, str]]:
    return {(fault.pointer, fault.rule) for fault in refusal.faults}


def test_a_manhole_goes_to_the_water_utility_at_once():
    life = Life()
    appeal = life.register()
    assert appeal.number == "ESL-2026-000001"
    assert appeal.status is Status.ASSIGNED
    assert appeal.assigned().organisation == WATER
    assert appeal.assigned().state is AssignmentState.OFFERED
    assert appeal.route.reason == "assigned"
    assert life.told() == ["appeal.registered", "appeal.assigned"]
    assert {k.stage: k.due_at for k in appeal.clocks} == {
        Stage.SECURE: MONDAY + hours(3),
        Stage.RESOLVE: MONDAY + hours(24),
    }
    assert appeal.due_at == MONDAY + hours(3)


def test_the_number_bears_the_year_of_the_citys_own_wall_clock():
    life = Life(at=almaty("2027-01-01 00:30"))
    assert life.at.year == 2026
    assert life.register().number == "ESL-2027-000001"


def test_office_hours_carry_an_evening_appeal_to_the_next_working_days():
    life = Life(at=almaty("2026-03-06 16:00"))  # Friday; the 9th is a day off for the 8th of March
    appeal = life.register(intake(HEATING))
    assert appeal.due_at == almaty("2026-03-16 16:00")


def test_a_chat_waits_ten_minutes_for_its_first_answer():
    appeal = Life().register(intake(OTHER, channel=Channel.TELEGRAM))
    answer = appeal.clock(Stage.ANSWER)
    assert answer is not None
    assert answer.due_at == MONDAY + hours(1 / 6)
    assert appeal.clock(Stage.RESOLVE) is not None


@pytest.mark.parametrize("channel", sorted(set(Channel) - CHATS), ids=str)
def test_other_channels_promise_what_the_service_promises(channel: Channel):
    assert Life().register(intake(OTHER, channel=channel)).clock(Stage.ANSWER) is None


def test_an_unknown_address_goes_to_the_inspectors():
    said = intake(LIFT, where=Whereabouts(address="Шұғыла ауылы, 99-үй"))
    appeal = Life().register(said)
    assert appeal.status is Status.REGISTERED
    assert appeal.assignment is None
    assert appeal.place.address == "Шұғыла ауылы, 99-үй"
    assert appeal.route.reason == "unknown-address"


def test_an_appeal_without_an_address_goes_to_the_inspectors_where_the_place_decides():
    appeal = Life().register(intake(LIFT, where=Whereabouts()))
    assert (appeal.status, appeal.route.reason) == (Status.REGISTERED, "no-address")


def test_words_that_name_a_known_house_find_its_lift_company():
    appeal = Life().register(intake(LIFT, where=Whereabouts(address="Абай көшесі 12, 45 пәтер")))
    assert appeal.assigned().organisation == LIFTS
    assert appeal.place.apartment == "45"
    assert appeal.place.district == "centre"


def test_what_nobody_answers_for_goes_to_the_inspectors():
    appeal = Life().register(intake(OTHER))
    assert (appeal.status, appeal.route.reason) == (Status.REGISTERED, "no-responsibility")


def test_every_fault_of_a_form_is_named_at_once():
    said = intake(answers={"cover": "gold"}, where=Whereabouts(building=ident("nowhere")))
    with pytest.raises(Invalid) as refused:
        Life().register(said)
    pointers = {fault.pointer for fault in refused.value.faults}
    assert "/location/building" in pointers
    assert len(pointers) == 2


def test_a_point_outside_the_city_is_refused():
    said = intake(OTHER, where=Whereabouts(coordinates=Coordinates(43.2, 76.9)))
    with pytest.raises(Invalid) as refused:
        Life().register(said)
    assert rules(refused.value) == {("/location/coordinates", "outside-city")}


@pytest.mark.parametrize(
    ("service", "changes", "fault"),
    [
        ("no.such", {}, ("/service", "unknown-service")),
        (PAST, {}, ("/service", "expired-service")),
        (OTHER, {"service_version": 7}, ("/service_version", "expired-version")),
        (OTHER, {"attachments": (ident("stolen"),)}, ("/attachments/0", "unknown-attachment")),
    ],
)
def test_what_the_city_does_not_know_is_refused_by_name(service, changes, fault):
    life = Life()
    with pytest.raises(Invalid) as refused:
        life.register(intake(service, **changes))
    assert rules(refused.value) == {fault}
    assert life.shelf.numbers == 0, "a refused appeal takes no number"


def test_a_service_for_staff_does_not_exist_for_residents():
    with pytest.raises(Invalid):
        Life().register(intake(INTERNAL), Role.CITIZEN)
    assert Life().register(intake(INTERNAL)).service == INTERNAL


def test_a_resident_is_named_by_the_city_and_not_by_themselves():
    somebody = Applicant(None, "Somebody Else", "+77000000000")
    said = intake(applicant=somebody, channel=Channel.APP)
    appeal = Life().register(said, Role.CITIZEN)
    assert appeal.applicant == AIGUL
    assert appeal.operator is None


def test_an_anonymous_resident_can_still_confirm():
    life = Life()
    appeal = life.register(intake(QUESTION, anonymous=True, channel=Channel.WEB), Role.CITIZEN)
    assert appeal.applicant == Applicant(citizen=AIGUL.citizen)
    registered = life.shelf.events[0]
    assert orjson.loads(registered.canonical)["data"]["anonymous"] is True
    assert set(registered.personal) == {"text", "place"}


def test_an_anonymous_caller_leaves_no_name_at_all():
    life = Life()
    assert life.register(intake(anonymous=True)).applicant is None
    assert set(life.shelf.events[0].personal) == {"text", "place", "answers"}


@pytest.mark.parametrize("role", [Role.EXECUTOR, Role.HEAD, Role.AKIM, Role.AUDITOR, Role.SYSTEM])
def test_who_does_not_take_calls_registers_nothing(role: Role):
    with pytest.raises(NotPermitted):
        Life().register(role=role)


def test_an_answer_on_the_line_still_awaits_the_residents_word():
    life = Life()
    appeal = life.register(intake(QUESTION, answer=SAID))
    assert appeal.status is Status.ANSWERED
    assert appeal.first_contact
    assert appeal.confirmation is None
    assert appeal.closed_at is None
    assert life.told() == ["appeal.registered", "appeal.answered"]


def test_a_first_call_closes_with_the_residents_word_alone():
    life = Life()
    appeal = life.register(intake(QUESTION, answer=AGREED))
    assert appeal.status is Status.CLOSED
    assert appeal.confirmation is not None
    assert (appeal.confirmation.how, appeal.confirmation.rating) == ("call", 5)
    assert appeal.confirmation.at == appeal.closed_at == MONDAY
    assert life.told() == [
        "appeal.registered", "appeal.answered", "appeal.confirmed", "appeal.closed",
    ]  # fmt: skip
    assert {clock.state for clock in appeal.clocks} == {ClockState.MET}
    assert appeal.due_at is None


def test_a_resident_cannot_answer_for_the_city():
    with pytest.raises(Invalid) as refused:
        Life().register(intake(QUESTION, answer=AGREED, channel=Channel.APP), Role.CITIZEN)
    assert rules(refused.value) == {("/answer", "staff-only")}


@pytest.mark.parametrize("channel", [one for one in Channel if one not in SELF_SERVICE], ids=str)
def test_a_resident_comes_by_no_road_on_which_others_write_down(channel: Channel):
    with pytest.raises(Invalid) as refused:
        Life().register(intake(QUESTION, channel=channel), Role.CITIZEN)
    assert rules(refused.value) == {("/channel", "not-self-service")}
    Life().register(intake(QUESTION, channel=channel), Role.OPERATOR)


@pytest.mark.parametrize("channel", SELF_SERVICE, ids=str)
def test_a_resident_comes_by_their_own_roads(channel: Channel):
    assert Life().register(intake(QUESTION, channel=channel), Role.CITIZEN).channel is channel


def test_everything_wrong_with_an_appeal_is_told_at_once():
    said = intake(
        where=Whereabouts(building=ident("no-such-house")), answers={"odd": 1},
        attachments=(ident("stolen"),), answer=AGREED,
    )  # fmt: skip
    with pytest.raises(Invalid) as refused:
        Life().register(said, Role.CITIZEN)
    assert rules(refused.value) == {
        ("/channel", "not-self-service"),
        ("/answer", "staff-only"),
        ("/answers/odd", "unknown"),
        ("/answers/cover", "required"),
        ("/location/building", "unknown-building"),
        ("/attachments/0", "unknown-attachment"),
    }


@pytest.mark.parametrize("how", ["app", "web"])
def test_staff_does_not_say_yes_in_the_residents_own_app(how: str):
    with pytest.raises(Invalid) as refused:
        Life().register(intake(QUESTION, answer=FirstAnswer("9-18", how)))
    assert rules(refused.value) == {("/answer/confirmed_by", "resident-only")}
    life = Life()
    life.register(intake(QUESTION))
    for action, command, pointer in (
        (Action.ANSWER, GiveAnswer(FirstAnswer("9-18", how)), "/confirmed_by"),
        (Action.WITHDRAW, Withdraw(how), "/how"),
    ):
        with pytest.raises(Invalid) as refused:
            life.act(action, command, Role.OPERATOR)
        assert rules(refused.value) == {(pointer, "resident-only")}


def test_an_answer_that_did_not_help_goes_to_the_inspectors_with_the_time_that_was_left():
    life = Life()
    life.register(intake(QUESTION, answer=AGREED))
    life.wait(hours(5))
    appeal = life.act(Action.REOPEN, Reopen("call", "ештеңе өзгерген жоқ"), Role.OPERATOR)
    assert appeal.status is Status.REGISTERED
    assert (appeal.closed_at, appeal.confirmation, appeal.first_contact) == (None, None, False)
    again = appeal.clock(Stage.RESOLVE)
    assert again is not None
    assert (again.round, again.target) == (2, hours(72))


def test_an_answer_after_registration_takes_the_appeal_from_its_executor():
    life = Life()
    life.register(intake(MANHOLE, answer=None))
    appeal = speak(life, Action.ANSWER).appeal
    assert appeal.assignment is None
    assert life.shelf.changes[-1].assignments[0].state is AssignmentState.RECALLED
    closed = life.act(Action.CONFIRM, Confirm("call"), Role.OPERATOR)
    assert closed.first_contact
    assert closed.confirmation is not None


def test_uploads_are_bound_by_the_hash_of_what_was_sent():
    life = Life()
    life.register(intake(attachments=(PHOTO,)))
    event = life.shelf.events[0]
    assert event.type is EventType.REGISTERED
    said = orjson.loads(event.canonical)["data"]["attachments"]
    assert said == [{"id": str(PHOTO), "original_sha256": PHOTO_HASH}]
    assert life.shelf.changes[0].attachments == (PHOTO,)
    assert life.shelf.changes[0].purpose == "intake"


def test_words_that_name_no_place_go_to_the_inspectors_whoever_serves_the_whole_city():
    appeal = Life().register(intake(OTHER, where=Whereabouts(address="ъъъъ 5")))
    assert (appeal.status, appeal.route.reason) == (Status.REGISTERED, "unknown-address")
