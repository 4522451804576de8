"""Import and export of organisations: all of it, or nothing and every reason."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.problems import Spot
from domain.organisations.exchange import Draft, Known, Reading, Row, Rows, read
from domain.organisations.export import write
from domain.organisations.model import Responsibility

NAMESPACE = UUID(int=109)
NAMES = {"kk": "Су", "ru": "Вода", "en": "Water"}
KNOWN = Known(
    namespace=NAMESPACE,
    calendars=frozenset({"around-the-clock", "office-hours"}),
    selectors=frozenset({"lifts", "lifts.emergency", "lifts.person-trapped"}),
    districts=frozenset({"ertis"}),
    streets={"abay": UUID(int=1)},
    buildings={"abay/5": UUID(int=2), "abay/7": UUID(int=3)},
    organisations={"akimat": UUID(int=4)},
    territories={"city": UUID(int=5)},
)
WATER: dict[str, object] = {
    "code": "water", "kind": "utility", "names": NAMES, "calendar": "around-the-clock",
    "parent": "akimat", "contacts": {"phone": "+7 7222 10 10 10"},
}  # fmt: skip
YARD: dict[str, object] = {
    "code": "yard", "names": NAMES, "kind": "buildings", "buildings": ["abay/5", "abay/7"]
}  # fmt: skip
RULE: dict[str, object] = {"selector": "lifts", "territory": "yard", "organisation": "water"}


def rows(name: str, entries: Sequence[object]) -> list[Row]:
    return [(Spot(f"{name}.yaml", {"": line}), entry) for line, entry in enumerate(entries, 1)]


def take(
    firms: Sequence[object] | None = None,
    areas: Sequence[object] | None = None,
    rules: Sequence[object] | None = None,
) -> Reading:
    return read(
        Rows(
            organisations=rows("firms", [WATER] if firms is None else firms),
            territories=rows("areas", [YARD] if areas is None else areas),
            responsibilities=rows("rules", [RULE] if rules is None else rules),
        ),
        KNOWN,
    )


def told(reading: Reading) -> set[tuple[str, int, str, str]]:
    assert reading.draft is None
    return {(each.file, each.line, each.field, each.code) for each in reading.problems}


def test_a_sound_import_becomes_a_draft() -> None:
    draft = take().draft
    assert draft is not None
    (water,), (yard,), (rule,) = draft.organisations, draft.territories, draft.responsibilities
    assert water.id == uuid5(NAMESPACE, "organisation:water")
    assert (water.parent, water.active) == (UUID(int=4), True)
    assert yard.buildings == {UUID(int=2), UUID(int=3)}
    assert (rule.organisation, rule.territory, rule.priority) == (water.id, yard.id, 100)


def test_an_organisation_that_the_city_has_keeps_its_id() -> None:
    draft = take([{**WATER, "code": "akimat", "parent": None}], [], []).draft
    assert draft is not None
    assert draft.organisations[0].id == UUID(int=4)


@pytest.mark.parametrize(
    ("part", "change", "field", "code"),
    [
        ("firms", {"code": ""}, "code", "required"),
        ("firms", {"kind": "bank"}, "kind", "unknown"),
        ("firms", {"names": {"kk": "Су", "ru": "Вода"}}, "names.en", "required"),
        ("firms", {"names": {**NAMES, "de": "Wasser"}}, "names.de", "unknown-field"),
        ("firms", {"names": "Вода"}, "names", "not-a-mapping"),
        ("firms", {"contacts": {"phone": 5}}, "contacts.phone", "not-a-text"),
        ("firms", {"parent": "nobody"}, "parent", "unknown"),
        ("firms", {"calendar": "sometimes"}, "calendar", "unknown"),
        ("firms", {"district": "north"}, "district", "unknown"),
        ("firms", {"active": "maybe"}, "active", "not-a-flag"),
        ("firms", {"colour": "blue"}, "colour", "unknown-field"),
        ("firms", {"id": "12"}, "id", "not-an-id"),
        ("areas", {"kind": "cloud"}, "kind", "unknown"),
        ("areas", {"buildings": []}, "buildings", "required"),
        ("areas", {"buildings": ["abay/5", "abay/99"]}, "buildings.1", "unknown"),
        ("areas", {"street": "abay"}, "street", "not-of-this-kind"),
        ("areas", {"kind": "street", "buildings": None}, "street", "required"),
        ("areas", {"kind": "polygon", "buildings": None, "polygon": [[1, 1], [2, 2]]},
         "polygon", "too-few-points"),
        ("areas", {"kind": "polygon", "buildings": None, "polygon": [[1, 1], [2, 2], [3, 999]]},
         "polygon.2", "not-a-point"),
        ("rules", {"selector": "teleports"}, "selector", "unknown"),
        ("rules", {"selector": "kind:bank"}, "selector", "unknown"),
        ("rules", {"selector": "teleports+kind:utility"}, "selector", "unknown"),
        ("rules", {"organisation": "nobody"}, "organisation", "unknown"),
        ("rules", {"territory": "nowhere"}, "territory", "unknown"),
        ("rules", {"fallback": "nobody"}, "fallback", "unknown"),
        ("rules", {"priority": "soon"}, "priority", "not-a-number"),
        ("rules", {"valid_from": "tomorrow"}, "valid_from", "not-a-day"),
        ("rules", {"valid_from": "2026-03-01", "valid_to": "2026-03-01"}, "valid_to", "not-after"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named_with_its_row(
    part: str, change: dict[str, object], field: str, code: str
) -> None:
    sound = {"firms": WATER, "areas": YARD, "rules": RULE}
    entries = {name: [{**entry, **(change if name == part else {})}]
               for name, entry in sound.items()}  # fmt: skip
    assert (f"{part}.yaml", 1, field, code) in told(take(**entries))


@pytest.mark.parametrize(
    "selector",
    ["*", "lifts", "lifts.emergency", "lifts.person-trapped", "kind:utility", "lifts+kind:housing"],
)
def test_every_form_of_selector_is_taken(selector: str) -> None:
    assert take(rules=[{**RULE, "selector": selector}]).draft is not None


def test_all_bad_rows_are_reported_at_once_and_nothing_is_taken() -> None:
    reading = take(
        [{**WATER, "kind": "bank", "calendar": "never"}, "nonsense"],
        [{**YARD, "buildings": ["x/1"]}],
        [{**RULE, "priority": "soon"}, {**RULE, "selector": "teleports"}],
    )
    assert told(reading) == {
        ("firms.yaml", 1, "kind", "unknown"),
        ("firms.yaml", 1, "calendar", "unknown"),
        ("firms.yaml", 2, "", "not-a-mapping"),
        ("firms.yaml", 2, "code", "required"),
        ("firms.yaml", 2, "kind", "required"),
        ("firms.yaml", 2, "names.kk", "required"),
        ("firms.yaml", 2, "names.ru", "required"),
        ("firms.yaml", 2, "names.en", "required"),
        ("firms.yaml", 2, "calendar", "required"),
        ("areas.yaml", 1, "buildings.0", "unknown"),
        ("rules.yaml", 1, "priority", "not-a-number"),
        ("rules.yaml", 2, "selector", "unknown"),
    }


def test_doubles_are_refused_in_both_rows() -> None:
    assert told(take([WATER, WATER])) >= {
        ("firms.yaml", 1, "code", "duplicate"), ("firms.yaml", 2, "code", "duplicate"),
    }  # fmt: skip
    assert told(take(rules=[RULE, RULE])) == {
        ("rules.yaml", 1, "id", "duplicate"), ("rules.yaml", 2, "id", "duplicate"),
    }  # fmt: skip


def test_the_same_rule_may_begin_anew_on_another_day() -> None:
    later = {**RULE, "valid_from": "2026-06-01"}
    assert take(rules=[{**RULE, "valid_to": "2026-06-01"}, later]).draft is not None


def test_a_cycle_of_parents_is_refused() -> None:
    heat = {**WATER, "code": "heat", "parent": "water"}
    for parent in ("heat", "water"):
        reading = take([{**WATER, "parent": parent}, heat])
        assert {code for *_, code in told(reading)} == {"organisation-cycle"}


def test_what_is_written_is_read_again() -> None:
    other_id = UUID(int=77)
    rules = [
        RULE,
        {
            **RULE,
            "selector": "*",
            "priority": 5,
            "calendar": "office-hours",
            "fallback": "akimat",
            "valid_from": "2026-01-01",
            "valid_to": "2026-02-01",
        },
    ]
    areas = [YARD, {"code": "p", "names": NAMES, "kind": "polygon",
                    "polygon": [[80.1, 50.2], [80.2, 50.2], [80.2, 50.3]]},
             {"code": "d", "names": NAMES, "kind": "district", "district": "ertis"},
             {"code": "s", "names": NAMES, "kind": "street", "street": "abay"}]  # fmt: skip
    draft = take([WATER, {**WATER, "code": "old", "active": False}], areas, rules).draft
    assert draft is not None
    draft = replace(draft, organisations=(draft.organisations[0],
                    replace(draft.organisations[1], id=other_id)))  # fmt: skip
    assert again(draft) == draft


def again(draft: Draft) -> Draft | None:
    plain = write(draft, KNOWN)
    return read(
        Rows(
            organisations=rows("o", plain["organisations"]),
            territories=rows("t", plain["territories"]),
            responsibilities=rows("r", plain["responsibilities"]),
        ),
        KNOWN,
    ).draft


@given(
    st.builds(
        Responsibility,
        id=st.uuids(),
        selector=st.sampled_from(["*", "lifts", "kind:housing", "lifts+kind:lift-company"]),
        territory=st.just(UUID(int=5)),
        organisation=st.just(UUID(int=4)),
        priority=st.integers(-5, 500),
        calendar=st.sampled_from([None, "office-hours"]),
        fallback=st.sampled_from([None, UUID(int=4)]),
        valid_from=st.dates(max_value=date(2030, 1, 1)),
        valid_to=st.one_of(st.none(), st.dates(min_value=date(2030, 1, 2))),
    )
)
def test_every_rule_survives_the_journey(rule: Responsibility) -> None:
    draft = Draft((), (), (rule,))
    assert again(draft) == draft
