"""The public view: what is told to whoever comes without a token.

The types have no field for what is not told, and the parts that are read are PARTS alone: no text,
no name, no contact, no flat, no attachment leaves the database for it. How much of a row is told,
and of a figure, is decided in domain/publication.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import strawberry

from api.graphql.catalogue import (
    Category,
    Service,
    Sphere,
    category_in,
    made_sphere,
    service_in,
    sphere_in,
)
from api.graphql.context import Context
from api.graphql.counting import (
    CountBy,
    FigureTable,
    asks_for_promises,
    published_groups,
    weeks,
)
from api.graphql.enums import AppealStatus, IncidentKind, IncidentStatus, Language
from api.graphql.fast import field, plain, quick
from api.graphql.nodes import MOST, Connection, page
from api.graphql.organisations import District, district_in
from api.graphql.paging import Bounds, unveiled, veiled
from api.graphql.saying import as_query
from api.rest.appeals import AppealsQuery, wanted_appeals
from api.rest.fields import Code, Query
from api.rest.operation import malformed, sound_step
from domain.access import public
from domain.incidents.board import overdue
from domain.incidents.model import Incident
from domain.publication import places
from domain.publication.crowds import OF_CLASSES, monday
from domain.publication.rows import WEEK, Detail, Kin, Shared
from domain.reference import Reference
from domain.values import in_language

PARTS = frozenset(
    {"id", "number", "status", "service", "category", "sphere", "district", "point",
     "registered_at"}
)  # fmt: skip
"""All that is read of an appeal for the public."""

LOOKED_THROUGH = MOST + 1
"""Rows that are read for a page, however short it is to be: were they as many as are asked for,
pages of one would count, filter by filter, the very rows of which nothing is told.
"""


class _Where(Query):
    """By what figures can be narrowed."""

    sphere: Code | None = None
    district: Code | None = None


@strawberry.type(description="About where: the middle of a piece of the city, not the place.")
class PublicPlace:
    """See domain/publication/places.py."""

    cell: str = plain("The piece of the city, as H3 names it (https://h3geo.org).")
    latitude: float = plain("The middle of it, degrees north (WGS 84).")
    longitude: float = plain("The middle of it, degrees east (WGS 84).")


@strawberry.type(
    description="An appeal as the public is told of it: what at least five of its week have in"
    " common, and nothing of who asked or what they said."
)
class PublicAppeal:
    """See domain/publication/rows.py."""

    _kin: strawberry.Private[Kin]
    _detail: strawberry.Private[Detail]
    _city: strawberry.Private[Reference]
    _classes: strawberry.Private[Shared]
    _point: strawberry.Private[Any]
    _crowd: strawberry.Private[places.Crowd]
    number: str = plain("The registration number.")
    status: AppealStatus = plain("Where the appeal stands.")
    registered_week: date = plain("The Monday of the week in which it was registered.")

    @quick("The service, where at least five of its district and week are told with it.")
    def service(self, info: strawberry.Info) -> Service | None:
        """From the snapshot; only what residents may choose."""
        if self._detail < Detail.SERVICE:
            return None
        return service_in(self._kin.service, self._city, info)

    @quick("The category, where at least five of its district and week are told with as much.")
    def category(self) -> Category | None:
        """From the snapshot."""
        if self._detail < Detail.CATEGORY:
            return None
        return category_in(self._kin.category, self._city)

    @quick("The sphere, where at least five of its week are told with as much.")
    def sphere(self) -> Sphere | None:
        """From the snapshot."""
        if self._detail < Detail.SPHERE:
            return None
        return sphere_in(self._kin.sphere, self._city)

    @quick("The district, where service or category are told.")
    def district(self) -> District | None:
        """From the snapshot."""
        if self._detail < Detail.CATEGORY:
            return None
        return district_in(self._kin.district, self._city)

    @quick("About where, where service or category are told, at least five told alike are there and"
           " enough houses stand about it.")  # fmt: skip
    def place(self, info: strawberry.Info) -> PublicPlace | None:
        """Never the point itself."""
        if self._detail < Detail.CATEGORY or self._point is None:
            return None
        cell = self._crowd.cell(self._point)
        if cell is None or not self._classes.hides(self._kin, cell):
            return None
        middle = places.centre(cell)
        return PublicPlace(
            cell=places.name(cell), latitude=middle.latitude, longitude=middle.longitude
        )


@strawberry.type(description="An incident that was published: an outage, planned works.")
class PublicIncident:
    """Its public fields."""

    _said: strawberry.Private[Incident]
    _city: strawberry.Private[Reference]
    kind: IncidentKind = plain("What kind of problem it is.")
    status: IncidentStatus = plain("Where it stands.")
    opened_at: datetime = plain("When it was opened.")
    planned_from: datetime | None = plain("When it begins, where that is planned.")
    planned_to: datetime | None = plain("When it is expected to end.")
    overdue: bool = plain("Whether it runs past its expected end.")

    @quick("What the city says of it, in the language asked for.")
    def text(self, info: strawberry.Info, language: Language | None = None) -> str:
        """Published by whoever opened it."""
        return in_language(self._said.texts, language or info.context.language)

    @quick("The services that it is about.")
    def services(self, info: strawberry.Info) -> list[Service | None]:
        """Those that residents may choose."""
        return [service_in(code, self._city, info) for code in self._said.services]

    @quick("The districts that it touches.")
    def districts(self) -> list[District | None]:
        """From the snapshot."""
        return [district_in(code, self._city) for code in sorted(self._said.districts)]


@strawberry.type(description="A city as the public is told of it.")
class PublicCity:
    """For everybody, with a token or without."""

    _city: strawberry.Private[Reference]
    code: str = plain("The code of the city.")

    @quick("The name, in the language asked for or the request's own.")
    def name(self, info: strawberry.Info, language: Language | None = None) -> str:
        """Localised."""
        return in_language(self._city.city.names, language or info.context.language)

    @quick("The spheres of its catalogue, in its order.")
    def spheres(self) -> list[Sphere]:
        """The tree of services begins here."""
        return [made_sphere(each, self._city) for each in self._city.catalogue.spheres]

    @field("A service by its code; null where residents cannot choose it.")
    def service(self, info: strawberry.Info, code: str) -> Service | None:
        """From the snapshot."""
        return service_in(code, self._city, info)

    @quick("Its districts, by code.")
    def districts(self) -> list[District | None]:
        """From the snapshot."""
        return [district_in(code, self._city) for code in sorted(self._city.districts)]

    @field("An appeal by its number: where it stands, and what may be told besides.")
    async def appeal(self, info: strawberry.Info, number: str) -> PublicAppeal | None:
        """One appeal."""
        context, city = info.context, self._city
        if not sound_step(number):
            return None
        async with context.turns:
            found = await context.house.sketches.by(public(city.city.id), "number", [number], PARTS)
        told = await _told(found.values(), context, city, everything=True)
        return told[0][1] if told else None

    @field("Appeals of which something may be told, the newest first. A page may hold fewer than"
           " asked for and still go on.")  # fmt: skip
    async def appeals(
        self,
        info: strawberry.Info,
        status: list[AppealStatus] | None = None,
        sphere: str | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[PublicAppeal] | None:
        """A page of rows."""
        context, city, bounds = info.context, self._city, Bounds(first, after)
        asked = wanted_appeals(
            as_query(AppealsQuery, {"status": status, "sphere": sphere}), context.at
        )
        keyring = context.house.keyring
        place = unveiled(after, keyring)
        async with context.turns:
            found = await context.house.sketches.listed(
                public(city.city.id), asked, place, LOOKED_THROUGH, PARTS
            )
        told = await _told(found, context, city)
        cursors = [
            partial(veiled, sketch["registered_at"], sketch["id"], keyring) for sketch, _ in told
        ]
        last = None
        if len(told) <= bounds.first and len(found) == LOOKED_THROUGH:
            last = partial(veiled, found[-1]["registered_at"], found[-1]["id"], keyring)
        return page(
            [node for _, node in told],
            cursors,
            first=bounds.first,
            began=after is not None,
            last=last,
        )

    @field(
        "Appeals counted over whole weeks that are over, in steps of five, groups of fewer than"
        " five without a name. Days widen to their weeks, the last one that is over unless they"
        " say otherwise; the answer names them. Shares and medians are those of one week."
        " `sphere` and `district` narrow counts by service, category, sphere and district."
    )
    async def figures(
        self,
        info: strawberry.Info,
        by: CountBy,
        first_day: date | None = None,
        last_day: date | None = None,
        sphere: str | None = None,
        district: str | None = None,
    ) -> FigureTable | None:
        """By the rules of domain/publication/figures.py."""
        context, city = info.context, self._city
        asked = weeks(first_day, last_day, city, context.at)
        query = as_query(_Where, {"sphere": sphere, "district": district})
        where = query.model_dump(exclude_none=True)
        if where and by.value not in OF_CLASSES:
            raise malformed("filter", f"/{min(where)}", "city-wide")
        table = await context.house.crowds.published(
            asked, by.value, where, context, city, promises=asks_for_promises(info)
        )
        return FigureTable(
            total=table.total,
            groups=published_groups(table.groups, city, by.value),
            first_day=asked[0],
            last_day=asked[-1] + WEEK - timedelta(days=1),
        )

    @quick("Incidents that were published and are not over.")
    def incidents(self, info: strawberry.Info) -> list[PublicIncident]:
        """From the snapshot."""
        return [
            PublicIncident(
                _said=each,
                _city=self._city,
                kind=each.kind,
                status=each.status,
                opened_at=each.opened_at,
                planned_from=each.planned_from,
                planned_to=each.planned_to,
                overdue=overdue(each, info.context.at),
            )
            for each in self._city.incidents.live
            if each.public
        ]


async def _told(
    sketches: Iterable[dict[str, Any]],
    context: Context,
    city: Reference,
    *,
    everything: bool = False,
) -> list[tuple[dict[str, Any], PublicAppeal]]:
    """What may be told of these appeals, without those of which nothing may unless `everything`."""
    pairs = [(sketch, _kin(sketch, city)) for sketch in sketches]
    crowds = context.house.crowds
    details = await crowds.details([kin for _, kin in pairs], context, city)
    crowd = await crowds.of(city)
    return [
        (sketch, _made(sketch, kin, detail, classes, city, crowd))
        for (sketch, kin), (detail, classes) in zip(pairs, details, strict=True)
        if everything or detail is not Detail.NOTHING
    ]


def _kin(sketch: dict[str, Any], city: Reference) -> Kin:
    return Kin(
        sketch["service"],
        sketch["category"],
        sketch["sphere"],
        sketch["district"],
        monday(city.city.local(sketch["registered_at"]).date()),
    )


def _made(
    sketch: dict[str, Any],
    kin: Kin,
    detail: Detail,
    classes: Shared,
    city: Reference,
    crowd: places.Crowd,
) -> PublicAppeal:
    return PublicAppeal(
        _kin=kin,
        _detail=detail,
        _city=city,
        _classes=classes,
        _point=sketch["point"],
        _crowd=crowd,
        number=sketch["number"],
        status=sketch["status"],
        registered_week=kin.week,
    )
