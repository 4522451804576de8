"""One answer for all who ask for the same while it is being made."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Sharing(Generic[K, T]):
    """What is being made, by what was asked for. Nothing is kept once it was made."""

    __slots__ = ("_making",)

    def __init__(self) -> None:
        self._making: dict[K, asyncio.Future[T]] = {}

    async def of(self, what: K, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` makes, or is making for whoever asked before. Raises what it raises.

        Who gives up takes nobody's answer away: it is made to its end.
        """
        making = self._making.get(what)
        if making is None:
            making = self._making[what] = asyncio.ensure_future(make())
            making.add_done_callback(partial(self._made, what))
        return await asyncio.shield(making)

    def _made(self, what: K, making: asyncio.Future[T]) -> None:
        del self._making[what]
        if not making.cancelled():
            # Should nobody be left to hear why not.
            making.exception()
