import pytest

from domain.catalogue.exchange import SourceFile, read_files
from domain.catalogue.problems import Problem
from domain.catalogue.table import Table, read_table
from tests.domain.catalogue import make

LINES = {"/categories/0/services/0": 12, "/categories/0/services/0/names": 14}


def read(*contents):
    files = [SourceFile(f"{n}.yaml", content, LINES) for n, content in enumerate(contents)]
    return read_files(files, make.REFERENCES)


def complaints(reading):
    return [(problem.code, problem.field) for problem in reading.problems]


def test_a_sound_folder_becomes_a_draft():
    reading = read(make.content(make.entry()))
    assert reading.problems == ()
    (service,) = reading.draft.services
    assert service.category == "lifts.emergency"
    assert service.sphere == "lifts"
    assert service.public is True


def test_texts_are_tidied_but_not_changed():
    told = make.entry(
        names={"kk": "  Кедергі ", "ru": "Дверь  не\nоткрывается"},
        first_call_answer={"kk": "бір\r\nекі", "ru": "раз\nдва"},
        keywords={"ru": ["дверь", " дверь ", ""]},
    )
    (service,) = read(make.content(told)).draft.services
    assert service.names == {"kk": "Кедергі", "ru": "Дверь не открывается"}
    assert service.first_call_answer == {"kk": "бір\nекі", "ru": "раз\nдва"}
    assert service.keywords == {"ru": ("дверь",)}


def name(text):
    return make.entry(names={"kk": "Кедергі", "ru": text})


BAD_ENTRIES = {
    "not a mapping": ("лифт", "type", ""),
    "unknown key": (make.entry(sla="1h"), "unknown", "sla"),
    "no code": (make.entry(code=...), "required", "code"),
    "bad code": (make.entry(code="lifts.Застрял"), "bad-code", "code"),
    "code elsewhere": (make.entry(code="roads.hole"), "outside", "code"),
    "long code": (make.entry(code="lifts." + "a" * 100), "too-long", "code"),
    "code a number": (make.entry(code=109), "type", "code"),
    "no names": (make.entry(names=...), "required", "names"),
    "missing language": (make.entry(names={"ru": "Лифт"}), "missing-language", "names.kk"),
    "blank language": (
        make.entry(names={"kk": " ", "ru": "Лифт"}),
        "missing-language",
        "names.kk",
    ),
    "another language": (
        make.entry(names={"kk": "а", "ru": "б", "de": "c"}),
        "unknown",
        "names.de",
    ),
    "name a number": (name(109), "type", "names.ru"),
    "name too long": (name("л" * 201), "too-long", "names.ru"),
    "control character": (name("ли\x00фт"), "control-character", "names.ru"),
    "half a description": (
        make.entry(description={"kk": "Сипаттама"}),
        "missing-language",
        "description.ru",
    ),
    "no criticality": (make.entry(criticality=...), "required", "criticality"),
    "bad criticality": (make.entry(criticality="urgent"), "unknown-criticality", "criticality"),
    "no policy": (make.entry(policy=...), "required", "policy"),
    "unknown policy": (make.entry(policy="soon"), "unknown-policy", "policy"),
    "unknown kind": (make.entry(responsible="mayor"), "unknown-kind", "responsible"),
    "bad public": (make.entry(public="maybe"), "type", "public"),
    "keywords not a list": (make.entry(keywords={"ru": "лифт"}), "type", "keywords.ru"),
    "keyword with separator": (make.entry(keywords={"ru": ["а;б"]}), "separator", "keywords.ru.0"),
    "too many keywords": (
        make.entry(keywords={"ru": [f"к{n}" for n in range(51)]}),
        "too-many",
        "keywords.ru",
    ),
    "no beginning": (make.entry(valid_from=...), "required", "valid_from"),
    "bad date": (make.entry(valid_from="2026-02-30"), "bad-date", "valid_from"),
    "ends too early": (
        make.entry(valid_from="2026-02-02", valid_to="2026-02-01"),
        "ends-before-it-begins",
        "valid_to",
    ),
    "bad form": (make.entry(form={"type": "array"}), "bad-form", "form.type"),
}


@pytest.mark.parametrize("kind", BAD_ENTRIES)
def test_a_bad_service_is_reported_and_nothing_is_taken_in(kind):
    entry, code, field = BAD_ENTRIES[kind]
    reading = read(make.content(make.entry(code="lifts.sound"), entry))
    assert reading.draft is None
    assert (code, field) in complaints(reading)


BAD_FILES = {
    "a list": ([], "type", ""),
    "no sphere": (make.content(sphere=None), "required", "sphere"),
    "unknown key": (make.content(spheres=[]), "unknown", "spheres"),
    "categories not a list": (make.content(categories={"a": 1}), "type", "categories"),
    "category elsewhere": (
        make.content(categories=[{"code": "roads.a", "names": make.names("а")}]),
        "outside",
        "code",
    ),
    "category unnamed": (make.content(categories=[{"code": "lifts.a"}]), "required", "names"),
    "bad position": (
        make.content(sphere={"code": "lifts", "names": make.names("а"), "position": -1}),
        "out-of-range",
        "position",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_reported(kind):
    content, code, field = BAD_FILES[kind]
    reading = read(content)
    assert reading.draft is None
    assert (code, field) in complaints(reading)


def test_all_bad_entries_are_reported_at_once():
    bad = [make.entry(code=f"lifts.n-{n}", policy="soon") for n in range(30)]
    reading = read(make.content(*bad, make.entry(valid_from="soon"), make.entry(names={})))
    codes = [problem.code for problem in reading.problems]
    assert codes.count("unknown-policy") == 30
    assert {"bad-date", "missing-language", "duplicate"} <= set(codes)


def test_a_code_may_stand_once_in_the_whole_catalogue_and_the_first_place_is_named():
    other = make.content(
        make.entry(code="roads.a"),
        make.entry(code="roads.a"),
        sphere={"code": "roads", "names": make.names("Дороги")},
    )
    twice = read(make.content(make.entry(), make.entry()))
    (problem,) = twice.problems
    assert problem.code == "duplicate"
    assert problem.params["file"] == "0.yaml"
    assert problem.params["line"] == 12
    again = [p.params["what"] for p in read(make.content(), other).problems if "what" in p.params]
    assert again == ["category", "service"]


def test_a_problem_knows_its_file_and_line():
    (problem,) = read(make.content(name(5))).problems[:1]
    assert (problem.file, problem.line, problem.field) == ("0.yaml", 14, "names.ru")


# --- the flat form ---------------------------------------------------------------------------

PLACES: list[dict[str, str]] = [
    {"sphere": "lifts", "name_kk": "Лифтілер", "name_ru": "Лифты"},
    {"sphere": "lifts", "category": "lifts.emergency", "name_kk": "Шұғыл", "name_ru": "Срочно"},
]


def row(**changes):
    cells = {
        "sphere": "lifts",
        "category": "lifts.emergency",
        "code": "lifts.person-trapped",
        "name_kk": "Адам лифтіде қалды",
        "name_ru": "Человек застрял в лифте",
        "criticality": "emergency",
        "policy": "person-in-lift",
        "responsible": "lift-company",
        "valid_from": "2026-01-01",
    }
    return {key: value for key, value in (cells | changes).items() if value is not ...}


def read_rows(*rows):
    columns = tuple(dict.fromkeys(column for cells in (*PLACES, row(), *rows) for column in cells))
    numbered = tuple(enumerate((*PLACES, *rows), 2))
    return read_table(Table("services.csv", columns, numbered), make.REFERENCES)


def test_a_sound_table_becomes_a_draft():
    reading = read_rows(row(public="нет", keywords_ru="застрял; лифт ;", valid_to="31.12.2026"))
    assert reading.problems == ()
    (service,) = reading.draft.services
    assert service.public is False
    assert service.keywords == {"ru": ("застрял", "лифт")}
    assert str(service.valid_to) == "2026-12-31"


BAD_ROWS = {
    "unknown sphere": (row(sphere="sky"), "unknown-sphere", "sphere"),
    "unknown category": (row(category="lifts.none"), "unknown-category", "category"),
    "no category": (row(category=...), "unknown-category", "category"),
    "missing language": (row(name_kk=...), "missing-language", "name_kk"),
    "name too long": (row(name_ru="л" * 201), "too-long", "name_ru"),
    "unknown policy": (row(policy="soon"), "unknown-policy", "policy"),
    "unknown kind": (row(responsible="mayor"), "unknown-kind", "responsible"),
    "no kind": (row(responsible=...), "required", "responsible"),
    "bad criticality": (row(criticality="!"), "unknown-criticality", "criticality"),
    "bad date": (row(valid_from="31.02.2026"), "bad-date", "valid_from"),
    "ends too early": (row(valid_to="2025-01-01"), "ends-before-it-begins", "valid_to"),
    "bad flag": (row(public="maybe"), "type", "public"),
    "bad json": (row(form="{"), "bad-json", "form"),
    "bad form": (row(form='{"type":"array"}'), "bad-form", "form.type"),
    "half an answer": (
        row(first_call_answer_ru="Ждите"),
        "missing-language",
        "first_call_answer_kk",
    ),
    "long keyword": (row(keywords_kk="к" * 201), "too-long", "keywords_kk"),
    "position of a service": (row(position="1"), "not-a-place", "position"),
    "a tree row with a policy": (
        row(code=..., category="lifts.other"),
        "not-a-service",
        "policy",
    ),
    "a second category": (PLACES[1], "duplicate", "code"),
    "a category of no sphere": (
        {"sphere": "sky", "category": "sky.blue", "name_kk": "а", "name_ru": "а"},
        "unknown-sphere",
        "sphere",
    ),
    "a bad position": (
        {"sphere": "sky", "name_kk": "а", "name_ru": "а", "position": "top"},
        "type",
        "position",
    ),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_bad_row_is_reported_by_its_number_and_column(kind):
    bad, code, field = BAD_ROWS[kind]
    reading = read_rows(row(code="lifts.sound"), bad)
    assert reading.draft is None
    assert (5, code, field) in [(p.line, p.code, p.field) for p in reading.problems]


def test_an_unknown_or_missing_column_stops_the_import_at_the_header():
    reading = read_table(Table("t.csv", ("sphere", "sphere", "price"), ()), make.REFERENCES)
    assert reading.draft is None
    found = complaints(reading)
    assert ("unknown", "price") in found
    assert ("duplicate", "sphere") in found
    assert ("required", "name_kk") in found


def test_problems_met_while_decoding_spoil_the_draft_too():
    met = Problem("a.yaml", 3, "bad-utf-8", "", {})
    reading = read_files([SourceFile("b.yaml", make.content())], make.REFERENCES, [met])
    assert reading.draft is None
    assert reading.problems == (met,)
