"""How one unit of work speaks with the database."""

from collections.abc import Awaitable, Callable
from typing import Any

from integrations.postgres.doors import CITY, Door
from integrations.postgres.session import begin


class Lane:
    """The driver's own connection with its transaction; borrowed when first needed.

    What is read and locked is so through the principal's own door. What an act writes belongs to
    the city: it gives an appeal to another organisation, tells of it whoever subscribes, and
    counts it. So it is written through the city's door, in the same transaction.
    """

    def __init__(self, borrow: Callable[[], Awaitable[Any]], door: Door) -> None:
        self._borrow = borrow
        self._own = door
        self._wide = door.of(CITY)
        self._door: Door | None = None
        self._borrowed: Any = None
        self._begun = False

    @property
    def begun(self) -> bool:
        """Whether something was locked or written that waits for the commit."""
        return self._begun

    async def begin(self) -> None:
        """Be in the transaction, as the principal."""
        self._begun = True
        await self._enter(self._own)

    async def widen(self) -> None:
        """Be in the transaction, as the principal's city."""
        self._begun = True
        await self._enter(self._wide)

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """All rows of a statement."""
        return list(await (await self._driver()).fetch(statement, *values))

    async def fetchval(self, statement: str, *values: object) -> Any:
        """The first column of the first row."""
        return await (await self._driver()).fetchval(statement, *values)

    async def commit(self) -> None:
        """Commit what was begun."""
        await self._end("COMMIT")

    async def rollback(self) -> None:
        """Undo what was not committed, where there is still somebody to tell."""
        if self._borrowed is not None and not self._borrowed.is_closed():
            await self._end("ROLLBACK")

    async def _end(self, how: str) -> None:
        if self._door is not None:
            self._door, self._begun = None, False
            await self._borrowed.execute(how)

    async def _enter(self, door: Door) -> None:
        if self._door == door:
            return
        if self._borrowed is None:
            self._borrowed = await self._borrow()
        if self._door is None:
            await self._borrowed.execute(begin(door))
        else:
            # Both are told the same, at the beginning.
            await self._borrowed.execute(f"SET LOCAL ROLE {door.role}")
        self._door = door

    async def _driver(self) -> Any:
        if self._door is None:
            await self._enter(self._own)
        return self._borrowed
