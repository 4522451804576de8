"""Finds the route of a path by its shape instead of trying one after the other."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

Shape = tuple[int, str, str]
"""How many steps, the first two of them, and the last; of a parameter an empty one."""


class ByShape(BaseRoute):
    """Many routes as one: of each path it tries, in their order, those alone that can be meant.

    Starlette tries each of its routes, some forty for an act on an appeal. The endpoints must be
    ASGI applications that answer every method, and their first two steps no parameters.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._shelves: dict[Shape, list[Route]] = {}
        kin: dict[tuple[int, str], list[Route]] = defaultdict(list)
        for route in routes:
            count, start, _ = _shape(route.path)
            if "{" in start:
                raise ValueError(route.path)
            kin[count, start].append(route)
        for (count, start), found in kin.items():
            for last in {_last(route) for route in found}:
                self._shelves[count, start, last] = [
                    route for route in found if _last(route) in (last, "")
                ]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette asks every route."""
        if scope["type"] != "http":
            return Match.NONE, {}
        for route in self._meant(scope["path"].removeprefix(scope.get("root_path", ""))):
            match, child = route.matches(scope)
            if match is not Match.NONE:
                return match, child
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the endpoint of the route that matched answer."""
        await scope["endpoint"](scope, receive, send)

    def _meant(self, path: str) -> Sequence[Route]:
        count, start, last = _shape(path)
        found = self._shelves.get((count, start, last))
        return found if found is not None else self._shelves.get((count, start, ""), ())


def _shape(path: str) -> Shape:
    steps = path.split("/")
    return len(steps), "/".join(steps[:3]), steps[-1]


def _last(route: Route) -> str:
    """The last step, where it is a word."""
    last = route.path.rpartition("/")[2]
    return "" if "{" in last else last
