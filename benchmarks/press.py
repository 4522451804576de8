"""One process of the generator: chooses what each appeal is about, stamps it, writes by COPY."""

import asyncio
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from operator import itemgetter
from random import Random
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import orjson
import psycopg
from sqlalchemy.dialects.postgresql import JSONB

from api.bootstrap import read_keyring
from api.settings import Settings
from benchmarks import distributions
from benchmarks.histories import Teller
from benchmarks.stamps import TABLES, Rows, Stamp, Variation, new_id
from demo.sample.rows import Row, read_sample
from domain.appeals.commands import Whereabouts
from domain.appeals.intake import find_route
from domain.appeals.model import Place, Route
from domain.appeals.places import locate
from domain.organisations import routing
from domain.ports import Keyring
from domain.reference import City, Reference
from integrations.postgres import office, rows
from integrations.postgres.doors import WORKER
from integrations.postgres.engine import open_engine
from integrations.postgres.reference import load

VARIANTS = 6
"""Histories of one row of the sample; times and outcomes differ."""
FORGOTTEN = timedelta(days=60)
"""An appeal that nobody took up so long ago was taken up after all, but for one in seven."""
_OPEN = {"ignored": "late", "working": "resolved", "unconfirmed": "resolved"}
_TRIES = 6

_NAMES = ("Айгерим", "Данияр", "Мадина", "Олег", "Сауле", "Тимур", "Жанар", "Ирина", "Ерлан")
_SURNAMES = ("Примерова", "Пробная", "Образцова", "Үлгі", "Сынақ", "Мысал")
_DETAILS = {
    "kk": ("{n}-кіреберіс, {m}-қабат.", "{m} күннен бері осылай.", "Үйде {n} бала бар.", ""),
    "ru": ("Подъезд {n}, этаж {m}.", "Так уже {m} дней.", "Дома {n} детей, очень ждём.", ""),
}
_ADDRESS = {"kk": "{street}, {number} үй", "ru": "{street}, {number}"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Appeals that one process makes in one transaction: moments, and the numbers of years."""

    index: int
    moments: "array[float]"
    years: "array[int]"
    numbers: "array[int]"


class Plan:
    """What the numbering of a database allows, read and written by the one who plans."""

    def __init__(self, url: str, city: City, at: datetime) -> None:
        self._url = url
        self._city = city
        self.hours = distributions.read().hours
        self.zone_offset = city.local(at).utcoffset() or timedelta()

    def year(self, moment: float) -> int:
        """The city's year of a moment."""
        return (datetime.fromtimestamp(moment, UTC) + self.zone_offset).year

    def promised_from(self) -> datetime:
        """The second day on which every service has its promises; none was broken before."""
        with psycopg.connect(self._url) as connection:
            row = connection.execute(
                "SELECT max(first) FROM (SELECT min(effective_from) AS first FROM policy_version"
                " GROUP BY code UNION SELECT min(valid_from) FROM service_version GROUP BY code) f"
            ).fetchone()
        if row is None or row[0] is None:
            raise ValueError("the database has no promises; load the demo city first")
        return datetime.combine(row[0] + timedelta(days=1), time.min, UTC)

    def filled_to(self, year: int) -> int:
        """The last number that was ever poured."""
        with psycopg.connect(self._url) as connection:
            row = connection.execute(
                "SELECT filled_to FROM number_series WHERE city_id = %s AND year = %s",
                (self._city.id, year),
            ).fetchone()
        return int(row[0]) if row else 0

    def settle(self, residents: int, keyring: Keyring) -> None:
        """Let so many residents live in the city, who can act for themselves."""
        with psycopg.connect(self._url) as connection, connection.cursor() as cursor:
            for number in range(residents):
                name, phone = f"{_NAMES[number % len(_NAMES)]} {_SURNAMES[0]}", f"+7708{number:07d}"
                said = {"name": name, "phone": phone}
                cursor.execute(
                    "INSERT INTO citizen (id, city_id, sealed, phone_index) VALUES (%s, %s, %s, %s)"
                    " ON CONFLICT DO NOTHING",
                    (uuid5(self._city.id, phone), self._city.id,
                     keyring.seal(orjson.dumps(said)), keyring.index(phone)),
                )  # fmt: skip

    def fill_to(self, years: Mapping[int, int]) -> None:
        """Numbers up to these are given."""
        with psycopg.connect(self._url) as connection:
            for year, number in years.items():
                connection.execute(
                    "INSERT INTO number_series VALUES (%s, %s, %s) ON CONFLICT (city_id, year)"
                    " DO UPDATE SET filled_to = excluded.filled_to",
                    (self._city.id, year, number),
                )


def promise_since(url: str, day: date) -> None:
    """Let whatever was promised later be promised from this day on: a past to measure with."""
    with psycopg.connect(url) as connection:
        begins = {"policy_version": "effective_from", "service_version": "valid_from"}
        for table, column in begins.items():
            connection.execute(
                f"UPDATE {table} SET {column} = %(day)s, content = jsonb_set("
                f"content, '{{{column}}}', to_jsonb(%(day)s::text)) WHERE {column} > %(day)s",
                {"day": day},
            )


class Press:
    """Makes chunks of appeals."""

    def __init__(self, url: str, seed: int, end: datetime) -> None:
        self._url, self._seed, self._end = url, seed, end
        self._reference, self._citizens = asyncio.run(_read(url, end))
        self._keyring = read_keyring(Settings(database_url=url))
        said = distributions.read()
        self._sentences = said.sentences
        # Photos weigh on the store and not on the register: these executors are believed.
        believing = replace(self._reference, evidence={})
        self._teller = Teller(believing, said.hours_to_close)
        self._rows = read_sample().rows
        self._weights = list(accumulate(weights(self._rows, said.types)))
        self._buildings = tuple(self._reference.buildings)
        self._places: dict[UUID, Place] = {}
        self._anchor = end - FORGOTTEN
        self._stamps: dict[tuple[int, str, int], Stamp] = {}
        self._line: Any = None

    @staticmethod
    def plan(url: str, end: datetime) -> Plan:
        """The plan of the demo city's numbers."""
        reference, _ = asyncio.run(_read(url, end))
        return Plan(url, reference.city, end)

    async def write(self, chunk: Chunk) -> int:
        """Make a chunk and write it; how many appeals."""
        random = Random(f"{self._seed}:{chunk.index}")
        found: Rows = {table.name: [] for table in TABLES}
        arrivals = zip(chunk.moments, chunk.years, chunk.numbers, strict=True)
        for moment, year, number in arrivals:
            at = datetime.fromtimestamp(moment, UTC)
            for name, made in (await self._one(at, year, number, random)).items():
                found[name].extend(made)
        if self._line is None:
            self._line = await asyncpg.connect(self._url)
            await self._line.execute("SET synchronous_commit = off")
        async with self._line.transaction():
            for table in TABLES:
                await _copy(self._line, table, found[table.name])
        return len(chunk.moments)

    async def _one(self, at: datetime, year: int, number: int, random: Random) -> Rows:
        row = random.choices(self._rows, cum_weights=self._weights)[0]
        story = row.story
        if self._end - at > FORGOTTEN and random.random() < 0.85:
            story = _OPEN.get(story, story)
        variant = random.randrange(VARIANTS)
        stamp, said = await self._stamp(row, story, variant, at, random)
        variation = Variation(
            at=at, id=new_id(at, random), number=self._reference.city.number(year, number),
            place=said[0], route=said[1], organisation=said[2],
            text=self._text(row, random), answers=row.answers_at(at),
            name=f"{random.choice(_NAMES)} {random.choice(_SURNAMES)}",
            phone=f"+7700{random.randrange(10**7):07d}",
            citizen=random.choice(self._citizens),
        )  # fmt: skip
        return stamp.press(variation, self._end, random)

    async def _stamp(
        self, row: Row, story: str, variant: int, at: datetime, random: Random
    ) -> tuple[Stamp, tuple[Place, Route, UUID | None]]:
        """A history that fits the moment and the place, of those known or lived for it."""
        key = (row.number, story, variant)
        stamp = self._stamps.get(key)
        if stamp is None:
            first = self._place(row, Random(f"{key}"))
            stamp = await self._live(row, story, first, self._anchor, variant)
            self._stamps[key] = stamp
        tries = _TRIES
        while True:
            tries -= 1
            place = self._place(row, random)
            route, organisation = self._route(row, place, at)
            if stamp.fits(organisation):
                return stamp, (place, route, organisation)
            if not (stamp.movable and tries):
                lived = await self._live(row, story, place, at, variant)
                return lived, (place, route, organisation)

    async def _live(self, row: Row, story: str, place: Place, at: datetime, variant: int) -> Stamp:
        chance = Random(f"{self._seed}:{row.number}:{story}:{variant}")
        where = Whereabouts(place.building, place.address, place.apartment, place.coordinates)
        return Stamp(await self._teller.live(row, story, where, at, chance), self._keyring)

    def _place(self, row: Row, random: Random) -> Place:
        """A house of the city; now and then only a point near one."""
        chosen = random.choice(self._buildings)
        known = self._places.get(chosen)
        if known is None:
            known = locate(Whereabouts(building=chosen), self._reference)
            self._places[chosen] = known
        street = self._reference.streets[self._reference.buildings[chosen].street]
        address = _ADDRESS[row.language].format(
            street=street.names[row.language], number=self._reference.buildings[chosen].number
        )
        apartment = str(random.randrange(1, 90)) if "apartment" in row.location else None
        return replace(known, address=address, apartment=apartment)

    def _route(self, row: Row, place: Place, at: datetime) -> tuple[Route, UUID | None]:
        if row.story == "first-call":
            return Route("first-contact"), None
        found: routing.Route = find_route(
            self._reference.catalogue.service(row.service), place, self._reference, at
        )
        return Route(str(found.reason), found.responsibility), found.organisation

    def _text(self, row: Row, random: Random) -> str:
        service = self._reference.catalogue.service(row.service)
        more = self._sentences.get(service.sphere, {}).get(row.language, ())
        parts = [row.text]
        if more and random.random() < 0.7:
            parts.append(random.choice(more))
        detail = random.choice(_DETAILS[row.language])
        parts.append(detail.format(n=random.randrange(1, 9), m=random.randrange(2, 17)))
        return " ".join(filter(None, parts))


def weights(sample: Sequence[Row], types: Sequence[int]) -> list[float]:
    """How often each row is used: as skewed over services as the source is over its types."""
    counts: dict[str, int] = {}
    for row in sample:
        counts[row.service] = counts.get(row.service, 0) + 1
    ranked = sorted(counts, key=lambda service: (-counts[service], service))
    rank = {service: place * len(types) // len(ranked) for place, service in enumerate(ranked)}
    rows_of = [sum(1 for row in sample if rank[row.service] == one) for one in range(len(types))]
    return [types[rank[row.service]] / rows_of[rank[row.service]] for row in sample]


async def _read(url: str, at: datetime) -> tuple[Reference, list[UUID]]:
    engine = open_engine(url, pool_size=1, name="ikomek-bench", role=WORKER)
    try:
        async with engine.connect() as connection:
            city = (await office.cities(connection))[0]
            reference = await load(connection, city.id, at)
            driver: Any = (await connection.get_raw_connection()).driver_connection
            found = await driver.fetch(
                "SELECT id FROM citizen WHERE city_id = $1 ORDER BY id", city.id
            )
    finally:
        await engine.dispose()
    return reference, [UUID(str(row["id"])) for row in found]


async def _copy(connection: Any, table: Any, made: Sequence[Mapping[str, Any]]) -> None:
    columns = [column for column in table.columns if not made or column.name in made[0]]
    names = [column.name for column in columns]
    documents = [place for place, column in enumerate(columns) if isinstance(column.type, JSONB)]
    records: Iterable[Sequence[Any]] = map(itemgetter(*names), made)
    if documents:
        records = [_plain(record, documents) for record in records]
    await connection.copy_records_to_table(table.name, columns=names, records=records)


def _plain(record: Sequence[Any], documents: Sequence[int]) -> Sequence[Any]:
    plain = list(record)
    for place in documents:
        if plain[place] is not None:
            plain[place] = rows.dumps(plain[place])
    return plain
