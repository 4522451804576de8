"""A path is answered by the same endpoint, however its route is found."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Match, Route

from api.rest.table import OPERATIONS
from api.shapes import ByShape


class Endpoint:
    """Each route has its own, so that one is told from another."""

    def __init__(self, path: str) -> None:
        self.path = path

    async def __call__(self, scope, receive, send):
        """Answers nothing."""


def routes(paths: Iterable[str]) -> list[Route]:
    return [Route(path, Endpoint(path), methods=None) for path in paths]


PATHS = sorted({each.path for each in OPERATIONS}, key=lambda path: ("{" in path, path))
EACH = routes(PATHS)
WHOLE = ByShape(EACH)
STEPS = sorted({step for path in PATHS for step in path.split("/") if "{" not in step})


def one_after_the_other(path: str) -> object:
    return meant(EACH, path)


def meant(found: Iterable[BaseRoute], path: str) -> object:
    """What Starlette would let answer: the path of the endpoint, and the parameters."""
    for route in found:
        match, child = route.matches({"type": "http", "path": path, "method": "GET"})
        if match is Match.FULL:
            return child["endpoint"].path, child["path_params"]
    return None


@pytest.mark.parametrize("path", PATHS)
def test_every_path_of_the_contract_is_found(path):
    said = path.replace("{", "").replace("}", "")
    assert meant([WHOLE], said) == one_after_the_other(said) is not None


step = st.sampled_from(STEPS) | st.text(st.characters(codec="utf-8"), max_size=4)


@given(st.lists(step, max_size=7), st.booleans())
def test_any_path_is_found_as_starlette_finds_it(steps, rooted):
    path = "/" * rooted + "/".join(steps)
    assert meant([WHOLE], path) == one_after_the_other(path)


@given(st.sampled_from(PATHS), st.lists(step, min_size=8, max_size=8))
def test_any_path_of_a_known_shape_is_found_as_starlette_finds_it(path, said):
    ahead = iter(said)
    steps = [next(ahead) if "{" in each else each for each in path.split("/")]
    assert meant([WHOLE], "/".join(steps)) == one_after_the_other("/".join(steps))


def test_no_more_than_a_few_routes_are_tried_for_an_act():
    assert len(WHOLE._meant("/v1/appeals/SEM-2026-00000001/resolve")) <= 2


def test_a_path_that_begins_with_a_parameter_has_no_shape():
    with pytest.raises(ValueError, match=r"/v1/\{collection\}"):
        ByShape(routes(["/v1/{collection}"]))


def test_under_a_root_the_path_is_that_behind_it():
    found = ByShape(routes(["/v1/appeals"]))
    scope = {"type": "http", "path": "/city/v1/appeals", "root_path": "/city", "method": "GET"}
    assert found.matches(scope)[0] is Match.FULL
    assert found.matches({**scope, "type": "websocket"})[0] is Match.NONE
