"""Make appeals.json anew: python -m demo.sample.make <folder with the two data files>.

Rhythm, channel, anonymity, outcome and spread over the city come from real 311 requests
(la311_2017.csv.gz); texts from kzgov_complaints.csv where one fits a service, else from
problems.yaml. The same input gives the same bytes. README.md names sources and licences.
"""

import csv
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from demo.sample.rows import APPEALS, MOMENTS
from demo.semey.city import DemoCity, demo_city
from domain.appeals.places import CERTAIN
from domain.catalogue.exchange import References
from domain.catalogue.model import Catalogue, Service
from domain.organisations.addresses import AddressIndex
from domain.organisations.model import Building, Location, OrganisationKind
from domain.organisations.routing import RoutingIndex
from integrations.files import catalogue_yaml

ROWS = 400
SEED = 109
BUSY = 10
"""So many executors get a webhook endpoint."""

_HERE = Path(__file__).parent
_CHANNELS = {
    "Call": "phone", "Voicemail": "phone", "Walk-in": "phone", "Mobile App": "app",
    "Self Service": "web", "Driver Self Report": "telegram", "Email": "email",
    "Council's Office": "e-otinish",
}  # fmt: skip
# Of those who write by themselves some write to the city's pages.
_ASIDE = {
    "web": (("facebook", 0.06), ("instagram", 0.12), ("telegram", 0.40)),
    "app": (("smart_astana", 0.08), ("telegram", 0.40)),
}
_ON_THE_LINE = {"phone": 0.84, "telegram": 0.78}
"""Share of a channel that is answered at first contact; by letter it is a third."""
_BY_LETTER = 0.34

# Story and its share among what must be done by an executor, the quickest outcomes first.
_STORIES = (
    ("resolved", 0.36), ("citizen", 0.06), ("reopened", 0.07), ("returned", 0.03),
    ("declined", 0.06), ("redirected", 0.05), ("waiting", 0.03), ("parts", 0.03),
    ("weather", 0.03), ("unconfirmed", 0.06), ("working", 0.06), ("late", 0.09),
    ("ignored", 0.09),
)  # fmt: skip
_QUICK_ENOUGH_TO_BE_LATE = {
    "person-in-lift", "lift-breakdown", "open-manhole", "utility-emergency", "utility-outage",
    "waste-collection", "street-cleaning", "snow-removal", "traffic-signal", "fallen-tree",
    "housing-emergency",
}  # fmt: skip

# A text with the name of another city, of a person or with a number says too much.
_STARTS = re.compile(r"(?:^|[.!?]\s+)['\"«]?[А-ЯЁӘҒҚҢӨҰҮҺІ]")
_CAPITAL = re.compile(r"[А-ЯЁӘҒҚҢӨҰҮҺІA-Z]")
_ALLOWED = re.compile(r"\b(?:КСК|ОСИ|ПИК|МИБ|ЦОН\w*|УЗИ|МРТ|ХҚКО\w*)\b")
_LONGEST = 240

_FIRST = (("Айгерім", "Айгерим"), ("Данияр", "Данияр"), ("Мадина", "Мадина"), ("Олег", "Олег"),
          ("Сәуле", "Сауле"), ("Тимур", "Тимур"), ("Жанар", "Жанар"), ("Ирина", "Ирина"),
          ("Ерлан", "Ерлан"), ("Гүлнәр", "Гульнар"))  # fmt: skip
_LAST = (("Үлгі", "Примерова"), ("Сынақ", "Пробная"), ("Мысал", "Образцова"))


def main(folder: Path) -> None:
    """Write appeals.json beside this file and say what is in it."""
    rows = list(_rows(folder))
    text = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    busy = json.dumps(_busy(rows))
    APPEALS.write_text(f'{{"busy": {busy},\n"rows": [\n{text}\n]}}\n', encoding="utf-8")
    print(len(rows), "rows,", APPEALS.stat().st_size, "bytes")
    for field in ("story", "channel", "language"):
        print(field, dict(Counter(str(row[field]) for row in rows).most_common()))
    print("place", dict(Counter("+".join(sorted(row["location"])) for row in rows)))


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    texts = _texts(folder / "kzgov_complaints.csv")
    for number, request in enumerate(_thinned(_requests(folder / "la311_2017.csv.gz"))):
        yield _row(number, request, texts, Random(f"{SEED}:{number}"))


def _requests(path: Path) -> list[dict[str, Any]]:
    """The real requests in order of time, with what is read from them."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        requests: list[dict[str, Any]] = list(csv.DictReader(file))
    for request in requests:
        request["at"] = _instant(request["CreatedDate"])
        done = request["ClosedDate"] or request["UpdatedDate"]
        request["took"] = _instant(done) - request["at"] if done else timedelta(days=365)
    return sorted(requests, key=lambda request: (request["at"], request["SRNumber"]))


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)


def _thinned(requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every so-manieth of each type, as many as the square root of its count asks for.

    So the rhythm of each type stays, and the rare types are seen beside the common ones.
    """
    types: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for request in requests:
        if request["RequestType"] in _problems()["types"] and request["Latitude"]:
            types[request["RequestType"]].append(request)
    weights = {name: len(group) ** 0.5 for name, group in types.items()}
    whole = sum(weights.values())
    chosen: list[dict[str, Any]] = []
    for name, group in types.items():
        _rank(group)
        wanted = round(ROWS * weights[name] / whole)
        chosen += [group[int((place + 0.5) * len(group) / wanted)] for place in range(wanted)]
    return sorted(chosen, key=lambda request: (request["at"], request["SRNumber"]))


def _rank(group: Sequence[dict[str, Any]]) -> None:
    """Who was served sooner than how many others of the type, from 0 to 1."""
    by_time = sorted(group, key=lambda request: (request["took"], request["SRNumber"]))
    for place, request in enumerate(by_time):
        request["slowness"] = place / len(by_time)


def _row(
    number: int, request: Mapping[str, Any], texts: Mapping[str, Any], random: Random
) -> dict[str, Any]:
    channel = _channel(_CHANNELS[request["RequestSource"]], random)
    at_once = random.random() < _ON_THE_LINE.get(channel, _BY_LETTER)
    services = _problems()["types"][request["RequestType"]]["answered" if at_once else "sent"]
    story = "first-call" if at_once else _story(request, random)
    if at_once and channel not in _ON_THE_LINE:
        story = "answered"
    service = catalogue().service(_service(services, story, random))
    if story == "citizen":
        channel = "app"
    language = "kk" if random.random() < 0.46 else "ru"
    building = _building(request, service, random)
    at_home = building.kind == "apartments" and service.sphere in ("housing", "lifts", "utilities")
    kk, ru = random.choice(texts[service.code])
    kind = _problems()["services"].get(service.code, {}).get("kind")
    return {
        "number": number,
        "weekday": request["at"].weekday(),
        "time": request["at"].strftime("%H:%M:%S"),
        "channel": channel,
        "language": language,
        "service": service.code,
        "kind": kind or ("request" if at_once else random.choice(("complaint", "application"))),
        "text": kk if language == "kk" else ru,
        "answers": _answers(service, language, random),
        "location": _location(building, language, random, at_home=at_home),
        "applicant": _applicant(number, request, language, random, story),
        "story": story,
    }


def _channel(channel: str, random: Random) -> str:
    chance = random.random()
    return next((name for name, below in _ASIDE.get(channel, ()) if chance < below), channel)


def _story(request: Mapping[str, Any], random: Random) -> str:
    """What became of the real request decides, and its rank by time where it was simply closed."""
    if request["Status"] == "Cancelled":
        return "withdrawn"
    if request["Status"] == "Referred Out":
        return "redirected"
    place = random.random() if random.random() < 0.4 else request["slowness"]
    for story, share in _STORIES:
        place -= share
        if place < 0:
            return story
    return _STORIES[-1][0]


def _service(codes: Sequence[str], story: str, random: Random) -> str:
    fitting = [code for code in codes if _fits(catalogue().service(code), story)]
    return random.choice(fitting or list(codes))


def _fits(service: Service, story: str) -> bool:
    if story in ("late", "ignored"):
        return service.policy in _QUICK_ENOUGH_TO_BE_LATE
    if story in ("waiting", "parts", "weather"):
        outdoors = service.sphere in ("roads", "landscaping", "waste", "housing", "manholes")
        return service.criticality != "emergency" and (story != "weather" or outdoors)
    if story == "redirected":
        return service.sphere not in ("transport", "education")
    return True


# --- where


@cache
def _city() -> tuple[DemoCity, AddressIndex]:
    city = demo_city()
    return city, AddressIndex(city.streets, city.buildings)


_LOS_ANGELES = ((33.74, 34.30), (-118.60, -118.18))
"""The bounds (latitude, longitude) within which nearly all requests lie."""
_SEMEY = ((50.365, 50.465), (80.12, 80.34))
_NARROWER = 0.64
"""How much shorter a degree of longitude is there than one of latitude."""


def _building(request: Mapping[str, Any], service: Service, random: Random) -> Building:
    """The house of Semey that lies as the request lay in its city, and can have the problem."""
    latitude, longitude = (
        low + (high - low) * min(1.0, max(0.0, (float(request[name]) - start) / (end - start)))
        for name, (start, end), (low, high) in zip(
            ("Latitude", "Longitude"), _LOS_ANGELES, _SEMEY, strict=True
        )
    )
    near = sorted(
        _fitting(service.sphere),
        key=lambda house: (
            (house.coordinates.latitude - latitude) ** 2
            + ((house.coordinates.longitude - longitude) * _NARROWER) ** 2
        ),
    )
    return random.choice(near[:6])


@cache
def _fitting(sphere: str) -> tuple[Building, ...]:
    city, _ = _city()
    least = {"lifts": 6, "housing": 2}.get(sphere, 0)
    return tuple(
        house
        for house in city.buildings
        if (least == 0 or house.kind == "apartments") and city.storeys[house.id] >= least
    )


def _location(
    building: Building, language: str, random: Random, *, at_home: bool
) -> dict[str, Any]:
    """Words mostly, a house chosen from the list often, a point or unknown words sometimes."""
    chance = random.random()
    point = building.coordinates
    if chance < 0.05:
        spot = {"latitude": point.latitude, "longitude": point.longitude}
        return {"coordinates": spot}
    if chance < 0.08:
        return {"address": random.choice(_problems()["nowhere"])[language]}
    flat = {"apartment": str(random.randint(1, 90))} if at_home else {}
    words = _words(building, language)
    if chance < 0.72 and words:
        return {"address": words, **flat}
    return {"building": str(building.id), **flat}


def _words(building: Building, language: str) -> str | None:
    """The address as it is said, if the city's address list understands it."""
    city, index = _city()
    street = next(street for street in city.streets if street.id == building.street)
    words = f"{street.names[language]}, {building.number}"
    best = next(iter(index.search(words, limit=1)), None)
    known = best is not None and best.building == building.id and best.score >= CERTAIN
    return words if known else None


def _busy(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The codes of the executors to whom most of the rows are sent in working hours."""
    city, addresses = _city()
    index = RoutingIndex(
        districts=city.districts, streets=city.streets, buildings=city.buildings,
        territories=city.territories, responsibilities=city.responsibilities,
        organisations=city.organisations,
    )  # fmt: skip
    codes = {firm.id: firm.code for firm in city.organisations}
    houses = {str(house.id): house for house in city.buildings}
    count: Counter[str] = Counter()
    for row in rows:
        if row["story"] in ("first-call", "answered"):
            continue
        service, where = catalogue().service(row["service"]), row["location"]
        found = next(iter(addresses.search(where.get("address", ""), limit=1)), None)
        house = houses.get(where.get("building") or (str(found.building) if found else ""))
        route = index.route(
            service_code=service.code, category=service.category, sphere=service.sphere,
            responsible_kind=service.responsible, location=_location_of(house),
            at=datetime(2026, 1, 14, 6, tzinfo=UTC), is_working=lambda _, __: True,
        )  # fmt: skip
        if route.organisation is not None:
            count[codes[route.organisation]] += 1
    return [code for code, _ in sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:BUSY]]


def _location_of(house: Building | None) -> Location:
    if house is None:
        return Location()
    return Location(house.id, house.street, house.district, house.coordinates)


# --- what


@cache
def _problems() -> Any:
    """problems.yaml: request types → services, and texts of ours."""
    return yaml.safe_load((_HERE / "problems.yaml").read_text(encoding="utf-8"))


@cache
def catalogue() -> Catalogue:
    """The starter catalogue, for which the sample is written."""
    folder = _HERE.parents[1] / "catalogues" / "starter"
    promised = yaml.safe_load((folder / "policies.yaml").read_text(encoding="utf-8"))
    codes = frozenset(policy["code"] for policy in promised["policies"])
    draft = catalogue_yaml.read_folder(folder, References(codes, frozenset(OrganisationKind))).draft
    if draft is None:
        raise ValueError("the starter catalogue has faults: ikomek catalogue check")
    return Catalogue.ordered(draft.spheres, draft.categories, draft.services)


def _texts(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Service → pairs of texts (kk, ru): ours, and those of the file that its pattern finds."""
    with path.open(encoding="utf-8") as file:
        pairs = sorted({(row["text_kz"], row["text_ru"]) for row in csv.DictReader(file)})
    clean = [
        (kk, ru) for kk, ru in pairs if _says_nothing_private(kk) and _says_nothing_private(ru)
    ]
    texts: dict[str, list[tuple[str, str]]] = {}
    for code, problem in _problems()["services"].items():
        ours = [(text["kk"], text["ru"]) for text in problem["texts"]]
        pattern = problem.get("theirs")
        texts[code] = ours + [pair for pair in clean if pattern and re.search(pattern, pair[1])]
    return texts


def _says_nothing_private(text: str) -> bool:
    starts = {match.end() - 1 for match in _STARTS.finditer(text)}
    known = {place for match in _ALLOWED.finditer(text) for place in range(*match.span())}
    names = [m for m in _CAPITAL.finditer(text) if m.start() not in starts | known]
    return not names and not re.search(r"\d{2}|@", text) and len(text) <= _LONGEST


_USUAL = {"flat": (1, 90), "indoor": (12, 17), "entrance": (1, 6), "people": (1, 2),
          "bags": (5, 30), "waited": (20, 50), "age": (7, 14)}  # fmt: skip


def _answers(service: Service, language: str, random: Random) -> dict[str, Any]:
    """Answers to every question that must be answered, and to a third of the others."""
    form: Mapping[str, Any] = service.form or {}
    required = form.get("required", ())
    return {
        name: _answer(f"{service.sphere}.{name}", question, language, random)
        for name, question in form.get("properties", {}).items()
        if name in required or random.random() < 0.33
    }


def _answer(path: str, question: Mapping[str, Any], language: str, random: Random) -> Any:
    name = path.partition(".")[2]
    if "oneOf" in question:
        return random.choice(question["oneOf"])["const"]
    if question["type"] == "boolean":
        return random.random() < 0.3
    if question["type"] in ("integer", "number"):
        low, high = _USUAL.get(name, (1, 9))
        return random.randint(max(question["minimum"], low), min(question["maximum"], high))
    if question.get("format"):
        return MOMENTS[question["format"]]
    words = _problems()["words"]
    return random.choice(words.get(path) or words[name])[language]


# --- who


def _applicant(
    number: int, request: Mapping[str, Any], language: str, random: Random, story: str
) -> dict[str, str] | None:
    """Nobody who lives; numbers from the beginning of a range, where none is given out."""
    if story == "citizen" or request["Anonymous"] == "Y":
        return None
    first, last = random.choice(_FIRST), random.choice(_LAST)
    place = 0 if language == "kk" else 1
    return {"name": f"{first[place]} {last[place]}", "phone": f"+7700000{number:04d}"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
