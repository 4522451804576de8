"""The demonstration city: as large as the seed says, and nobody in it is left without help."""

import json
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
import shapely
import yaml

from demo.semey.city import DemoCity, demo_city
from demo.semey.duties import SPHERES
from domain.organisations.addresses import AddressIndex
from domain.organisations.model import Building, Location, OrganisationKind, TerritoryKind
from domain.organisations.routing import Route, RouteReason, RoutingIndex
from domain.organisations.spelling import house_number, street_words
from domain.organisations.tree import OrganisationTree

FIXED = {
    "transport": "routes stops staff fares vehicles",
    "housing": "maintenance heating water electricity sewerage yard fees",
    "lifts": "emergency breakdown maintenance",
    "landscaping": "trees lighting playgrounds parks improvement animals",
    "waste": "collection containers dumps bulky cleaning",
    "manholes": "open damaged",
    "flooding": "homes yards meltwater",
    "utilities": "water sewerage heat electricity gas billing",
    "roads": "surface winter signs signals parking works",
    "health": "appointments care ambulance medicines insurance",
    "education": "schools kindergartens cancellations meals",
    "general": "109 documents social safety other",
}
CATEGORIES = [f"{sphere}.{slug}" for sphere, slugs in FIXED.items() for slug in slugs.split()]
STARTER = Path(__file__).parents[2] / "catalogues" / "starter"
KINDS = list(OrganisationKind)
NOON = datetime(2026, 3, 4, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def semey() -> DemoCity:
    return demo_city()


@pytest.fixture(scope="module")
def routes(semey: DemoCity) -> RoutingIndex:
    return RoutingIndex(
        organisations=semey.organisations, districts=semey.districts, streets=semey.streets,
        buildings=semey.buildings, territories=semey.territories,
        responsibilities=semey.responsibilities,
    )  # fmt: skip


def ask(
    routes: RoutingIndex, category: str, kind: str, location: Location, *, day: bool = True
) -> Route:
    return routes.route(
        service_code="unheard-of", category=category, sphere=category.partition(".")[0],
        responsible_kind=kind, location=location, at=NOON,
        is_working=lambda calendar, at: day or calendar == "around-the-clock",
    )  # fmt: skip


def sample(semey: DemoCity, count: int = 200) -> list[Building]:
    return Random(7).sample(semey.buildings, count)


def test_the_city_has_the_organisations_of_the_seed(semey: DemoCity) -> None:
    assert Counter(each.kind.value for each in semey.organisations) == {
        "contact-centre": 1, "akimat": 1, "district-akimat": 4, "city-department": 17,
        "utility": 28, "emergency-service": 5, "housing": 605, "lift-company": 81,
        "medical-institution": 13,
    }  # fmt: skip


def test_the_city_is_as_large_as_promised(semey: DemoCity) -> None:
    kinds = Counter(each.kind for each in semey.buildings)
    assert len(semey.buildings) >= 8_000
    assert kinds["apartments"] >= 2_500
    assert len(semey.streets) >= 120
    assert len(semey.districts) == 4
    assert {each.kind for each in semey.territories} == set(TerritoryKind)


def test_every_id_and_code_is_unique(semey: DemoCity) -> None:
    for things in (semey.organisations, semey.streets, semey.buildings, semey.territories,
                   semey.responsibilities):  # fmt: skip
        assert len({each.id for each in things}) == len(things)
    for coded in (semey.organisations, semey.streets, semey.districts, semey.territories):
        assert len({each.code for each in coded}) == len(coded)
    doors = {(each.street, house_number(each.number)) for each in semey.buildings}
    assert len(doors) == len(semey.buildings)


def test_everything_that_is_named_exists(semey: DemoCity) -> None:
    firms = {each.id for each in semey.organisations}
    areas = {each.id for each in semey.territories}
    houses = {each.id for each in semey.buildings}
    for rule in semey.responsibilities:
        assert rule.organisation in firms
        assert rule.territory in areas
        assert rule.fallback is None or rule.fallback in firms
    assert all(area.buildings <= houses for area in semey.territories)
    tree = OrganisationTree.of(semey.organisations)
    akimat = next(each for each in semey.organisations if each.kind == "akimat")
    assert tree.subtree(akimat.id) == firms


def test_every_text_speaks_three_languages(semey: DemoCity) -> None:
    for named in (semey.organisations, semey.streets, semey.districts, semey.territories):
        assert all(set(each.names) == {"kk", "ru", "en"} for each in named)
        assert all(all(each.names.values()) for each in named)


def test_contacts_reach_nobody_real(semey: DemoCity) -> None:
    for firm in semey.organisations:
        assert firm.contacts["phone"].startswith("+7 7222 ")
        assert firm.contacts["email"].endswith(".example")


def test_every_building_stands_in_its_district(semey: DemoCity) -> None:
    shapes = {each.code: shapely.Polygon(each.polygon) for each in semey.districts}
    assert all(shape.is_valid for shape in shapes.values())
    for house in semey.buildings:
        point = shapely.Point(house.coordinates.longitude, house.coordinates.latitude)
        assert shapes[house.district].covers(point)


def test_the_districts_share_the_city_without_gaps(semey: DemoCity) -> None:
    shapes = [shapely.Polygon(each.polygon) for each in semey.districts]
    whole = shapely.Polygon(semey.city.polygon)
    assert shapely.union_all(shapes).symmetric_difference(whole).area < 1e-9
    assert sum(shape.area for shape in shapes) == pytest.approx(whole.area)


def test_every_apartment_house_has_one_keeper_and_every_tall_one_a_lift_company(
    semey: DemoCity,
) -> None:
    kinds = {each.code: each.kind for each in semey.organisations}
    areas = [each for each in semey.territories if each.kind is TerritoryKind.BUILDINGS]
    kept = Counter(house for area in areas if kinds[area.code] == "housing"
                   for house in area.buildings)  # fmt: skip
    lifted = Counter(house for area in areas if kinds[area.code] == "lift-company"
                     for house in area.buildings)  # fmt: skip
    assert set(kept) == {each.id for each in semey.buildings if each.kind == "apartments"}
    assert set(lifted) == {house for house, storeys in semey.storeys.items() if storeys >= 6}
    assert {*kept.values(), *lifted.values()} == {1}


@pytest.mark.parametrize("day", [True, False])
@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_reaches_an_executor_at_any_building(
    semey: DemoCity, routes: RoutingIndex, category: str, day: bool
) -> None:
    for place, house in enumerate(sample(semey)):
        kind = KINDS[place % len(KINDS)]
        assert ask(routes, category, kind, Location(building=house.id), day=day).organisation
    assert ask(routes, category, "utility", Location(), day=day).organisation


def test_the_fixed_spheres_are_all_served() -> None:
    assert set(FIXED) == set(SPHERES)


def test_a_lift_appeal_goes_to_the_lift_company_of_its_building(
    semey: DemoCity, routes: RoutingIndex
) -> None:
    owners = {each.id: each for each in semey.organisations}
    areas = {house: area.code for area in semey.territories if area.code.startswith("lift-")
             for house in area.buildings}  # fmt: skip
    assert len(areas) > 1_000
    for house, company in areas.items():
        found = ask(routes, "lifts.emergency", "lift-company", Location(building=house), day=False)
        assert found.organisation is not None
        assert owners[found.organisation].code == company


def test_every_service_of_the_starter_catalogue_reaches_the_kind_that_it_names(
    semey: DemoCity, routes: RoutingIndex
) -> None:
    kinds = {each.id: each.kind for each in semey.organisations}
    tall = next(each for each in semey.buildings if semey.storeys[each.id] >= 9)
    asked = 0
    for file in STARTER.glob("*.yaml"):
        for category in yaml.safe_load(file.read_text(encoding="utf-8")).get("categories", ()):
            for kind in {service["responsible"] for service in category["services"]}:
                found = ask(routes, category["code"], kind, Location(building=tall.id))
                assert found.organisation is not None
                assert kinds[found.organisation] == kind, (category["code"], kind)
                asked += 1
    assert asked > 50


def test_a_stuck_lift_on_the_phone_becomes_a_company(semey: DemoCity, routes: RoutingIndex) -> None:
    tall = next(each for each in semey.buildings if semey.storeys[each.id] >= 9)
    street = next(each for each in semey.streets if each.id == tall.street)
    heard = AddressIndex(semey.streets, semey.buildings).search(
        f"{street.names['ru']} {tall.number} кв 5"
    )[0]
    found = ask(routes, "lifts.emergency", "lift-company", Location(building=heard.building))
    firm = next(each for each in semey.organisations if each.id == found.organisation)
    assert (heard.building, firm.kind) == (tall.id, OrganisationKind.LIFT_COMPANY)


def test_a_leaking_roof_goes_to_the_keeper_by_day_and_to_dispatch_by_night(
    semey: DemoCity, routes: RoutingIndex
) -> None:
    codes = {each.id: each.code for each in semey.organisations}
    area = next(each for each in semey.territories if each.code.startswith("osi-"))
    here = Location(building=next(iter(area.buildings)))
    by_day = ask(routes, "housing.maintenance", "housing", here)
    night = ask(routes, "housing.maintenance", "housing", here, day=False)
    complaint = ask(routes, "housing.fees", "city-department", here)
    assert codes[by_day.organisation or area.id] == area.code
    assert codes[night.organisation or area.id] == "emergency-dispatch"
    assert night.reason is RouteReason.AFTER_HOURS
    assert codes[complaint.organisation or area.id] == "dept-housing-inspection"


@pytest.mark.parametrize(
    ("category", "kind", "expected"),
    [
        ("utilities.heat", "utility", "heat-left-bank"),
        ("utilities.electricity", "utility", "power-ertis"),
        ("waste.collection", "utility", "waste-ertis"),
        ("roads.surface", "utility", "roads-left-bank"),
        ("utilities.gas", "emergency-service", "gas-104"),
        ("waste.dumps", "city-department", "dept-ecology"),
        ("general.109", "contact-centre", "contact-centre-109"),
        ("landscaping.parks", "district-akimat", "akimat-ertis"),
    ],
)
def test_the_left_bank_is_served_by_its_own(
    semey: DemoCity, routes: RoutingIndex, category: str, kind: str, expected: str
) -> None:
    codes = {each.id: each.code for each in semey.organisations}
    house = next(each for each in semey.buildings if each.district == "ertis")
    found = ask(routes, category, kind, Location(coordinates=house.coordinates)).organisation
    assert found is not None
    assert codes[found] == expected


def test_an_avenue_is_kept_by_its_own_road_company(semey: DemoCity, routes: RoutingIndex) -> None:
    codes = {each.id: each.code for each in semey.organisations}
    avenue = next(each for each in semey.streets if each.names["ru"] == "проспект Шакарима")
    found = ask(routes, "roads.surface", "utility", Location(street=avenue.id)).organisation
    assert codes[found or avenue.id] == "roads-avenues"


def test_residents_find_the_streets_of_semey(semey: DemoCity) -> None:
    index = AddressIndex(semey.streets, semey.buildings)
    streets = {each.id: each for each in semey.streets}
    for text, kazakh in {
        "Шакарима 12": "Шәкәрім даңғылы", "ул Ленина 5": "Қабанбай батыр көшесі",
        "Пограничная 7": "Бауыржан Момышұлы көшесі", "343 квартал 4": "343-орам",
        "8 марта 3": "8 Наурыз көшесі", "1 мая 3": "Бірінші мамыр көшесі",
        "Физкультурная 4": "Физкультурная көшесі", "Казахстан 10": "Қазақстан көшесі",
        "Западный поселок 6": "Батыс кенті", "Чокана Валиханова 3": "Шоқан Уәлиханов көшесі",
    }.items():  # fmt: skip
        best = index.search(text)[0]
        assert streets[best.street].names["kk"] == kazakh
        assert best.building is not None


def test_every_street_is_found_under_all_its_names(semey: DemoCity) -> None:
    index = AddressIndex(semey.streets, semey.buildings)
    for street in semey.streets:
        for name in (*street.names.values(), *street.aliases):
            assert street.id in {match.street for match in index.search(f"{name} 1")}, name


def test_every_beginning_of_a_street_suggests_it(semey: DemoCity) -> None:
    index = AddressIndex(semey.streets, semey.buildings)
    for street in semey.streets:
        for word in street_words(street.names["ru"])[0]:
            for size in range(1, len(word) + 1):
                found = {match.street for match in index.suggest(word[:size], limit=500)}
                assert street.id in found, word[:size]


def test_the_city_is_the_same_on_every_machine(semey: DemoCity) -> None:
    program = (
        "import json; from demo.semey.city import demo_city as c; d = c();"
        "print(json.dumps([str(d.buildings[-1]), str(d.organisations[-1]),"
        "str(sorted(str(r.id) for r in d.responsibilities)[:50]), str(d.territories[-1].code)]))"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(other.stdout) == [
        str(semey.buildings[-1]), str(semey.organisations[-1]),
        str(sorted(str(r.id) for r in semey.responsibilities)[:50]),
        str(semey.territories[-1].code),
    ]  # fmt: skip


def test_the_whole_city_is_indexed_in_two_seconds(semey: DemoCity) -> None:
    started = time.process_time()
    RoutingIndex(
        organisations=semey.organisations, districts=semey.districts, streets=semey.streets,
        buildings=semey.buildings, territories=semey.territories,
        responsibilities=semey.responsibilities,
    )  # fmt: skip
    assert time.process_time() - started < 2


def test_the_city_itself_is_semey(semey: DemoCity) -> None:
    city = semey.city
    assert (city.code, city.kato, city.zone, city.languages, city.numbering) == (
        "semey", "101010000", "Asia/Almaty", ("kk", "ru"), "SEM"
    )  # fmt: skip
