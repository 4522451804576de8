"""Evidence in the catalogue: read from files and tables, faults told where they stand."""

from datetime import date

import orjson
import pytest

from domain.catalogue.changes import diff
from domain.catalogue.evidence import ActForm, Need, any_of, evidence_document, parse_evidence
from domain.catalogue.exchange import SourceFile, read_files
from domain.catalogue.table import Table, read_table
from domain.sla.policy import Stage
from integrations.files import catalogue_csv, catalogue_yaml
from tests.domain.catalogue import make

ACT = {"pattern": "[0-9]{1,6}/[0-9]{4}", "example": "118/2026"}
WHOLE = {
    "arrive": {"within_metres": 300},
    "secure": {"photos": 1},
    "resolve": {"photos": 2, "within_metres": 100, "act": ACT},
}
MEANT = {
    Stage.ARRIVE: Need(within=300),
    Stage.SECURE: Need(photos=1),
    Stage.RESOLVE: Need(2, 100, ActForm(ACT["pattern"], ACT["example"])),
}


def read(evidence):
    lines = {"/categories/0/services/0": 12, "/categories/0/services/0/evidence": 20}
    content = make.content(make.entry(evidence=evidence))
    return read_files([SourceFile("lifts.yaml", content, lines)], make.REFERENCES)


def test_a_service_may_demand_evidence_of_its_stages():
    (service,) = read(WHOLE).draft.services
    assert service.evidence == MEANT
    assert evidence_document(service.evidence) == WHOLE
    assert parse_evidence(WHOLE) == MEANT


def test_without_the_field_a_service_demands_none_and_keeps_its_fingerprint():
    (silent,) = read(...).draft.services
    (empty,) = read({}).draft.services
    assert silent.evidence == empty.evidence == {}
    assert silent.fingerprint() == empty.fingerprint()
    assert "evidence" not in silent.content()


BAD = {
    "no mapping": ("photo", "type", "evidence"),
    "another stage": ({"answer": {"photos": 1}}, "unknown", "evidence.answer"),
    "a stage of nothing": ({"secure": {}}, "no-evidence", "evidence.secure"),
    "a stage that is none": ({"secure": 1}, "type", "evidence.secure"),
    "another piece": ({"secure": {"photos": 1, "video": 1}}, "unknown", "evidence.secure.video"),
    "no photo": ({"secure": {"photos": 0}}, "out-of-range", "evidence.secure.photos"),
    "more than one names": ({"secure": {"photos": 11}}, "out-of-range", "evidence.secure.photos"),
    "half a photo": ({"secure": {"photos": 1.5}}, "type", "evidence.secure.photos"),
    "photos at all": ({"secure": {"photos": True}}, "type", "evidence.secure.photos"),
    "nearer than any device": (
        {"arrive": {"within_metres": 9}}, "out-of-range", "evidence.arrive.within_metres",
    ),
    "as far as the next town": (
        {"arrive": {"within_metres": 5001}}, "out-of-range", "evidence.arrive.within_metres",
    ),
    "an act without a form": (
        {"resolve": {"act": {"example": "1"}}}, "required", "evidence.resolve.act.pattern",
    ),
    "an act without an example": (
        {"resolve": {"act": {"pattern": "1"}}}, "required", "evidence.resolve.act.example",
    ),
    "a form that is none": (
        {"resolve": {"act": {"pattern": "[0-9", "example": "1"}}},
        "bad-pattern", "evidence.resolve.act.pattern",
    ),
    "a form that looks behind": (
        {"resolve": {"act": {"pattern": "(?<=a)1", "example": "1"}}},
        "bad-pattern", "evidence.resolve.act.pattern",
    ),
    "an example of another form": (
        {"resolve": {"act": {"pattern": "[0-9]+", "example": "1a"}}},
        "bad-example", "evidence.resolve.act.example",
    ),
    "a long form": (
        {"resolve": {"act": {"pattern": "1" * 201, "example": "1"}}},
        "too-long", "evidence.resolve.act.pattern",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=str)
def test_what_is_wrong_with_evidence_is_told_where_it_stands(case):
    evidence, code, field = BAD[case]
    reading = read(evidence)
    assert reading.draft is None
    assert [(problem.code, problem.field) for problem in reading.problems] == [(code, field)]
    assert reading.problems[0].line == 20


def test_a_table_holds_evidence_as_json_in_one_cell():
    row = {
        "sphere": "lifts", "category": "lifts.emergency", "code": "lifts.stuck",
        "name_kk": "Лифт", "name_ru": "Лифт", "criticality": "high", "policy": "default",
        "responsible": "utility", "valid_from": "2026-01-01",
    }  # fmt: skip
    places = ((2, {"sphere": "lifts", "name_kk": "а", "name_ru": "а"}),
              (3, {"sphere": "lifts", "category": "lifts.emergency", "name_kk": "а",
                   "name_ru": "а"}))  # fmt: skip

    def told(cell):
        columns = (*row, "evidence")
        table = Table("t.csv", columns, (*places, (4, row | {"evidence": cell})))
        return read_table(table, make.REFERENCES)

    (service,) = told(orjson.dumps(WHOLE).decode()).draft.services
    assert service.evidence == MEANT
    (broken,) = told("{photos: 1}").problems
    assert (broken.code, broken.field, broken.line) == ("bad-json", "evidence", 4)
    (wrong,) = told('{"secure": {"photos": 99}}').problems
    assert (wrong.code, wrong.field, wrong.line) == ("out-of-range", "evidence.secure.photos", 4)


def test_evidence_comes_back_from_files_and_tables_as_it_went_out():
    catalogue = make.catalogue(make.service(evidence=MEANT), make.service("lifts.noise"))
    for back in (
        catalogue_yaml.read(catalogue_yaml.encode(catalogue), make.REFERENCES),
        catalogue_csv.read("c.csv", catalogue_csv.encode(catalogue), make.REFERENCES),
    ):
        assert back.draft is not None
        assert back.draft.services == catalogue.services


def test_other_evidence_makes_another_version():
    before = make.catalogue(make.service(version=3))
    (changed,) = diff(before, read(WHOLE).draft, day=date(2026, 5, 1)).changed
    assert changed.version == 4
    assert changed.evidence == MEANT


def test_a_number_of_one_form_at_least_is_of_any_of_them():
    plain, fenced = ActForm("[0-9]+|A", "7"), ActForm("ҚА-(?<n>[0-9]+)", "ҚА-7")
    third = ActForm("Т-(?<n>[0-9]+)", "Т-1")
    both = any_of([plain, fenced, plain])
    assert both is not None
    assert both.example == "7; ҚА-7"
    every = any_of([both, fenced, third])
    assert every is not None
    assert every.example == "7; ҚА-7; Т-1"
    for number, whose in (("7", both), ("A", both), ("ҚА-7", both), ("Т-1", every)):
        assert whose.fits(number)
    assert not both.fits("Т-1")
    assert not any(every.fits(number) for number in ("7A", "ҚА-7 Т-1", "x7", ""))
    assert any_of([]) is None
    assert any_of([fenced]) == any_of([fenced, fenced]) == fenced
