"""Subscribers who asked alike and may see the same are one audience: an entry is made for all of
them at once, and is the same bytes for each.

What an entry says of the event itself is everybody's who may hear of it. What it reads beside it
(the appeal, its history) is read as the audience: with the rights of its members and without any
member's own name, so that nothing of one can reach another (docs/decisions/0034-audiences.md).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakValueDictionary

from api.graphql.answers import encode
from api.graphql.calls import Caller, Prepared
from domain.access import NOBODY, Principal, Role

SHARED = 1.0
"""Seconds for which an entry that was read serves those who come for it later: after that, what
they may see of the appeal may be something else."""
READING = 4
"""Entries that are read at once, of all audiences: the others wait in line, and leave connections
to those who register and act."""

Make = Callable[[], Awaitable[bytes]]


@dataclass(eq=False, slots=True, weakref_slot=True)
class Audience:
    """Who hears the same. `caller` is whoever was first, as far as the others are like them."""

    prepared: Prepared
    caller: Caller
    thin: bool
    """Whether nothing beside the event is asked for."""


class Audiences:
    """The audiences of a process, each for as long as somebody is in it."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[Any, Audience] = WeakValueDictionary()
        self._reading = asyncio.Semaphore(READING)

    def find(self, prepared: Prepared, caller: Caller, principal: Principal | None) -> Audience:
        """The audience of a subscriber who is now this principal."""
        document, variables = prepared.document, prepared.variables
        below = document.asked_below(prepared.operation)
        asked = {name: value for name, value in variables.items() if name in below}
        # Each object costs one, and the entry is one.
        thin = prepared.weight.cost <= 1
        seen = None if principal is None else view(principal)
        key = (document.hash, prepared.name, caller.voice.language,
               encode(asked), None if thin else seen)  # fmt: skip
        found = self._known.get(key)
        if found is None:
            found = Audience(prepared, replace(caller, principal=seen), thin)
            self._known[key] = found
        return found

    async def tell(self, audience: Audience, value: Any, make: Make) -> bytes:
        """The entry that `make` makes of a happening, or has made for others of the audience."""
        rendered: dict[Any, Any] | None = getattr(value, "rendered", None)
        if rendered is None:
            return await make()
        known = rendered.get(audience)
        if type(known) is bytes:
            return known
        if audience.thin:
            said = rendered[audience] = await make()
            return said
        if known is None or known.old:
            known = rendered[audience] = _Read(make, self._reading)
        return await known.wait()


class _Read:
    """An entry that is being read, or was read just now."""

    __slots__ = ("_begun", "_loop", "_reading")

    def __init__(self, make: Make, turns: asyncio.Semaphore) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun: float | None = None
        self._reading = self._loop.create_task(self._read(make, turns))
        self._reading.add_done_callback(_heard)

    @property
    def old(self) -> bool:
        """Whether it was read too long ago to serve who comes now."""
        return self._begun is not None and self._begun + SHARED < self._loop.time()

    async def wait(self) -> bytes:
        """The entry. Who gives up takes nobody's answer away."""
        if self._reading.done():
            return self._reading.result()
        return await asyncio.shield(self._reading)

    async def _read(self, make: Make, turns: asyncio.Semaphore) -> bytes:
        async with turns:
            self._begun = self._loop.time()
            return await make()


def _heard(reading: asyncio.Task[bytes]) -> None:
    # Should nobody be left to hear why not.
    if not reading.cancelled():
        reading.exception()


def view(principal: Principal) -> Principal:
    """What decides what somebody may see, without who they are. Of residents this is all that
    they are: each is shown what is their own.
    """
    if principal.role is Role.CITIZEN:
        return principal
    return replace(principal, id=NOBODY, name="", client=None)
