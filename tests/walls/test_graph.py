"""The matrix behind the other door: the graph tells everybody what the policy says, and no more.

The door is graph_door.py, the policy of its fields that of the operations behind them; a town of
its own, since an organisation has so many endpoints and no more.
"""

import pytest

from tests.support.city import KISHI, ULKEN
from tests.support.register import signed
from tests.walls.graph_door import GRAPH_POLICY, GraphDoor
from tests.walls.policy import Kind
from tests.walls.test_matrix import Stage, cells_of, told_as_they_should_be
from tests.walls.things import Things
from tests.walls.town import Place, Town

OPERATIONS = GraphDoor().operations


@pytest.fixture(scope="module")
async def stage(town: Town) -> Stage:
    """The town with one sealed appeal in each city."""
    things = Things(town)
    for place in Place:
        await things.standing(Kind.APPEAL, place, "assigned")
    for city in (KISHI, ULKEN):
        await signed(town.house, city)
    return Stage(town, things, (GraphDoor(town.app, town.house),))


def test_every_field_of_the_graph_has_a_policy_and_every_policy_a_field():
    assert set(GRAPH_POLICY) == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_everybody_gets_what_the_policy_says(stage: Stage, operation: str):
    """Whom it refuses leaves no trace in any table, not even that of a reading."""
    await told_as_they_should_be(stage, cells_of(operation, GRAPH_POLICY[operation]))
