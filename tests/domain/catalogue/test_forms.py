import jsonschema_rs
import pytest

from domain.catalogue.forms import Forms, check_form, localise
from tests.domain.catalogue import make

FLOOR = {
    "type": "integer",
    "minimum": 1,
    "maximum": 40,
    "title": {"kk": "Қабат", "ru": "Этаж", "en": "Floor"},
}
PEOPLE = {
    "type": "string",
    "title": {"kk": "Қанша адам", "ru": "Сколько людей"},
    "oneOf": [
        {"const": "one", "title": {"kk": "Біреу", "ru": "Один"}},
        {"const": "many", "title": {"kk": "Көп", "ru": "Много"}},
    ],
}
FORM = {
    "type": "object",
    "properties": {
        "floor": FLOOR,
        "people": PEOPLE,
        "phone": make.question(type="string", minLength=5, maxLength=12, pattern="^[0-9+]+$"),
        "since": make.question(type="string", format="date"),
        "title": make.question(enum=[1, 2]),
        "photos": make.question(type="array", maxItems=1, items={"type": "integer"}),
    },
    "required": ["floor"],
}


def test_a_form_speaks_the_language_asked_for():
    schema = localise(FORM, "kk")
    assert schema["properties"]["floor"]["title"] == "Қабат"
    assert schema["properties"]["people"]["oneOf"][0]["title"] == "Біреу"


def test_a_form_falls_back_to_russian_where_english_is_missing():
    assert localise(FORM, "en")["properties"]["people"]["title"] == "Сколько людей"


def test_a_question_may_itself_be_called_title():
    assert localise(FORM, "ru")["properties"]["title"] == {"title": "Вопрос", "enum": [1, 2]}


def test_an_answer_that_looks_like_a_language_map_is_left_alone():
    form = make.form(a=make.question(const={"title": {"ru": "х"}}))
    assert localise(form, "ru")["properties"]["a"]["const"] == {"title": {"ru": "х"}}


def test_a_localised_form_is_valid_json_schema():
    for language in ("kk", "ru", "en"):
        assert jsonschema_rs.meta.is_valid(localise(FORM, language))


def test_a_form_takes_more_answers_only_when_it_says_so():
    assert localise(FORM, "ru")["unevaluatedProperties"] is False
    assert "unevaluatedProperties" not in localise(FORM | {"additionalProperties": True}, "ru")


def test_a_good_form_has_no_faults():
    assert check_form(FORM) == []


CIRCLE = {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}
BOMB = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 4} for n in range(12)} | {"d12": {}}
DEEP: dict[str, object] = {}
for _ in range(20):
    DEEP = {"items": DEEP}

BAD_FORMS = {
    "a list": ([], "", "type"),
    "a date inside": (make.form(a=make.question(default=object())), "", "type"),
    "not an object": ({"type": "array"}, "/type", "type"),
    "no type": ({"properties": {}}, "/type", "type"),
    "too deep": (make.form(a=make.question(**DEEP)), "", "too-deep"),
    "too large": (make.form(a=make.question(enum=["x" * 40_000])), "", "too-large"),
    "another draft": (
        {"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"},
        "/$schema",
        "reference",
    ),
    "ref outside": (
        make.form(a=make.question(**{"$ref": "https://evil.example/x"})),
        "/properties/a/$ref",
        "reference",
    ),
    "ref to a file": (
        make.form(a=make.question(**{"$ref": "file:///etc/passwd"})),
        "/properties/a/$ref",
        "reference",
    ),
    "ref to itself": ({"type": "object", "allOf": [{"$ref": "#"}]}, "/allOf/0/$ref", "reference"),
    "ref in a circle": ({"type": "object", "$defs": CIRCLE}, "", "reference"),
    "ref bomb": ({"type": "object", "$defs": BOMB}, "", "reference"),
    "own id": ({"type": "object", "$id": "https://x.example"}, "/$id", "reference"),
    "no title": (make.form(a={"type": "string"}), "/properties/a/title", "required"),
    "no Kazakh": (
        make.form(a=make.question(title={"ru": "Этаж"})),
        "/properties/a/title/kk",
        "missing-language",
    ),
    "plain title": (
        make.form(a=make.question(title="Этаж")),
        "/properties/a/title/kk",
        "missing-language",
    ),
    "another language": (
        make.form(a=make.question(title={"kk": "а", "ru": "а", "de": "a"})),
        "/properties/a/title/de",
        "unknown",
    ),
    "untitled choice": (
        make.form(a=make.question(oneOf=[{"const": 1}])),
        "/properties/a/oneOf/0/title",
        "required",
    ),
    "misspelt keyword": (make.form(a=make.question(minimun=1)), "/properties/a/minimun", "unknown"),
    "wrong type": (make.form(a=make.question(type="strng")), "/properties/a/type", "schema"),
    "bad pattern": (make.form(a=make.question(pattern="(")), "/properties/a/pattern", "pattern"),
    "slow pattern": (
        make.form(a=make.question(pattern="(?=a)b")),
        "/properties/a/pattern",
        "pattern",
    ),
    "demands the unasked": (make.form() | {"required": ["x"]}, "/required/0", "unasked"),
}


@pytest.mark.parametrize("kind", BAD_FORMS)
def test_a_bad_form_is_refused_at_the_right_place(kind):
    form, pointer, rule = BAD_FORMS[kind]
    assert (pointer, rule) in [(fault.pointer, fault.rule) for fault in check_form(form)]


def test_a_definition_may_be_shared_by_two_questions():
    form = make.form(a=make.question(**{"$ref": "#/$defs/floor"}), b=FLOOR)
    form["$defs"] = {"floor": {"type": "integer", "minimum": 1}}
    assert check_form(form) == []
    faults = Forms().faults(make.service(form=form), {"a": 0, "b": 1})
    assert [(f.pointer, f.rule) for f in faults] == [("/answers/a", "out-of-range")]


def test_sound_answers_have_no_faults():
    answers = {"floor": 7, "people": "one", "since": "2026-11-22", "phone": "+77001112233"}
    assert Forms().faults(make.service(form=FORM), answers) == ()


BAD_ANSWERS: dict[str, tuple[dict[str, object], str, str]] = {
    "missing": ({}, "/answers/floor", "required"),
    "unknown": ({"floor": 1, "a/b": 1}, "/answers/a~1b", "unknown"),
    "type": ({"floor": "seven"}, "/answers/floor", "type"),
    "below": ({"floor": 0}, "/answers/floor", "out-of-range"),
    "above": ({"floor": 41}, "/answers/floor", "out-of-range"),
    "not a choice": ({"floor": 1, "people": "nobody"}, "/answers/people", "enum"),
    "not in the enum": ({"floor": 1, "title": 3}, "/answers/title", "enum"),
    "short": ({"floor": 1, "phone": "109"}, "/answers/phone", "too-short"),
    "long": ({"floor": 1, "phone": "1" * 13}, "/answers/phone", "too-long"),
    "many": ({"floor": 1, "photos": [1, 2]}, "/answers/photos", "too-long"),
    "nested": ({"floor": 1, "photos": ["x"]}, "/answers/photos/0", "type"),
    "pattern": ({"floor": 1, "phone": "abcdef"}, "/answers/phone", "pattern"),
    "format": ({"floor": 1, "since": "22.11.2026"}, "/answers/since", "format"),
}


@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_a_bad_answer_is_pointed_at(kind):
    answers, pointer, rule = BAD_ANSWERS[kind]
    faults = Forms().faults(make.service(form=FORM), answers)
    assert [(fault.pointer, fault.rule) for fault in faults] == [(pointer, rule)]


def test_every_bad_answer_is_named_at_once():
    faults = Forms().faults(make.service(form=FORM), {"people": "x", "since": "x", "y": 1})
    rules = {fault.rule for fault in faults}
    assert rules == {"required", "enum", "format", "unknown"}


def test_a_broken_choice_says_what_there_is_to_choose_from():
    (fault,) = Forms().faults(make.service(form=FORM), {"floor": 1, "people": "x"})
    assert fault.params == {"options": ["one", "many"]}


def test_a_rule_without_a_name_of_its_own_is_other():
    form = make.form(a=make.question(type="integer", multipleOf=5))
    (fault,) = Forms().faults(make.service(form=form), {"a": 3})
    assert (fault.pointer, fault.rule) == ("/answers/a", "other")


def test_a_service_without_a_form_takes_no_answers():
    (fault,) = Forms().faults(make.service(), {"floor": 1})
    assert (fault.pointer, fault.rule) == ("/answers/floor", "unknown")
    assert Forms().faults(make.service(), {}) == ()


def test_two_cities_may_ask_differently_under_one_code_and_version():
    forms = Forms()
    assert forms.faults(make.service(form=make.form(a=make.question())), {"a": 1}) == ()
    assert forms.faults(make.service(form=make.form(b=make.question())), {"b": 1}) == ()


def test_a_form_is_compiled_once():
    forms, service = Forms(), make.service(form=FORM)
    assert forms._validator(service) is forms._validator(service)
