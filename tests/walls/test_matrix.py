"""Every operation of every contract × everybody of two cities × own, foreign and absent things.

The answers are compared with the policy (policy.py), and those about foreign things with those
about absent ones, to the byte: status, headers and text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from domain.access import Role
from integrations.postgres.tables import metadata
from tests.support.city import KISHI, ULKEN
from tests.support.register import signed
from tests.support.sql import fetch
from tests.walls.doors import DONE, Door, RestDoor, Said, Told
from tests.walls.policy import ABSENT, POLICY, SEEN_BY, Kind, Row, row_of, verdict
from tests.walls.things import Thing, Things
from tests.walls.town import EVERYBODY, Place, Town, Who

CONTRACTS: Sequence[Door] = (RestDoor(),)
OPERATIONS = [operation for door in CONTRACTS for operation in door.operations]


@dataclass(frozen=True)
class Stage:
    """The town with its doors open and its things in place."""

    town: Town
    things: Things
    doors: Sequence[Door]

    def door(self, operation: str) -> Door:
        return next(door for door in self.doors if operation in door.operations)

    async def standing(self, cell: "Cell", place: Place) -> Thing:
        """The thing of a place that all look at."""
        assert cell.kind is not None
        return await self.things.standing(cell.kind, place, cell.row.status)

    async def fresh(self, cell: "Cell", place: Place) -> Thing:
        """A thing of a place that one may do something with."""
        assert cell.kind is not None
        return await self.things.fresh(cell.kind, place, cell.row.status)

    async def ask(self, operation: str, who: Who, said: Said) -> Told:
        """The answer to somebody."""
        token = self.town.tokens.get(who.name)
        return await self.door(operation).ask(operation, token, said)


@pytest.fixture(scope="module")
async def stage(town: Town) -> Stage:
    """The town with one sealed appeal in each city."""
    things = Things(town)
    for place in Place:
        await things.standing(Kind.APPEAL, place, "assigned")
    for city in (KISHI, ULKEN):
        await signed(town.house, city)
    return Stage(town, things, (RestDoor(town.app),))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_a_policy(operation: str):
    row_of(operation)


def test_no_policy_is_of_an_operation_that_is_gone():
    assert set(POLICY) <= set(OPERATIONS)


def test_the_policy_leaves_no_role_and_no_kind_of_thing_untried():
    asking = {who.role for who in EVERYBODY}
    assert asking == {None, *Role} - {Role.SYSTEM}
    assert {kind for row in POLICY.values() for kind in row.kinds} == set(SEEN_BY) == set(Kind)
    for places in SEEN_BY.values():
        assert set().union(*places.values()) <= {who.name for who in EVERYBODY}
        for place, names in places.items():
            others = set().union(*(places[other] for other in places if other is not place))
            assert names, place
            assert others - names, "somebody has such a thing, for whom this one is foreign"


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_everybody_gets_what_the_policy_says(stage: Stage, operation: str):
    """Whom it refuses leaves no trace in any table, not even that of a reading."""
    await told_as_they_should_be(stage, _cells(operation))


async def told_as_they_should_be(stage: Stage, cells: Sequence["Cell"]) -> None:
    """Try everybody; AssertionError with what is wrong."""
    refused = [cell for cell in cells if not cell.may_succeed()]
    await _made_ready(stage, refused)
    before = await _written(stage)
    wrong = [line for cell in refused for line in await _tried(stage, cell)]
    assert await _written(stage) == before
    for cell in cells:
        if cell not in refused:
            wrong += await _tried(stage, cell)
    assert not wrong, "\n".join(wrong)


def _cells(operation: str) -> list["Cell"]:
    return cells_of(operation, row_of(operation))


def cells_of(operation: str, row: Row) -> list["Cell"]:
    """The squares of an operation that has such a policy."""
    return [Cell(operation, row, who, kind) for who in EVERYBODY for kind in row.kinds or (None,)]


async def _made_ready(stage: Stage, cells: Sequence["Cell"]) -> None:
    """Make what is only to be looked at, so that whatever is written afterwards is a trace."""
    for cell in cells:
        for place in cell.places():
            thing = await stage.standing(cell, place)
            await stage.things.said(cell.row, cell.who, thing, idle=True)
        await stage.things.said(cell.row, cell.who, Thing(""), idle=True)


async def _written(stage: Stage) -> dict[str, int]:
    """How many rows every table has."""
    counts = (f"SELECT '{t}' AS name, count(*) AS n FROM {t}" for t in metadata.tables)
    rows = await fetch(stage.town.house, " UNION ALL ".join(counts))
    return {row["name"]: row["n"] for row in rows}


@dataclass(frozen=True)
class Cell:
    """One square of the matrix: an operation, somebody, and a kind of thing."""

    operation: str
    row: Row
    who: Who
    kind: Kind | None

    def verdict(self, place: Place | None) -> str:
        """What the policy says about a thing of a place, or of none."""
        return verdict(self.row, self.who, self.kind, place)

    def places(self) -> Sequence[Place]:
        """Where things of the kind are."""
        return tuple(SEEN_BY[self.kind]) if self.kind is not None else ()

    def may_succeed(self) -> bool:
        """Whether the policy lets it be done with any thing at all."""
        return DONE in {self.verdict(place) for place in (*self.places(), None)}

    def compared(self, about: str, told: Told, expected: str) -> list[str]:
        """What is wrong with an answer."""
        cell = f"{self.operation}, {self.who.name}, {about}"
        if told.outcome != expected:
            return [f"{cell}: {told.outcome} instead of {expected}: {told.text[:300]}"]
        leaked = {name for name, _ in told.headers} & TELLING
        return [f"{cell}: the refusal tells {leaked}"] if leaked and expected != DONE else []


TELLING = {"etag", "location", "link", "last-modified", "content-disposition"}
"""Headers that tell of a thing, and so have no place in a refusal."""


async def _tried(stage: Stage, cell: Cell) -> list[str]:
    """What somebody is told against the policy."""
    if cell.kind is None:
        return await _tried_without_a_thing(stage, cell)
    wrong: list[str] = []
    changes, done = stage.door(cell.operation).changes(cell.operation), False
    for place in cell.places():
        expected = cell.verdict(place)
        if expected == DONE and changes and done:
            # Once is enough, for each time costs a thing that nothing was done to.
            continue
        using = expected == DONE and changes
        thing = await (stage.fresh if using else stage.standing)(cell, place)
        said = await stage.things.said(cell.row, cell.who, thing, idle=expected != DONE)
        absent = replace(said, name=stage.things.absent(cell.kind, place).name)
        nothing = await stage.ask(cell.operation, cell.who, absent)
        told = await stage.ask(cell.operation, cell.who, said)
        wrong += cell.compared(f"{place} {cell.kind}", told, expected)
        wrong += cell.compared(f"absent {cell.kind}", nothing, cell.verdict(None))
        if expected != DONE and told != nothing:
            wrong.append(f"{cell.operation}, {cell.who.name}: {place} is told apart from absent")
        done = done or expected == DONE
    return wrong


async def _tried_without_a_thing(stage: Stage, cell: Cell) -> list[str]:
    expected = cell.verdict(None)
    said = await stage.things.said(cell.row, cell.who, Thing(""), idle=expected != DONE)
    told = await stage.ask(cell.operation, cell.who, said)
    return cell.compared("nothing", told, expected)


class LeakyDoor(RestDoor):
    """A door that lets whoever is told that something does not exist ask again as an inspector,
    and one that only forgets to take the ETag off."""

    def __init__(self, town: Town, *, whole: bool) -> None:
        super().__init__(town.app)
        self._inspectors = (town.tokens["inspector"], town.tokens["elsewhere-inspector"])
        self._whole = whole

    async def ask(self, operation: str, token: str | None, said: Said) -> Told:
        told = await super().ask(operation, token, said)
        for other in self._inspectors if told.outcome == ABSENT else ():
            again = await super().ask(operation, other, said)
            if again.outcome == DONE:
                etag = tuple(pair for pair in again.headers if pair[0] == "etag")
                return again if self._whole else replace(told, headers=told.headers + etag)
        return told


@pytest.mark.parametrize("whole", [True, False], ids=["all of it", "its ETag"])
async def test_a_door_that_leaks_is_found(stage: Stage, whole: bool):
    leaky = replace(stage, doors=(LeakyDoor(stage.town, whole=whole),))
    for cell in _cells("readAppeal"):
        wrong = await _tried(leaky, cell)
        strangers = {place for place in Place if cell.verdict(place) == ABSENT}
        assert bool(wrong) == bool(strangers), cell.who.name
