"""The engine: SQLAlchemy's pool over asyncpg, under the role that owns nothing."""

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from integrations.postgres.urls import driver_url

APP_ROLE = "ikomek_app"


def open_engine(
    url: str, *, pool_size: int = 10, name: str = "ikomek", role: str = APP_ROLE
) -> AsyncEngine:
    """An engine whose every session runs as `role`, whoever logged in, and cannot stall.

    APP_ROLE sees nothing that belongs to somebody until it goes through a door (doors.py).

    Long and idle transactions are bounded: they would hold back everybody who reads events
    in order (law 2). Planning is cheap and JIT is not, for statements of a millisecond.
    """
    return create_async_engine(
        driver_url(url, "asyncpg"),
        json_deserializer=orjson.loads,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=False,
        # Whoever borrows ends their own transaction (session.py), as a Connection of SQLAlchemy
        # does: to ask once more at each return is for nothing.
        pool_reset_on_return=None,
        connect_args={
            "timeout": 5,
            "server_settings": {
                "role": role,
                "application_name": name,
                "timezone": "UTC",
                "jit": "off",
                "statement_timeout": "15s",
                "lock_timeout": "5s",
                "idle_in_transaction_session_timeout": "30s",
            },
        },
    )
