"""How one unit of work speaks with the database."""

from typing import Any


class Lane:
    """The driver's own connection with its transaction."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._transaction: Any = None

    async def begin(self) -> None:
        """Open the transaction, once."""
        if self._transaction is None:
            transaction = self._driver.transaction()
            await transaction.start()
            self._transaction = transaction

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """All rows of a statement."""
        return list(await self._driver.fetch(statement, *values))

    async def fetchval(self, statement: str, *values: object) -> Any:
        """The first column of the first row."""
        return await self._driver.fetchval(statement, *values)

    async def commit(self) -> None:
        """Commit what was begun."""
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            await transaction.commit()

    async def rollback(self) -> None:
        """Undo what was not committed."""
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            await transaction.rollback()
