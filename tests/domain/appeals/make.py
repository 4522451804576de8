"""A city in memory, built of the domain's own objects, and the life of one appeal in it."""

from collections.abc import Collection, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import NAMESPACE_DNS, UUID, uuid5
from zoneinfo import ZoneInfo

import orjson
import yaml

from domain.access import Principal, Role
from domain.appeals import intake as intakes
from domain.appeals import use_cases
from domain.appeals.commands import (
    AskExtension,
    Command,
    GrantExtension,
    Intake,
    Whereabouts,
)
from domain.appeals.desk import Desk
from domain.appeals.model import Appeal, Applicant, Change, Channel, Kind
from domain.appeals.recounts import Recomputed, recompute_clocks
from domain.appeals.workflow import Action
from domain.catalogue.evidence import Need
from domain.catalogue.forms import Forms
from domain.catalogue.model import Catalogue, Category, Criticality, Service, Sphere
from domain.catalogue.search import SearchIndex
from domain.eotinish.model import Told
from domain.eotinish.rules import follow
from domain.eotinish.use_cases import state_of
from domain.errors import NotFound
from domain.events import Event
from domain.law.fields import parse_law
from domain.organisations.addresses import AddressIndex
from domain.organisations.areas import Areas
from domain.organisations.model import (
    Building,
    District,
    Organisation,
    OrganisationKind,
    Responsibility,
    Street,
    Territory,
    TerritoryKind,
)
from domain.organisations.routing import RoutingIndex
from domain.ports import Answer, Counting, TakenFile
from domain.reference import City, Promises, Reference
from domain.sla.calendar import parse_calendar
from domain.sla.clock import due_if_resumed, finished
from domain.sla.policy import Recipient, Stage, parse_policy
from domain.values import Coordinates, Language

POLICIES = Path(__file__).parents[3] / "catalogues" / "starter" / "policies.yaml"
LAW = Path(__file__).parents[3] / "catalogues" / "law" / "kz.yaml"
BOUNDS = ((80.0, 50.0), (81.0, 50.0), (81.0, 51.0), (80.0, 51.0))
EMERGENCY_ROOM = Recipient.EMERGENCY

MANHOLE, LIFT, QUESTION, OTHER = (
    "manholes.open", "lifts.person-trapped", "general.question", "general.unclassified",
)  # fmt: skip
HEATING, INTERNAL, PAST = "housing.radiator", "general.for-staff", "general.of-last-year"
ANSWERS = {"cover": "missing"}
PHOTO_HASH = "ab" * 32

Answered = TypeVar("Answered")


def ident(name: str) -> UUID:
    return uuid5(NAMESPACE_DNS, f"{name}.memory.ikomek109.example")


CITY, CENTRE, DEPARTMENT, WATER, LIFTS, GONE = (
    ident(name) for name in ("city", "centre", "department", "water", "lifts", "gone")
)
STREET, HOUSE, CITIZEN, PHOTO = (ident(name) for name in ("street", "house", "citizen", "photo"))

AIGUL = Applicant(CITIZEN, "Айгүл Серікова", "+77015550109", "aigul@example.kz")
CALLER = Applicant(None, "Ерлан Ахметов", "+77075550110", None)


def almaty(text: str) -> datetime:
    """A wall clock time of the city as the resident reads it: 2026-03-06 16:00."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Almaty")).astimezone(UTC)


MONDAY = almaty("2026-03-02 10:00")


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def names(text: str) -> dict[str, str]:
    return {"kk": text, "ru": text, "en": text}


def _service(code: str, policy: str, kind: str, **changes: Any) -> Service:
    sphere = code.split(".")[0]
    parts: dict[str, Any] = {
        "code": code, "version": 1, "category": f"{sphere}.all", "sphere": sphere,
        "names": names(code), "description": None, "criticality": Criticality.NORMAL,
        "policy": policy, "responsible": kind, "public": True, "keywords": {},
        "first_call_answer": None, "form": None, "valid_from": date(2026, 1, 1),
        "valid_to": None, "evidence": {},
    }  # fmt: skip
    return Service(**parts | changes)


def _catalogue() -> Catalogue:
    cover = {"type": "string", "enum": ["missing", "broken"]}
    form = {"type": "object", "properties": {"cover": cover}, "required": ["cover"]}
    services = [
        _service(MANHOLE, "open-manhole", "utility", criticality=Criticality.HIGH, form=form,
                 evidence={Stage.RESOLVE: Need(photos=1)}),
        _service(LIFT, "person-in-lift", "lift-company", criticality=Criticality.EMERGENCY),
        _service(QUESTION, "information", "contact-centre", first_call_answer=names("9–18")),
        _service(OTHER, "default", "contact-centre"),
        _service(HEATING, "housing-repair", "housing"),
        _service(INTERNAL, "default", "contact-centre", public=False),
        _service(PAST, "default", "contact-centre", valid_to=date(2026, 1, 31)),
    ]  # fmt: skip
    spheres = sorted({service.sphere for service in services})
    return Catalogue.ordered(
        [Sphere(code, names(code), place) for place, code in enumerate(spheres)],
        [Category(f"{code}.all", code, names(code), 0) for code in spheres],
        services,
    )


def _promises(zone: str) -> Promises:
    document = yaml.load(POLICIES.read_text(), yaml.CSafeLoader)
    lawful = yaml.load(LAW.read_text(), yaml.CSafeLoader)
    # The file's dates are dates already; a row of the database has them as text.
    policies = [*document["policies"], *lawful["policies"]]
    plain = [p | {"effective_from": p["effective_from"].isoformat()} for p in policies]
    return Promises(
        {(p["code"], 1): parse_policy(p, version=1) for p in plain},
        {
            (c["code"], 1): parse_calendar(c, version=1, zone=zone, years=range(2025, 2028))
            for c in (*document["calendars"], *lawful["calendars"])
        },
        {c: e["policy"] for e in document["channel_policies"] for c in e["channels"]},
        {1: parse_law(lawful["law"], version=1)},
    )


def _organisation(id: UUID, kind: OrganisationKind, **changes: Any) -> Organisation:
    parent, active = changes.get("parent"), changes.get("active", True)
    return Organisation(id, str(id), parent, kind, names("x"), {}, "around-the-clock", None, active)


@cache
def reference() -> Reference:
    """One street with one house; lifts are looked after in that house, manholes everywhere."""
    kinds = OrganisationKind
    organisations = [
        _organisation(CENTRE, kinds.CONTACT_CENTRE),
        _organisation(DEPARTMENT, kinds.CITY_DEPARTMENT),
        _organisation(WATER, kinds.UTILITY, parent=DEPARTMENT),
        _organisation(LIFTS, kinds.LIFT_COMPANY),
        _organisation(GONE, kinds.UTILITY, active=False),
    ]
    everywhere = Territory(ident("everywhere"), "city", names("x"), TerritoryKind.CITY)
    house = Territory(
        ident("t"), "house", names("x"), TerritoryKind.BUILDINGS, buildings=frozenset({HOUSE})
    )
    city = City(CITY, "esil", "101010000", names("Есіл"), "Asia/Almaty", ("kk", "ru"), "ESL")
    districts = [District("centre", names("Орталық"), BOUNDS)]
    streets = [Street(STREET, "abai", names("Абай көшесі"), ())]
    buildings = [Building(HOUSE, STREET, "12", "centre", Coordinates(50.41, 80.25), "apartments")]
    catalogue = _catalogue()
    return Reference(
        version=1,
        city=city,
        bounds=Areas([("esil", BOUNDS)]),
        catalogue=catalogue,
        evidence={(one.code, one.version): one.evidence for one in catalogue.services},
        forms=Forms(),
        search=SearchIndex(catalogue),
        promises=_promises(city.zone),
        organisations={one.id: one for one in organisations},
        districts={one.code: one for one in districts},
        streets={one.id: one for one in streets},
        buildings={one.id: one for one in buildings},
        addresses=AddressIndex(streets, buildings),
        routing=RoutingIndex(
            organisations=organisations, districts=districts, streets=streets,
            buildings=buildings, territories=[everywhere, house],
            responsibilities=[
                Responsibility(ident("r-1"), "manholes", everywhere.id, WATER),
                Responsibility(ident("r-2"), "lifts", house.id, LIFTS),
            ],
        ),
    )  # fmt: skip


HOMES = {Role.EXECUTOR: WATER, Role.HEAD: WATER, Role.AKIM: DEPARTMENT}


def principal(role: Role = Role.OPERATOR, organisation: UUID | None = None) -> Principal:
    """The member of a role at home, or in another organisation; a department heads WATER."""
    if role is Role.CITIZEN:
        return Principal(CITIZEN, role, CITY, citizen=CITIZEN)
    home = organisation or HOMES.get(role, CENTRE)
    own = frozenset({DEPARTMENT, WATER} if home == DEPARTMENT else {home})
    return Principal(ident(f"{role}@{home}"), role, CITY, "A. B.", home, own)


def intake(service: str = MANHOLE, **changes: Any) -> Intake:
    said: dict[str, Any] = {
        "service": service,
        "kind": Kind.COMPLAINT,
        "channel": Channel.PHONE,
        "language": Language.KK,
        "text": "Жолда люк ашық тұр",
        "where": Whereabouts(building=HOUSE, apartment="45"),
        "answers": ANSWERS if service == MANHOLE else {},
        "applicant": CALLER,
    }
    return Intake(**said | changes)


class Shelf:
    """The appeals and uploads of a city in memory, and all events that were ever added."""

    def __init__(self) -> None:
        self.appeals: dict[str, Appeal] = {}
        self.events: list[Event] = []
        self.changes: list[Change] = []
        self.numbers = 0
        self.uploads = {PHOTO: TakenFile("image", PHOTO_HASH)}


class FakeUow:
    """domain.ports.UnitOfWork over a Shelf: what is kept is kept at once."""

    def __init__(self, who: Principal, shelf: Shelf) -> None:
        self.principal = who
        self.shelf = shelf

    @property
    def appeals(self) -> Any:
        """All ports in one."""
        return self

    attachments = citizens = consultations = numbers = endpoints = incidents = appeals
    members = invitations = firms = clients = exchange = calendars = appeals

    async def get(self, number: str) -> Appeal:
        if number not in self.shelf.appeals:
            raise NotFound(kind="appeal", id=number)
        return self.shelf.appeals[number]

    def add(self, change: Change, number: int, year: int) -> None:
        self.save(change)

    def save(self, change: Change) -> None:
        self.shelf.changes.append(change)
        self.shelf.events.extend(change.events)
        self.shelf.appeals[change.appeal.number] = change.appeal

    async def due(self, at: datetime, limit: int, skipping: Any = ()) -> list[Appeal]:
        found = [one for one in self.shelf.appeals.values() if is_due(one, at)]
        return [one for one in found if one.id not in skipping][:limit]

    async def unclaimed(self, phone: str, limit: int) -> list[Appeal]:
        return [
            one for one in self.shelf.appeals.values()
            if one.applicant and one.applicant.phone == phone and one.applicant.citizen is None
        ][:limit]  # fmt: skip

    async def counting_by(
        self,
        calendar: str,
        before: int,
        limit: int,
        after: UUID | None,
        also: Collection[str] = (),
    ) -> Counting:
        told = [orjson.loads(event.canonical) for event in self.shelf.events]
        found = [
            (one, told)
            for one in self.shelf.appeals.values()
            if _counts_by(one, calendar, before)
            or any(k.calendar in also and not finished(k) for k in one.clocks)
        ]
        return Counting(found, None, 0)

    async def take(self, *asked: Any) -> Any:
        if len(asked) == 2:
            self.shelf.numbers += 1
            return self.shelf.numbers
        return {id: self.shelf.uploads[id] for id in asked[0] if id in self.shelf.uploads}

    async def applicant(self, citizen: UUID) -> Applicant:
        return AIGUL

    async def commit(self, answer: Answer | None = None) -> None:
        """Nothing waits here."""


def is_due(appeal: Appeal, at: datetime) -> bool:
    """What the partial indexes of the database find."""
    nudged = any(k.next_at is not None and k.next_at <= at for k in appeal.clocks)
    return nudged or (appeal.pause is not None and appeal.pause.until <= at)


def _counts_by(appeal: Appeal, calendar: str, before: int) -> bool:
    return any(
        k.calendar == calendar and k.calendar_version < before and not finished(k)
        for k in appeal.clocks
    )


def done(coroutine: Coroutine[Any, Any, Answered]) -> Answered:
    """The answer of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        answer: Answered = end.value
        return answer
    raise AssertionError("the core waited for something")


class Life:
    """One appeal from its registration on. Each act takes a minute of the city's time."""

    def __init__(self, at: datetime = MONDAY, city: Reference | None = None) -> None:
        self.shelf = Shelf()
        self.at = at
        self.number = ""
        self._amended = city

    def register(self, said: Intake | None = None, role: Role = Role.OPERATOR) -> Appeal:
        coroutine = intakes.register(
            said or intake(), uow=self._uow(principal(role)), reference=self.reference, at=self.at
        )
        self.number = done(coroutine).number
        return self.appeal

    def act(
        self,
        action: Action,
        command: Command,
        role: Role = Role.EXECUTOR,
        organisation: UUID | None = None,
        expected: set[int] | None = None,
    ) -> Appeal:
        self.at += timedelta(minutes=1)
        who = principal(role, organisation)
        return done(
            use_cases.perform(
                self.number, action, command,
                uow=self._uow(who), reference=self.reference, at=self.at, expected=expected,
            )
        )  # fmt: skip

    def wait(self, span: timedelta) -> "Life":
        self.at += span
        return self

    def tick(self) -> tuple[Change, ...]:
        """What the scheduler does at this moment."""
        system = Principal(ident("system"), Role.SYSTEM, CITY)
        acted = done(
            use_cases.act_on_due(
                uow=self._uow(system), reference=self.reference, at=self.at, limit=100
            )
        )
        assert not acted.faulty
        return acted.changes

    def extend(self, stage: Stage, more: timedelta) -> Appeal:
        """Whoever has it asks for so much more time, and an inspector gives it. Raises Refusal."""
        clock, standing = self.appeal.clock(stage), self.appeal.assignment
        if clock is None or standing is None:
            raise NotFound(kind="clock", id=str(stage))
        _, calendar = self.reference.promises.of(clock)
        until = due_if_resumed(clock, calendar, at=self.at) + more
        asked = AskExtension(stage, until, "қақпақ жоқ")
        self.act(Action.EXTEND, asked, Role.EXECUTOR, standing.organisation)
        return self.act(Action.GRANT, GrantExtension(), Role.INSPECTOR)

    def hear(self, told: Told) -> Change:
        """What the state says of it at this moment."""
        desk = Desk(state_of(CITY), self.reference, self.at)
        change = use_cases.bind(self.appeal, follow(self.appeal, told, desk), desk)
        self._uow(desk.principal).save(change)
        return change

    def amend(self, code: str, day: date) -> "Life":
        """The city makes a day off of a day: the next version of a calendar, which nobody has yet
        counted by."""
        promises = self.reference.promises
        newest = promises.calendar(code)
        amended = replace(
            newest, version=newest.version + 1, days_off=newest.days_off.symmetric_difference({day})
        )
        calendars = {**promises.calendars, (code, amended.version): amended}
        self._amended = replace(self.reference, promises=replace(promises, calendars=calendars))
        return self

    @property
    def reference(self) -> Reference:
        """What the city has agreed on by now."""
        return self._amended or reference()

    def count_again(self, code: str, reason: str = "қаулы") -> Recomputed:
        """What `ikomek clocks recompute` does at this moment."""
        system = Principal(ident("system"), Role.SYSTEM, CITY)
        return done(
            recompute_clocks(
                code, reason, uow=self._uow(system), reference=self.reference, at=self.at, limit=9
            )
        )

    @property
    def appeal(self) -> Appeal:
        return self.shelf.appeals[self.number]

    def told(self) -> list[str]:
        """The types of all events, oldest first."""
        return [str(event.type) for event in self.shelf.events]

    def _uow(self, who: Principal) -> FakeUow:
        return FakeUow(who, self.shelf)
