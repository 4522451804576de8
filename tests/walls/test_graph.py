"""The matrix behind the other door: the graph tells everybody what the policy says, and no more.

The door is graph_door.py, the policy of its fields that of the operations behind them; a town of
its own, since an organisation has so many endpoints and no more.
"""

import pytest

from api.graphql.ids import global_id
from tests.support.city import KISHI, ULKEN
from tests.support.register import signed
from tests.support.rest import client_of
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


_TREE = """query ($shelves: [ID!]!, $service: ID!) {
    public(city: "kishi") { spheres { categories { services { code } } }
                            service(code: "general.silent-call") { code } }
    shelves: nodes(ids: $shelves) {
        ... on Category { services { code } }
        ... on Sphere { categories { services { code category { services { code } } } } } }
    node(id: $service) { ... on Service { code } } }"""


@pytest.mark.parametrize(
    ("who", "knows"),
    [("operator", True), ("inspector", True), ("citizen", False), ("elsewhere-operator", False),
     ("elsewhere-inspector", False), ("elsewhere-citizen", False)],
)  # fmt: skip
async def test_what_residents_may_not_choose_is_known_to_its_own_city_alone(
    stage: Stage, who: str, knows: bool
):
    """By whichever way the tree of another city is entered."""
    of_kishi = {
        "shelves": [global_id("Category", "kishi/general.109"),
                    global_id("Sphere", "kishi/general")],
        "service": global_id("Service", "kishi/general.silent-call"),
    }  # fmt: skip
    token = {"authorization": f"Bearer {stage.town.tokens[who]}"}
    async with client_of(stage.town.app, token) as client:
        said = {"query": _TREE, "variables": of_kishi}
        data = (await client.post("/graphql", json=said)).json()["data"]
    known = {"code": "general.silent-call"} if knows else None
    assert data["public"]["service"] == data["node"] == known
    for part in (data["public"]["spheres"], *data["shelves"]):
        assert ("general.silent-call" in str(part)) is knows
        assert "'code': 'general." in str(part)
