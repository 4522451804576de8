"""How one unit of work speaks with the database."""

from collections.abc import Awaitable, Callable
from typing import Any


class Lane:
    """The driver's own connection with its transaction; borrowed when first needed."""

    def __init__(self, borrow: Callable[[], Awaitable[Any]]) -> None:
        self._borrow = borrow
        self._borrowed: Any = None
        self._transaction: Any = None

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._transaction is not None

    async def begin(self) -> None:
        """Open the transaction, once."""
        if self._transaction is None:
            transaction = (await self._driver()).transaction()
            await transaction.start()
            self._transaction = transaction

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """All rows of a statement."""
        return list(await (await self._driver()).fetch(statement, *values))

    async def fetchval(self, statement: str, *values: object) -> Any:
        """The first column of the first row."""
        return await (await self._driver()).fetchval(statement, *values)

    async def commit(self) -> None:
        """Commit what was begun."""
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            await transaction.commit()

    async def rollback(self) -> None:
        """Undo what was not committed, where there is still somebody to tell."""
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            if not self._borrowed.is_closed():
                await transaction.rollback()

    async def _driver(self) -> Any:
        if self._borrowed is None:
            self._borrowed = await self._borrow()
        return self._borrowed
