"""What the words may mean: the model and the search together, and danger never overlooked."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalogue.model import Catalogue, Criticality
from domain.triage.ranking import DANGER, FIRST
from domain.values import Language
from integrations.triage.corpus import ASKED, read_asked
from tests.support.starter import PHRASES, TODAY, codes, ranked, starter, starter_model

GAS, LIFT = "utilities.gas-smell", "lifts.person-trapped"


def without(*gone: str) -> Catalogue:
    kept = [service for service in starter().services if service.code not in gone]
    return Catalogue.ordered(starter().spheres, starter().categories, kept)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("у нас дома нет света", "utilities.no-power-yard"),
        ("бүгін мектепте сабақ бола ма, аяз ғой", "education.school-cancelled-frost"),
        ("бугин мектепте сабак бола ма", "education.school-cancelled-frost"),
        ("свет өшіп қалды весь двор", "utilities.no-power-yard"),
        ("автобус 35 келмей жатыр уже 40 минут", "transport.long-wait"),
        ("мусар ни вывозят ниделю", "waste.not-collected"),
        ("ytn cdtnf", "utilities.no-power-yard"),
        ("su joq uide", "utilities.no-cold-water"),
        ("there is a smell of gas", GAS),
    ],
)
def test_it_is_understood_however_it_is_said(text: str, code: str):
    assert code in codes(ranked(text))[:FIRST]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("газ иісі шығып тұр", Language.KK),
        ("лифт токтап калды кутип турмыз", Language.KK),
        ("кран сломался во дворе", Language.RU),
        ("su joq uide", Language.KK),
        ("svet otklyuchili vo dvore", Language.RU),
        ("🙂 42", Language.EN),
    ],
)
def test_the_language_is_read_from_the_words(text: str, language: Language):
    assert ranked(text, language=Language.EN).language is language


def test_of_phrases_in_one_language_hardly_one_is_taken_for_another():
    asked = [one for one in read_asked(PHRASES / ASKED["operators"]) if one.speech in ("kk", "ru")]
    right = [ranked(one.text).language == one.speech for one in asked]
    assert sum(right) / len(right) > 0.97


def test_reasons_are_words_of_the_text():
    first = ranked("Сосед сверху нас затопил, вода капает").services[0]
    assert first.by_model
    assert "сверху" in first.words
    assert set(first.words) <= {"Сосед", "сверху", "нас", "затопил", "вода", "капает"}


def test_a_service_that_the_model_never_saw_is_found_by_the_catalogues_words():
    fountain = starter().service("landscaping.fountain-off")
    new = replace(
        fountain,
        code="landscaping.bicycle-hire",
        names={"kk": "Велосипед жалға алу", "ru": "Прокат велосипедов не работает"},
        keywords={"ru": ("велопрокат не отдаёт велосипед",)},
    )
    catalogue = Catalogue.ordered(
        starter().spheres, starter().categories, [*starter().services, new]
    )
    (first, *_) = ranked("прокат велосипедов не работает", catalogue=catalogue).services
    assert (first.service.code, first.by_model, first.by_search) == (new.code, False, True)
    assert first.words == ()
    assert new.code not in codes(ranked("нет горячей воды", catalogue=catalogue))


def test_what_the_catalogue_no_longer_has_is_not_offered():
    assert codes(ranked("пахнет газом"))[0] == GAS
    assert GAS not in codes(ranked("пахнет газом", catalogue=without(GAS)))


def test_what_is_not_offered_today_or_to_residents_is_not_named():
    service = starter().service("general.silent-call")
    text = service.names["ru"]
    assert codes(ranked(text))[0] == service.code
    assert service.code not in codes(ranked(text, public_only=True))
    before = service.valid_from - timedelta(days=1)
    assert service.code not in codes(ranked(text, day=before))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("мне кажется или у вас в подъезде воняет чем-то вроде газа", GAS),
        ("кнопки сломаны и грязно, а ещё лифт встал и мы не можем выйти", LIFT),
        ("фонарь не горит, темно, и колодец во дворе без крышки", "manholes.open-in-yard"),
        ("не вывозят мусор, и от бака огонь, горит рядом гараж", "general.fire"),
    ],
)
def test_words_of_danger_bring_the_emergency_among_the_first(text: str, code: str):
    found = ranked(text)
    assert code in codes(found)[:FIRST]
    assert found.emergency


@pytest.mark.parametrize("limit", [1, 2])
def test_a_short_answer_does_not_cut_the_emergency_off(limit: int):
    found = ranked("кнопки сломаны и грязно, а ещё лифт встал и мы не можем выйти", limit=limit)
    assert LIFT in codes(found)
    assert len(ranked("нет горячей воды", limit=limit).services) <= limit


def test_danger_of_any_kind_brings_up_the_likeliest_emergency():
    found = ranked("спасите, тут что-то случилось с проводом")
    urgent = [one for one in found.services[:FIRST] if one.service.criticality == "emergency"]
    assert urgent
    assert found.emergency


def test_a_calm_question_is_no_emergency():
    for text in (
        "как передать показания счётчика",
        "ЦОН қашан жұмыс істейді",
        "потерял удостоверение",
    ):
        assert not ranked(text).emergency, text


def test_emergencies_of_the_operators_phrases_are_all_among_the_first():
    asked = read_asked(PHRASES / ASKED["operators"])
    urgent = [
        one
        for one in asked
        if starter().service(one.services[0]).criticality is Criticality.EMERGENCY
    ]
    missed = [
        one.text for one in urgent if not set(codes(ranked(one.text))[:FIRST]) & set(one.services)
    ]
    assert len(urgent) > 90
    assert missed == []


def test_no_danger_is_named_that_the_starter_catalogue_lacks():
    dangers = {danger.code for danger in starter_model().dangers} - {"*"}
    assert all(starter().service(code).criticality == "emergency" for code in dangers)


@pytest.mark.parametrize("text", ["", " ", "🙂🙂", "…", "\x00\x01", "42"])
def test_nothing_understood_is_said_to_be_nothing(text: str):
    found = ranked(text)
    assert [one for one in found.services if one.share > DANGER] == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=600))
def test_no_text_is_too_odd(text: str):
    found = ranked(text)
    assert len(found.services) <= 5
    assert all(0 <= one.share <= 1 for one in found.services)
    assert sum(one.share for one in found.services) <= 1.001
    assert len(set(codes(found))) == len(found.services)


@pytest.mark.parametrize("text", ["а" * 10_000, "люк " * 2_500, "я" + "\u0301" * 9_999])
def test_long_texts_are_answered(text: str):
    assert len(ranked(text, day=TODAY).services) <= 5
