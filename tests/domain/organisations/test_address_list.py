"""The address list comes in: all of it, or nothing and every reason; what stands stays."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.problems import Spot
from domain.organisations.address_list import (
    AddressList,
    Count,
    Draft,
    Known,
    Reading,
    Rows,
    read,
    write,
)
from domain.organisations.exchange import Row

NAMES = {"kk": "Абай", "ru": "Абая", "en": "Abay"}
KNOWN = Known(UUID(int=109), ((80.0, 50.0), (81.0, 50.0), (81.0, 51.0), (80.0, 51.0)))
NORTH: dict[str, object] = {
    "code": "north", "names": NAMES, "polygon": [[80.1, 50.5], [80.9, 50.5], [80.9, 50.9]],
}  # fmt: skip
ABAY: dict[str, object] = {
    "code": "abay", "names": {"kk": "Абай", "ru": "Абая"}, "aliases": ["Ленина", "Ленина", ""],
}  # fmt: skip
HOUSE: dict[str, object] = {
    "street": "abay", "number": "12А", "district": "north", "latitude": "50.6",
    "longitude": "80,5", "kind": "apartments",
}  # fmt: skip


def rows(part: str, entries: Sequence[object]) -> list[Row]:
    return [(Spot(f"{part}.csv", {"": line}), entry) for line, entry in enumerate(entries, 2)]


def take(
    districts: Sequence[object] | None = (NORTH,),
    streets: Sequence[object] | None = (ABAY,),
    buildings: Sequence[object] | None = (HOUSE,),
    known: Known = KNOWN,
) -> Reading:
    given = {"districts": districts, "streets": streets, "buildings": buildings}
    parts = {part: None if each is None else rows(part, each) for part, each in given.items()}
    return read(Rows(**parts), known)


def drawn(reading: Reading) -> Draft:
    assert reading.draft is not None, reading.problems
    return reading.draft


def told(reading: Reading) -> set[tuple[str, int, str, str]]:
    assert reading.draft is None
    return {(each.file, each.line, each.field, each.code) for each in reading.problems}


def after(draft: Draft, known: Known = KNOWN) -> Known:
    return replace(known, standing=draft.fresh)


def test_a_sound_list_becomes_a_draft_with_ids_of_city_and_code() -> None:
    fresh = drawn(take()).fresh
    (street,), (house,) = fresh.streets, fresh.buildings
    assert street.id == uuid5(UUID(int=109), "street:abay")
    assert street.aliases == ("Ленина",)
    assert (house.street, house.number, house.kind) == (street.id, "12А", "apartments")
    assert (house.coordinates.latitude, house.coordinates.longitude) == (50.6, 80.5)
    assert house.id == uuid5(UUID(int=109), "building:abay/12a")


def test_the_same_files_again_change_nothing() -> None:
    draft = drawn(take())
    again = drawn(take(known=after(draft)))
    assert again.fresh == AddressList()
    assert set(again.counts.values()) == {Count(0, 0, 1, 0)}


def test_what_changed_keeps_its_id_and_alone_is_written() -> None:
    draft = drawn(take(buildings=[HOUSE, {**HOUSE, "number": "14"}]))
    moved = {**HOUSE, "number": "12 а", "kind": "school"}
    again = drawn(take(buildings=[moved, {**HOUSE, "number": "14"}], known=after(draft)))
    assert [each.id for each in again.fresh.buildings] == [draft.fresh.buildings[0].id]
    assert again.fresh.buildings[0].kind == "school"
    assert again.counts["buildings"] == Count(0, 1, 1, 0)


def test_what_left_the_file_is_counted_and_a_part_left_out_is_not() -> None:
    draft = drawn(take(buildings=[HOUSE, {**HOUSE, "number": "14"}]))
    again = drawn(take(None, None, [HOUSE], known=after(draft)))
    assert again.counts == {"buildings": Count(0, 0, 1, 1)}


def test_a_street_that_the_city_has_keeps_the_id_that_it_came_with() -> None:
    draft = drawn(take())
    street = replace(draft.fresh.streets[0], id=UUID(int=7))
    known = replace(KNOWN, standing=AddressList(draft.fresh.districts, (street,)))
    again = drawn(take(known=known))
    assert again.fresh.buildings[0].street == UUID(int=7)
    assert again.counts["streets"].unchanged == 1


@pytest.mark.parametrize(
    ("part", "change", "field", "code"),
    [
        ("districts", {"code": "The North"}, "code", "bad-code"),
        ("districts", {"names": {"kk": "Абай", "ru": "Абая"}}, "names.en", "required"),
        ("districts", {"polygon": [[80.1, 50.5], [80.9, 50.5]]}, "polygon", "too-few-points"),
        ("districts", {"polygon": [[80.1, 50.1], [80.9, 50.9], [80.9, 50.1], [80.1, 50.9]]},
         "polygon", "crosses-itself"),
        ("districts", {"polygon": [[60.1, 50.5], [60.9, 50.5], [60.9, 50.9]]},
         "polygon", "outside-city"),
        ("streets", {"names": {"ru": "Абая"}}, "names.kk", "required"),
        ("streets", {"names": {**NAMES, "de": "Abai"}}, "names.de", "unknown-field"),
        ("streets", {"code": ""}, "code", "required"),
        ("streets", {"aliases": "Ленина"}, "aliases", "not-a-list"),
        ("buildings", {"street": "lenin"}, "street", "unknown"),
        ("buildings", {"number": ""}, "number", "required"),
        ("buildings", {"number": "1" * 31}, "number", "too-long"),
        ("buildings", {"district": "south"}, "district", "unknown"),
        ("buildings", {"latitude": "north"}, "latitude", "not-a-degree"),
        ("buildings", {"latitude": "nan"}, "latitude", "out-of-range"),
        ("buildings", {"longitude": "181"}, "longitude", "out-of-range"),
        ("buildings", {"longitude": None}, "longitude", "required"),
        ("buildings", {"latitude": "80.5", "longitude": "50.6"}, "latitude", "outside-city"),
        ("buildings", {"kind": "Жилой дом"}, "kind", "bad-code"),
        ("buildings", {"storeys": "9"}, "storeys", "unknown-field"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named_with_its_row(
    part: str, change: dict[str, object], field: str, code: str
) -> None:
    sound = {"districts": NORTH, "streets": ABAY, "buildings": HOUSE}
    entries = {name: [{**entry, **(change if name == part else {})}]
               for name, entry in sound.items()}  # fmt: skip
    reading = take(entries["districts"], entries["streets"], entries["buildings"])
    assert (f"{part}.csv", 2, field, code) in told(reading)


def test_all_bad_rows_are_reported_at_once() -> None:
    bad = [{**HOUSE, "latitude": "x"}, HOUSE, {**HOUSE, "street": "lenin", "kind": ""}, "nonsense"]
    found = told(take(buildings=bad, streets=[ABAY, {"code": "b"}]))
    assert {(file, line) for file, line, _, _ in found} == {
        ("buildings.csv", 2), ("buildings.csv", 4), ("buildings.csv", 5), ("streets.csv", 3),
    }  # fmt: skip
    assert {("buildings.csv", 4, "street", "unknown"), ("buildings.csv", 4, "kind", "required")} < (
        found
    )


def test_doubles_are_refused_in_both_rows() -> None:
    assert told(take(streets=[ABAY, ABAY])) >= {
        ("streets.csv", 2, "code", "duplicate"), ("streets.csv", 3, "code", "duplicate"),
    }  # fmt: skip
    assert {code for *_, code in told(take(buildings=[HOUSE, HOUSE]))} == {"duplicate"}
    assert told(take(districts=[NORTH, NORTH])) >= {("districts.csv", 3, "code", "duplicate")}


def test_one_house_under_two_spellings_is_refused() -> None:
    found = told(take(buildings=[HOUSE, {**HOUSE, "number": "12-а"}]))
    assert found == {
        ("buildings.csv", 2, "number", "same-house"), ("buildings.csv", 3, "number", "same-house"),
    }  # fmt: skip


numbers = st.integers(1, 300).map(str)


@given(st.lists(numbers, unique=True, max_size=12), st.lists(numbers, unique=True, max_size=12))
def test_whatever_comes_second_nothing_is_lost_and_every_count_adds_up(
    first: list[str], second: list[str]
) -> None:
    draft = drawn(take(buildings=[{**HOUSE, "number": each} for each in first]))
    later = [{**HOUSE, "number": each, "kind": "house"} for each in second]
    count = drawn(take(buildings=later, known=after(draft))).counts["buildings"]
    both = len(set(first) & set(second))
    assert count == Count(len(second) - both, both, 0, len(first) - both)


def test_what_is_written_is_read_again() -> None:
    draft = drawn(take())
    plain = write(draft.fresh)
    again = take(plain["districts"], plain["streets"], plain["buildings"], after(draft))
    assert drawn(again).fresh == AddressList()


def lying(**parents: str | None) -> list[dict[str, object]]:
    return [NORTH | {"code": code, "parent": parent} for code, parent in parents.items()]


def test_a_district_may_lie_in_another_at_any_depth() -> None:
    fresh = drawn(take(lying(north=None, rural="north", village="rural"))).fresh
    assert [each.parent for each in fresh.districts] == [None, "north", "rural"]


@pytest.mark.parametrize(
    ("standing", "coming", "lines"),
    [
        ({}, {"north": "north"}, {2}),
        ({}, {"north": "rural", "rural": "village", "village": "north"}, {2, 3, 4}),
        ({}, {"south": None, "north": "rural", "rural": "north", "village": "rural"}, {3, 4}),
        ({"north": None, "rural": "north"}, {"north": "rural"}, {2}),
    ],
)  # fmt: skip
def test_no_district_lies_in_itself(
    standing: dict[str, str | None], coming: dict[str, str | None], lines: set[int]
) -> None:
    """Whoever sees a district sees what lies in it: of a circle each would see all."""
    known = after(drawn(take(lying(**{"north": None} | standing))))
    refused = told(take(lying(**coming), known=known))
    assert refused == {("districts.csv", line, "parent", "district-cycle") for line in lines}


def test_a_district_that_was_moved_along_with_others_is_taken_as_it_then_lies() -> None:
    known = after(drawn(take(lying(north=None, rural="north"))))
    fresh = drawn(take(lying(north="rural", rural=None), known=known)).fresh
    assert {each.code: each.parent for each in fresh.districts} == {"north": "rural", "rural": None}
