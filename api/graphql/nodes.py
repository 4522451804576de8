"""Nodes and pages (Relay): what every thing of the graph has, and how lists of them go on."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import strawberry

from api.graphql.fast import plain, quick
from api.graphql.ids import global_id

T = TypeVar("T")

MOST = 100
"""Entries of a page, as in the REST API."""


@strawberry.interface(description="A thing that can be found again by its id (Relay).")
class Node:
    """Made by `make`, which sets what was read and nothing else."""

    id: strawberry.ID = plain("The global id: opaque, the same for as long as the thing exists.")


N = TypeVar("N", bound=Node)


def make(kind: type[N], key: object, /, **values: Any) -> N:
    """A node of a kind with the attributes that were read.

    What was not read is no attribute, so that a field that forgot to say what it needs fails
    loudly instead of telling null.
    """
    node = object.__new__(kind)
    node.__dict__ = {"id": global_id(kind.__name__, str(key)), **values}
    return node


@strawberry.type(description="Where a page stands in its list (Relay).")
class PageInfo:
    """Lists go forward alone."""

    has_next_page: bool = plain("Whether there are entries after this page.")
    has_previous_page: bool = plain(
        "Whether the page was asked for by `after`, so that entries stand before it."
    )
    start_cursor: str | None = plain("The cursor of the first entry; null on an empty page.")
    end_cursor: str | None = plain("The cursor of the last entry: the next page's `after`.")


@strawberry.type
class Edge(Generic[T]):
    """An entry of a list, and its place there."""

    _cursor: strawberry.Private[Callable[[], str]]
    node: T | None = plain("The thing itself.")

    @quick("The place in the list: the `after` of what follows. Opaque and sealed.")
    def cursor(self) -> str:
        """Sealed only where somebody asks."""
        return self._cursor()


@strawberry.type
class Connection(Generic[T]):
    """A page of a list (Relay)."""

    _nodes: strawberry.Private[list[Any]]
    _cursors: strawberry.Private[Sequence[Callable[[], str]]]
    _more: strawberry.Private[bool]
    _began: strawberry.Private[bool]
    _last: strawberry.Private[Callable[[], str] | None] = None

    @quick("The entries with their places.")
    def edges(self) -> list[Edge[T] | None]:
        """One for each node."""
        pairs = zip(self._nodes, self._cursors, strict=True)
        return [Edge(_cursor=cursor, node=node) for node, cursor in pairs]

    @quick("The entries without their places.")
    def nodes(self) -> list[T | None]:
        """What the page holds."""
        return self._nodes

    @quick("Where the page stands.")
    def page_info(self) -> PageInfo:
        """Sealed ends."""
        ends = self._cursors
        last = self._last or (ends[-1] if ends else None)
        return PageInfo(
            has_next_page=self._more,
            has_previous_page=self._began,
            start_cursor=ends[0]() if ends else None,
            end_cursor=last() if last else None,
        )


def page(
    nodes: list[Any],
    cursors: Sequence[Callable[[], str]],
    *,
    first: int,
    began: bool,
    last: Callable[[], str] | None = None,
) -> Connection[Any]:
    """The first `first` of what was found; one more than that tells that it goes on, or `last`,
    the place after which it does where not all that was found is shown.
    """
    return Connection(
        _nodes=nodes[:first],
        _cursors=cursors[:first],
        _more=last is not None or len(nodes) > first,
        _began=began,
        _last=last,
    )
