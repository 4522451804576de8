"""The owner's own look at the database, past every adapter."""

from typing import Any

import asyncpg

from api.bootstrap import House


async def fetch(house: House, statement: str, *values: object) -> list[Any]:
    """The rows of one statement, run by the owner."""
    connection = await asyncpg.connect(house.settings.database_url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()
