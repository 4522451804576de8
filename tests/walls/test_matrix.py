"""Every operation of every contract × everybody of two cities × own, foreign and absent things.

The answers are compared with the policy (policy.py), and those about foreign things with those
about absent ones, to the byte: status, headers and text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from domain.access import Role
from tests.support.register import signed
from tests.walls.doors import DONE, Door, RestDoor, Said, Told
from tests.walls.policy import POLICY, SEEN_BY, Kind, Row, row_of, verdict
from tests.walls.things import Thing, Things
from tests.walls.town import EVERYBODY, KISHI, ULKEN, Place, Town, Who

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
    row = row_of(operation)
    wrong: list[str] = []
    for who in EVERYBODY:
        for kind in row.kinds:
            wrong += await _tried(stage, Cell(operation, row, who, kind))
        if not row.kinds:
            wrong += await _tried_without_a_thing(stage, Cell(operation, row, who, None))
    assert not wrong, "\n".join(wrong)


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

    def compared(self, about: str, told: Told, expected: str) -> list[str]:
        """What is wrong with an answer."""
        cell = f"{self.operation}, {self.who.name}, {about}"
        if told.outcome != expected:
            return [f"{cell}: {told.outcome} instead of {expected}: {told.text[:300]}"]
        leaked = {name for name, _ in told.headers} & TELLING
        return [f"{cell}: the refusal tells {leaked}"] if leaked and expected != DONE else []


TELLING = {"etag", "location", "link", "last-modified", "content-disposition"}
"""Headers that tell of a thing, and so have no place in a refusal."""


async def _tried_without_a_thing(stage: Stage, cell: Cell) -> list[str]:
    expected = cell.verdict(None)
    said = await stage.things.said(cell.row, cell.who, Thing(""), idle=expected != DONE)
    told = await stage.ask(cell.operation, cell.who, said)
    return cell.compared("nothing", told, expected)


async def _tried(stage: Stage, cell: Cell) -> list[str]:
    wrong: list[str] = []
    assert cell.kind is not None
    changes, done = stage.door(cell.operation).changes(cell.operation), False
    for place in SEEN_BY[cell.kind]:
        expected = cell.verdict(place)
        if expected == DONE and changes and done:
            # Once is enough, for each time costs a thing that nothing was done to.
            continue
        make = stage.things.fresh if expected == DONE and changes else stage.things.standing
        thing = await make(cell.kind, place, cell.row.status)
        said = await stage.things.said(cell.row, cell.who, thing, idle=expected != DONE)
        absent = replace(said, name=stage.things.absent(cell.kind, place).name)
        nothing = await stage.ask(cell.operation, cell.who, absent)
        told = await stage.ask(cell.operation, cell.who, said)
        wrong += cell.compared(f"{place} {cell.kind}", told, expected)
        wrong += cell.compared(f"absent {cell.kind}", nothing, cell.verdict(None))
        if expected != DONE and told != nothing:
            wrong.append(f"{cell}: {place} is told apart from absent\n{told}\n{nothing}")
        done = done or expected == DONE
    return wrong
