"""No list, search or reading tells of what does not exist for who asks.

In every place stand things with words and ids that nothing else has: their marks. Everything that
can be asked without changing anything is asked by everybody, narrowed by every condition that the
contract has, also by ids and words of foreign things; then the answers are searched for marks.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import orjson
import pytest

from domain.access import Role
from tests.house.test_contract import QUESTIONS
from tests.support.city import KISHI, MANHOLE, ULKEN
from tests.support.incidents import opening
from tests.support.register import signed
from tests.walls.doors import DONE, RestDoor, Said, Told
from tests.walls.policy import (
    AUDITS,
    LISTS,
    POLICY,
    SEEN_BY,
    UNLISTED,
    Kind,
    Row,
    exists_for,
    verdict,
)
from tests.walls.test_matrix import OPERATIONS
from tests.walls.things import Thing, Things, answers_to
from tests.walls.town import EVERYBODY, LEFT, QUARTERS, Place, Town, Who

APPLICANT = {"name": "Құпия Тұрғынов", "phone": "+77770001109"}
LIFT = "lifts.not-working"
"""No business of the utility."""
READS = [
    operation
    for operation in OPERATIONS
    if not RestDoor().changes(operation) or operation in LISTS or operation in QUESTIONS
]
"""What tells without changing anything, the long questions among them that come by POST."""
DOOR = RestDoor()


@dataclass(frozen=True)
class Mark:
    """A text that stands in the answers about one thing and in no other."""

    text: str
    about: str
    seen_by: frozenset[str]


@dataclass(frozen=True)
class World:
    """The town with its marked things, two of a kind in every place."""

    town: Town
    door: RestDoor
    things: dict[tuple[Kind, Place], list[Thing]]
    marks: Sequence[Mark]

    async def ask(self, operation: str, who: Who, said: Said) -> Told:
        return await self.door.ask(operation, self.town.tokens.get(who.name), said)

    def foreign(self, who: Who) -> list[Mark]:
        """The marks of what does not exist for somebody."""
        return [mark for mark in self.marks if who.name not in mark.seen_by]


@pytest.fixture(scope="module")
async def world(town: Town) -> World:
    """Two things of every kind in every place, all of them known and sealed."""
    makers, things = Things(town), {}
    marks: list[Mark] = []
    for kind in SEEN_BY:
        for place in SEEN_BY[kind]:
            status = {Kind.APPEAL: "assigned", Kind.INCIDENT: "joined"}.get(kind, "")
            made = [await makers.fresh(kind, place, status) for _ in range(2)]
            things[kind, place] = made
            # Which organisation works on an appeal is told to its resident.
            seen = _in_the_city(place) if kind is Kind.ORGANISATION else SEEN_BY[kind][place]
            marks += [Mark(thing.name, f"{place} {kind}", frozenset(seen)) for thing in made]
    for place in Place:
        marks += await _worded(town, place)
        # Figures count what was done.
        await makers.fresh(Kind.APPEAL, place, "resolved")
    marks.append(await _next_door(town))
    marks += await _public(town)
    for city in (KISHI, ULKEN):
        await signed(town.house, city)
    # What was done is told: the feed of each holds it.
    while (await town.house.outbox.relay(town.house.now())).events:
        pass
    return World(town, RestDoor(town.app), things, marks)


async def _worded(town: Town, place: Place) -> list[Mark]:
    """An appeal whose words and applicant are of its place alone."""
    word, callers = f"Белгі{place}", town.callers(place)
    made = await callers.register(
        text=f"Люк ашық {word}", applicant=APPLICANT | {"name": f"{word} Тұрғынов"}
    )
    seen = frozenset(SEEN_BY[Kind.APPEAL][place]) - {"citizen", "neighbour", "elsewhere-citizen"}
    return [Mark(mark, f"{place} words", seen) for mark in (word, made["number"], made["id"])]


async def _next_door(town: Town) -> Mark:
    """The neighbour's appeal at the very house of ours, about what is not the utility's."""
    callers = replace(town.callers(Place.OURS), tokens=town.callers(Place.THEIRS).tokens)
    made = await callers.register(
        Role.CITIZEN, applicant=..., service=LIFT, answers=await answers_to(callers, LIFT)
    )
    seen = {"operator", "inspector", "akim", "auditor", "akim-of-centre", "neighbour",
            "parent-executor", "parent-head", "parent-administrator"}  # fmt: skip
    return Mark(made["number"], "next door", frozenset(seen))


async def _public(town: Town) -> list[Mark]:
    """What the whole city may know, and nobody of another."""
    marks = []
    for place in (Place.OURS, Place.ELSEWHERE):
        callers = town.callers(place)
        said = opening(QUARTERS[place]) | {"public": True, "matching": "suggested"}
        made = await callers.call("POST", "/v1/incidents", said)
        marks.append(Mark(made.json()["id"], f"public {place}", frozenset(_in_the_city(place))))
    return marks


def _in_the_city(place: Place) -> set[str]:
    abroad = place is Place.ELSEWHERE
    return {who.name for who in EVERYBODY if (who.home is Place.ELSEWHERE) is abroad}


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if DOOR.lists(one)])
def test_every_list_says_what_it_is_made_of(operation: str):
    assert operation in LISTS, UNLISTED.format(operation)


def test_no_list_is_of_an_operation_that_is_gone():
    assert set(LISTS) <= {one for one in OPERATIONS if DOOR.lists(one)}


@pytest.mark.parametrize("operation", READS)
async def test_no_answer_tells_of_what_is_not_theirs(world: World, operation: str):
    row, told_of = POLICY[operation], 0
    wrong: list[str] = []
    for who in EVERYBODY:
        foreign = world.foreign(who)
        for said in _asked(world, operation, row, who):
            told = await world.ask(operation, who, said)
            assert told.outcome in (DONE, "422 invalid", "404 not-found"), told
            told_of += sum(mark.text in told.text for mark in world.marks)
            # Who asks for a word or an id is told no news by reading it in the answer's link.
            asked = {str(value) for value in said.query.values()} | {said.name or ""}
            wrong += [
                f"{who.name} reads of {mark.about} in {said}: {mark.text}"
                for mark in foreign
                if mark.text in told.text
                and mark.text not in asked
                and not (who.name in AUDITS.get(operation, ()) and mark.about.endswith("appeal"))
            ]
    assert not wrong, "\n".join(wrong)
    assert told_of or LISTS.get(operation) is None, "it told of nothing at all"


def _asked(world: World, operation: str, row: Row, who: Who) -> Iterator[Said]:
    """Every way in which somebody who may can ask: each own thing, by each condition."""
    kinds: Sequence[Kind | None] = row.kinds or (None,)
    for kind in kinds:
        if row.open or verdict(row, who, kind, None) not in (DONE, "404 not-found"):
            continue
        names: list[str | None] = [None]
        if kind is not None:
            places = [place for place in SEEN_BY[kind] if exists_for(kind, place, who)]
            names = [name for place in places for name in _names(world, kind, place)]
        for name, query in itertools.product(names, _queries(world, operation, row, who)):
            yield Said(row.body, query, name)


def _names(world: World, kind: Kind, place: Place) -> list[str]:
    """The names of things, also of those that others go with."""
    goes_with = {
        Kind.ATTACHMENT: Kind.APPEAL,
        Kind.INCIDENT: Kind.APPEAL,
        Kind.DELIVERY: Kind.ENDPOINT,
    }
    more = [
        thing.goes_with
        for other in goes_with
        if goes_with[other] is kind
        for thing in world.things[other, place]
    ]
    return [thing.name for thing in world.things[kind, place]] + more


def _queries(world: World, operation: str, row: Row, who: Who) -> Iterator[dict[str, Any]]:
    city = QUARTERS[who.home].code
    plain = {name: city if value == "@city" else value for name, value in row.query.items()}
    taken = world.door.conditions(operation)
    if "limit" in taken:
        plain["limit"] = taken["limit"]["maximum"]
    yield plain
    for name, values in _conditions(world).items():
        if name in taken:
            yield from ({**plain, name: value} for value in values)


def _conditions(world: World) -> dict[str, list[Any]]:
    cities = QUARTERS.values()
    incidents = [world.things[Kind.INCIDENT, place][0].name for place in Place]
    return {
        "q": [f"Белгі{place}" for place in Place]
        + [world.things[Kind.APPEAL, place][0].name for place in Place],
        "incident": incidents,
        "organisation": [str(city.water) for city in cities],
        "building": [str(city.flats) for city in cities],
        "district": ["centre", "village", "left"],
        "territory": ["centre", "village", "left"],
        "service": [MANHOLE],
    }


@pytest.mark.parametrize(
    ("operation", "key"),
    [("listAppeals", "number"), ("listIncidents", "id"), ("listClocks", "number")],
)
async def test_a_list_shows_all_that_is_theirs(world: World, operation: str, key: str):
    kind = Kind.INCIDENT if operation == "listIncidents" else Kind.APPEAL
    for who in (one for one in EVERYBODY if one.role in POLICY[operation].roles):
        shown = {item[key] for item in await _walked(world, operation, who, {"limit": 3})}
        for place in SEEN_BY[kind]:
            names = {thing.name for thing in world.things[kind, place]}
            expected = names if exists_for(kind, place, who) else set()
            assert names & shown == expected, f"{who.name}, {place}"


async def _walked(
    world: World, operation: str, who: Who, query: dict[str, Any]
) -> list[dict[str, Any]]:
    """Every page of a list."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        told = await world.ask(operation, who, Said(None, query | cursor))
        page = orjson.loads(told.text)
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


@pytest.mark.parametrize("operation", ["listAppeals", "listIncidents", "listClocks"])
async def test_a_foreign_cursor_opens_nothing(world: World, operation: str):
    marks = {who.name: world.foreign(who) for who in EVERYBODY}
    holders = [who for who in EVERYBODY if who.name in ("operator", "elsewhere-operator")]
    for holder in holders:
        told = await world.ask(operation, holder, Said(None, {"limit": 1}))
        cursor = orjson.loads(told.text)["next"]
        for who in (one for one in EVERYBODY if one.role in POLICY[operation].roles):
            said = Said(None, {"limit": 100, "cursor": cursor})
            seen = (await world.ask(operation, who, said)).text
            assert not [mark for mark in marks[who.name] if mark.text in seen], who.name


@pytest.mark.parametrize("name", ["incident", "organisation"])
async def test_a_foreign_condition_is_as_an_absent_one(world: World, name: str):
    foreign = {
        "incident": world.things[Kind.INCIDENT, Place.ELSEWHERE][0].name,
        "organisation": str(ULKEN.water),
    }
    for who in EVERYBODY:
        if who.role is None or who.home is Place.ELSEWHERE:
            continue
        told, nothing = [
            await world.ask("listAppeals", who, Said(None, {name: value}))
            for value in (foreign[name], str(uuid4()))
        ]
        assert (told.outcome, told.text.replace(foreign[name], "")) == (
            nothing.outcome,
            nothing.text,
        )


async def test_figures_count_what_is_theirs_alone(world: World):
    for who in (one for one in EVERYBODY if one.role in POLICY["readStatistics"].roles):
        own = await _walked(world, "listAppeals", who, {"limit": 100})
        figures = orjson.loads((await world.ask("readStatistics", who, Said())).text)
        assert figures["appeals"]["total"] == len(own), who.name


async def test_figures_of_executors_are_of_ones_own_organisations(world: World):
    for who in (one for one in EVERYBODY if one.role is Role.HEAD):
        told = orjson.loads((await world.ask("listExecutorFigures", who, Said())).text)
        own = {
            "head": {KISHI.water},
            "sibling-head": {LEFT.water},
            "parent-head": {KISHI.department, KISHI.water, LEFT.water},
            "elsewhere-head": {ULKEN.water},
        }[who.name]
        assert {item["organisation"]["id"] for item in told["items"]} <= set(map(str, own))
