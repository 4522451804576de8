"""Evidence before 'done': what is asked, when it suffices, and what the register keeps of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import cos, radians
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.desk import Desk
from domain.appeals.evidence import ahead, asked, metres, prove
from domain.appeals.model import Waiver
from domain.appeals.workflow import Action, Status
from domain.catalogue.evidence import ActForm, Need, Piece
from domain.errors import Conflict, EvidenceMissing, Invalid, InvalidTransition, NotPermitted
from domain.ports import TakenFile
from domain.sla.policy import Stage
from domain.values import Coordinates, new_id
from tests.domain.appeals import make
from tests.domain.appeals.make import HOUSE, LIFT, MANHOLE, PHOTO, Life, ident, intake

A = Action
HOME = make.reference().buildings[HOUSE].coordinates
ACT = ActForm("[0-9]{1,6}/[0-9]{4}", "118/2026")
SECOND, TWIN, PAPER = ident("second"), ident("twin"), ident("paper")
DEGREE = 111_195.08
"""Metres of a degree along a meridian of the mean globe."""


@pytest.fixture
def demand(monkeypatch):
    """Let a service demand evidence, in a version of the catalogue."""

    def given(needs, service=MANHOLE, version=1):
        said = make.reference()
        changed = replace(said, evidence={**said.evidence, (service, version): needs})
        monkeypatch.setattr(make, "reference", lambda: changed)

    return given


def at_work(service=MANHOLE, **said) -> Life:
    life = Life()
    life.shelf.uploads |= {
        SECOND: TakenFile("image", "cd" * 32),
        TWIN: TakenFile("image", make.PHOTO_HASH),
        PAPER: TakenFile("pdf", "ef" * 32),
    }
    life.register(intake(service, **said))
    life.act(A.ACCEPT, c.Accept(), organisation=life.appeal.assigned().organisation)
    return life


def done(life: Life, *photos, position=None, act=None, **more):
    command = c.Resolve("қақпақ қойылды", photos, position=position, act_number=act, **more)
    return life.act(A.RESOLVE, command, organisation=life.appeal.assigned().organisation)


def north(distance: float, accuracy: float = 5) -> c.Position:
    """A position so many metres north of the house."""
    return c.Position(Coordinates(HOME.latitude + distance / DEGREE, HOME.longitude), accuracy)


def lacking(refused) -> dict[str, str]:
    return {fault.pointer: fault.rule for fault in refused.value.faults}


def told(life):
    return orjson.loads(life.shelf.events[-1].canonical)["data"]


def test_everything_that_lacks_is_named_at_once(demand):
    demand({Stage.RESOLVE: Need(2, 100, ACT)})
    life = at_work()
    before = life.appeal
    with pytest.raises(EvidenceMissing) as refused:
        done(life, PHOTO)
    assert lacking(refused) == {
        "/evidence": "photos-missing",
        "/position": "position-missing",
        "/act_number": "act-missing",
    }
    assert refused.value.faults[0].params == {"needed": 2, "came": 1}
    assert refused.value.faults[1].params == {"within": 100}
    assert refused.value.faults[2].params == {"example": "118/2026"}
    assert life.appeal == before
    appeal = done(life, PHOTO, SECOND, position=north(40), act="7/2026")
    assert appeal.status is Status.RESOLVED


def test_a_reason_does_not_stand_for_a_photo_that_is_demanded(demand):
    demand({Stage.RESOLVE: Need(photos=1)})
    with pytest.raises(EvidenceMissing) as refused:
        done(at_work(), no_photo_reason="түн")
    assert lacking(refused) == {"/evidence": "photos-missing"}


@pytest.mark.parametrize("files", [(PHOTO,), (PHOTO, TWIN), (PHOTO, PAPER)], ids=str)
def test_the_same_picture_twice_and_a_paper_are_no_second_photo(demand, files):
    demand({Stage.RESOLVE: Need(photos=2)})
    with pytest.raises(EvidenceMissing) as refused:
        done(at_work(), *files)
    assert refused.value.faults[0].params == {"needed": 2, "came": 1}
    assert done(at_work(), PHOTO, SECOND).status is Status.RESOLVED


def upload(life: Life, at: datetime, digest: str = "9a" * 32) -> UUID:
    """A picture uploaded at a time."""
    id = new_id()
    life.shelf.uploads[id] = TakenFile("image", digest, uploaded_at=at)
    return id


def test_a_picture_from_before_the_work_was_given_shows_no_result(demand):
    demand({Stage.RESOLVE: Need(photos=2)})
    life = at_work()
    given = life.appeal.assigned().offered_at
    early = upload(life, given - timedelta(seconds=1), "1e" * 32)
    late = upload(life, given, "2e" * 32)
    with pytest.raises(EvidenceMissing) as refused:
        done(life, early, late)
    assert lacking(refused) == {"/evidence": "photos-early"}
    assert refused.value.faults[0].params == {"needed": 2, "came": 1}
    with pytest.raises(EvidenceMissing) as refused:
        done(life, early)
    assert lacking(refused) == {"/evidence": "photos-missing"}, "too few, whenever they came"
    done(life, early, late, upload(life, given + timedelta(hours=1), "3e" * 32))
    assert told(life)["shown"]["photos"] == {"came": 2, "needed": 2, "seen_before": 0}


@pytest.mark.parametrize("back", ["reopen", "return"])
def test_work_that_was_sent_back_is_shown_by_pictures_from_after_that(demand, back):
    demand({Stage.RESOLVE: Need(photos=1)})
    life = at_work()
    life.wait(timedelta(hours=1))
    kept = upload(life, life.at)
    done(life, upload(life, life.at, "4e" * 32))
    life.wait(timedelta(hours=1))
    if back == "reopen":
        life.act(A.REOPEN, c.Reopen("call", "ашық тұр"), Role.OPERATOR)
    else:
        life.act(A.RETURN, c.Return("қисық"), Role.INSPECTOR)
    with pytest.raises(EvidenceMissing) as refused:
        done(life, kept)
    assert lacking(refused) == {"/evidence": "photos-early"}
    assert done(life, upload(life, life.at, "5e" * 32)).status is Status.RESOLVED


def test_a_new_executor_shows_pictures_of_its_own_time(demand):
    demand({Stage.RESOLVE: Need(photos=1)})
    life = at_work()
    before = upload(life, life.at)
    life.wait(timedelta(hours=1))
    life.act(A.REDIRECT, c.Assign(make.DEPARTMENT, "олардың желісі"), Role.INSPECTOR)
    life.act(A.ACCEPT, c.Accept(), organisation=make.DEPARTMENT)
    assert life.appeal.assigned().organisation == make.DEPARTMENT
    with pytest.raises(EvidenceMissing) as refused:
        done(life, before)
    assert lacking(refused) == {"/evidence": "photos-early"}


@pytest.mark.parametrize(
    ("distance", "accuracy", "rule"),
    [
        (0, 0, None),
        (100, 0, None),
        (101, 0, "position-far"),
        (120, 20, None),
        (121, 20, "position-far"),
        (200, 100, None),
        (201, 100, "position-far"),
        (0, 101, "position-vague"),
        (119.6, 19.2, None),
    ],
)
def test_a_position_counts_up_to_the_metres_asked_for_and_its_own_accuracy(
    demand, distance, accuracy, rule
):
    demand({Stage.RESOLVE: Need(within=100)})
    life = at_work()
    position = north(distance, accuracy)
    if rule is None:
        done(life, PHOTO, position=position)
        assert told(life)["shown"]["position"]["within"] == 100
        return
    with pytest.raises(EvidenceMissing) as refused:
        done(life, PHOTO, position=position)
    assert [fault.rule for fault in refused.value.faults] == [rule]


@given(st.floats(-80, 80), st.floats(-179, 179), st.floats(0, 5000), st.booleans())
def test_metres_are_metres_wherever_one_stands(latitude, longitude, away, eastwards):
    here = Coordinates(latitude, longitude)
    share = away / DEGREE
    there = (
        Coordinates(latitude, longitude + share / cos(radians(latitude)))
        if eastwards
        else Coordinates(latitude + share, longitude)
    )
    assert metres(here, there) == pytest.approx(metres(there, here), abs=1e-6)
    assert metres(here, there) == pytest.approx(away, rel=1e-3, abs=0.01)


def test_the_register_keeps_the_distance_and_never_the_position(demand):
    demand({Stage.RESOLVE: Need(1, 100, ACT)})
    life = at_work()
    position = north(37.4, 12.1)
    done(life, PHOTO, position=position, act="118/2026")
    data = told(life)
    assert data["shown"] == {
        "photos": {"came": 1, "needed": 1, "seen_before": 0},
        "position": {"distance": 37, "accuracy": 13, "within": 100},
    }
    event = life.shelf.events[-1]
    assert str(position.point.latitude)[:7].encode() not in event.canonical
    assert event.personal["act_number"].value == "118/2026"
    assert b"118/2026" not in event.canonical


def test_the_nearer_of_the_callers_point_and_the_house_counts(demand):
    demand({Stage.RESOLVE: Need(within=50)})
    far = Coordinates(HOME.latitude + 400 / DEGREE, HOME.longitude)
    life = at_work(where=c.Whereabouts(building=HOUSE, coordinates=far))
    done(life, PHOTO, position=north(10))
    assert told(life)["shown"]["position"]["distance"] == 10
    life = at_work(where=c.Whereabouts(building=HOUSE, coordinates=far))
    done(life, PHOTO, position=north(390))
    assert told(life)["shown"]["position"]["distance"] == 10


def test_an_appeal_without_a_place_asks_for_no_position_and_says_so(demand):
    demand({Stage.RESOLVE: Need(photos=1, within=50)})
    life = Life()
    life.register(intake(where=c.Whereabouts(address="осы жер")))
    life.act(A.ASSIGN, c.Assign(make.WATER), Role.INSPECTOR)
    life.act(A.ACCEPT, c.Accept())
    (coming,) = ahead(life.appeal, make.reference())
    assert (coming.need, coming.placeless) == (Need(photos=1), True)
    done(life, PHOTO)
    assert told(life)["shown"] == {
        "photos": {"came": 1, "needed": 1, "seen_before": 0},
        "placeless": True,
    }


@pytest.mark.parametrize("number", ["118", "118/2026 ", "x118/2026", "118/20266", ""])
def test_an_act_of_another_form_is_refused(demand, number):
    demand({Stage.RESOLVE: Need(act=ACT)})
    with pytest.raises(EvidenceMissing) as refused:
        done(at_work(), PHOTO, act=number)
    assert lacking(refused) == {"/act_number": "act-form"}


def test_what_nobody_asked_for_is_kept_when_it_comes(demand):
    demand({})
    life = at_work()
    done(life, PHOTO, position=north(2000), act="каждый")
    shown = told(life)["shown"]
    assert shown == {"position": {"distance": 2000, "accuracy": 5, "within": None}}


def test_each_stage_asks_for_its_own_evidence(demand):
    demand({Stage.SECURE: Need(photos=1)})
    life = at_work()
    with pytest.raises(EvidenceMissing) as refused:
        life.act(A.REPORT, c.Report(Stage.SECURE))
    assert lacking(refused) == {"/attachments": "photos-missing"}
    life.act(A.REPORT, c.Report(Stage.SECURE, attachments=(PHOTO,)))
    done(life, no_photo_reason="түн")


def test_who_resolves_at_once_shows_what_the_stages_before_would_have_shown(demand):
    demand({Stage.ARRIVE: Need(within=50), Stage.RESOLVE: Need(within=200, act=ACT)}, LIFT)
    life = at_work(LIFT)
    assert asked(life.appeal, Stage.RESOLVE, make.reference()).need == Need(0, 50, ACT)
    lifts = life.appeal.assigned().organisation
    arrived = c.Report(Stage.ARRIVE, position=north(20))
    life.act(A.REPORT, arrived, organisation=lifts)
    assert asked(life.appeal, Stage.RESOLVE, make.reference()).need == Need(0, 200, ACT)
    assert [one.stage for one in ahead(life.appeal, make.reference())] == [Stage.RESOLVE]


def test_an_appeal_keeps_the_evidence_of_the_version_that_it_began_under(demand):
    life = at_work()
    demand({Stage.RESOLVE: Need(photos=2, within=10)}, version=2)
    assert asked(life.appeal, Stage.RESOLVE, make.reference()).need == Need(photos=1)
    done(life, PHOTO)
    newer = at_work()
    newer.shelf.appeals[newer.number] = replace(newer.appeal, service_version=2)
    with pytest.raises(EvidenceMissing) as refused:
        done(newer, PHOTO)
    assert set(lacking(refused)) == {"/evidence", "/position"}


def test_an_inspector_lets_evidence_go_and_says_why(demand):
    demand({Stage.RESOLVE: Need(1, 100, ACT)})
    life = at_work()
    waive = c.Waive(Stage.RESOLVE, "пәтер ішінде", frozenset({Piece.PHOTO, Piece.POSITION}))
    appeal = life.act(A.WAIVE, waive, Role.INSPECTOR)
    assert appeal.status is Status.IN_PROGRESS
    assert set(appeal.waivers) == {
        Waiver(Stage.RESOLVE, Piece.PHOTO), Waiver(Stage.RESOLVE, Piece.POSITION)
    }  # fmt: skip
    assert life.told()[-1] == "appeal.evidence_waived"
    assert told(life) == {"stage": "resolve", "evidence": ["photo", "position"]}
    event = life.shelf.events[-1]
    assert event.personal["reason"].value == "пәтер ішінде"
    with pytest.raises(EvidenceMissing) as refused:
        done(life)
    assert lacking(refused) == {"/act_number": "act-missing"}
    done(life, act="118/2026")
    assert told(life)["shown"] == {"waived": ["photo", "position"]}


def test_what_is_not_asked_for_cannot_be_let_go(demand):
    demand({Stage.RESOLVE: Need(photos=1)})
    life = at_work()
    for waive in (
        c.Waive(Stage.SECURE, "?"),
        c.Waive(Stage.ARRIVE, "?"),
        c.Waive(Stage.RESOLVE, "?", frozenset({Piece.ACT_NUMBER})),
    ):
        with pytest.raises(Conflict) as refused:
            life.act(A.WAIVE, waive, Role.INSPECTOR)
        assert refused.value.params["reason"] == "nothing-to-waive"
    life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "бір рет"), Role.INSPECTOR)
    with pytest.raises(Conflict):
        life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "екі рет"), Role.INSPECTOR)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.INSPECTOR], ids=str)
def test_nobody_but_an_inspector_lets_evidence_go(role):
    with pytest.raises(NotPermitted):
        at_work().act(A.WAIVE, c.Waive(Stage.RESOLVE, "?"), role)


def test_evidence_of_work_done_is_let_go_no_more():
    life = at_work()
    done(life, PHOTO)
    with pytest.raises(InvalidTransition):
        life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "?"), Role.INSPECTOR)


def test_what_was_let_go_for_one_service_counts_for_no_other(demand):
    demand({Stage.RESOLVE: Need(photos=1)}, LIFT)
    life = at_work()
    life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "?"), Role.INSPECTOR)
    life.act(A.CORRECT, c.Correct(service=LIFT, answers={}), Role.OPERATOR)
    assert life.appeal.waivers == ()
    with pytest.raises(EvidenceMissing):
        done(life)


def test_a_new_round_asks_anew_and_what_was_let_go_stays_so(demand):
    demand({Stage.SECURE: Need(photos=1), Stage.RESOLVE: Need(photos=1, act=ACT)})
    life = at_work()
    waive = c.Waive(Stage.RESOLVE, "?", frozenset({Piece.ACT_NUMBER}))
    life.act(A.WAIVE, waive, Role.INSPECTOR)
    done(life, PHOTO)
    life.wait(timedelta(hours=2)).act(A.REOPEN, c.Reopen("call", "әлі ашық"), Role.OPERATOR)
    stages = [one.stage for one in ahead(life.appeal, make.reference())]
    assert stages == [Stage.SECURE, Stage.RESOLVE]
    with pytest.raises(EvidenceMissing) as refused:
        done(life)
    assert lacking(refused) == {"/evidence": "photos-missing"}


def test_a_file_that_is_not_the_executors_is_told_before_what_lacks(demand):
    demand({Stage.RESOLVE: Need(photos=1)})
    with pytest.raises(Invalid) as refused:
        done(at_work(), ident("stolen"))
    assert lacking(refused) == {"/evidence/0": "unknown-attachment"}


FENCED = ActForm("ҚА-[0-9]+", "ҚА-7")
LOOSE = ActForm("[0-9/]+", "7/2026")
"""Of another form than ACT, and of one that numbers of ACT have as well."""
needs = st.builds(
    Need,
    st.integers(0, 3),
    st.none() | st.integers(10, 500),
    st.sampled_from([None, ACT, FENCED, LOOSE]),
)
numbers = st.sampled_from([None, ACT.example, FENCED.example, "7", "?"])


@given(needs, needs, needs, numbers)
def test_resolving_never_asks_for_less_than_any_stage_that_it_ends(arrive, secure, resolve, number):
    demanded = {Stage.ARRIVE: arrive, Stage.SECURE: secure, Stage.RESOLVE: resolve}
    changed = replace(make.reference(), evidence={(MANHOLE, 1): demanded})
    appeal = at_work().appeal
    assert appeal.clock(Stage.ARRIVE) is None, "nobody promised it, and nobody is asked for it"
    found = asked(appeal, Stage.RESOLVE, changed)
    for one in (secure, resolve):
        assert found.need.photos >= one.photos
        assert one.within is None or (
            found.need.within is not None and found.need.within <= one.within
        )
    command = c.Resolve("қақпақ қойылды", (PHOTO,), position=north(0), act_number=number)
    desk = Desk(make.principal(Role.EXECUTOR), changed, make.MONDAY)
    forms = [one.act for one in (secure, resolve) if one.act is not None]
    wrong = any(number is None or not form.fits(number) for form in forms)
    try:
        prove(appeal, Stage.RESOLVE, command, desk)
        pointers = set()
    except EvidenceMissing as refused:
        pointers = {fault.pointer for fault in refused.faults}
    assert ("/act_number" in pointers) == wrong


def test_a_stage_whose_act_is_of_another_form_is_reported_first_with_its_own(demand):
    demand({Stage.SECURE: Need(act=FENCED), Stage.RESOLVE: Need(act=ACT)})
    life = at_work()
    for number in ("118/2026", "ҚА-7", None):
        with pytest.raises(EvidenceMissing) as refused:
            done(life, PHOTO, act=number)
        faults = [(one.rule, dict(one.params)) for one in refused.value.faults]
        of_stage = ("act-of-stage", {"stage": "secure", "example": "ҚА-7"})
        own = {"ҚА-7": "act-form", None: "act-missing"}.get(number)
        assert faults == [
            *([(own, {"example": "118/2026"})] if own else []),
            *([of_stage] if number != "ҚА-7" else []),
        ]
    (secure, resolve) = ahead(life.appeal, make.reference())
    assert (secure.need.act, secure.acts) == (FENCED, ())
    assert (resolve.need.act, resolve.acts) == (ACT, ((Stage.SECURE, FENCED),))
    life.act(A.REPORT, c.Report(Stage.SECURE, "қоршалды", act_number="ҚА-7"))
    assert done(life, PHOTO, act="118/2026").status is Status.RESOLVED


def test_one_number_that_is_of_both_forms_ends_both_stages(demand):
    demand({Stage.SECURE: Need(act=LOOSE), Stage.RESOLVE: Need(act=ACT)})
    assert done(at_work(), PHOTO, act="118/2026").status is Status.RESOLVED


def test_an_act_that_was_let_go_is_asked_for_in_no_form(demand):
    demand({Stage.SECURE: Need(act=FENCED), Stage.RESOLVE: Need(act=ACT)})
    life = at_work()
    life.act(A.WAIVE, c.Waive(Stage.RESOLVE, "акт жоқ"), Role.INSPECTOR)
    assert done(life, PHOTO).status is Status.RESOLVED


def test_what_was_let_go_of_a_stage_is_not_asked_for_by_the_act_that_ends_it_too(demand):
    demand({Stage.SECURE: Need(photos=2, act=FENCED), Stage.RESOLVE: Need(photos=1, act=ACT)})
    life = at_work()
    waive = c.Waive(Stage.SECURE, "қоршаусыз", frozenset({Piece.ACT_NUMBER}))
    life.act(A.WAIVE, waive, Role.INSPECTOR)
    found = asked(life.appeal, Stage.RESOLVE, make.reference())
    assert (found.need, found.acts, found.waived) == (Need(photos=2, act=ACT), (), frozenset())
    life.act(A.WAIVE, c.Waive(Stage.SECURE, "фото да жоқ"), Role.INSPECTOR)
    assert asked(life.appeal, Stage.RESOLVE, make.reference()).need == Need(photos=1, act=ACT)
    assert done(life, PHOTO, act="118/2026").status is Status.RESOLVED


def test_a_piece_of_a_stage_alone_is_told_as_let_go_where_the_stage_is_ended_too(demand):
    demand({Stage.SECURE: Need(act=FENCED), Stage.RESOLVE: Need(photos=1)})
    life = at_work()
    life.act(A.WAIVE, c.Waive(Stage.SECURE, "қоршаусыз"), Role.INSPECTOR)
    found = asked(life.appeal, Stage.RESOLVE, make.reference())
    assert (found.need, found.acts) == (Need(photos=1), ())
    assert found.waived == {Piece.ACT_NUMBER}
    done(life, PHOTO)
    assert told(life)["shown"]["waived"] == ["act_number"]
