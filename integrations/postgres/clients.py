"""The programs that the city knows; of their secrets, the hashes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Role
from domain.errors import NotFound
from domain.identity.clients import (
    SECRET_GRACE,
    SECRETS_AT_ONCE,
    AuthMethod,
    Client,
    ClientKind,
    GrantType,
    Secret,
)
from domain.identity.quotas import Limits
from domain.values import new_id
from integrations.postgres.doors import PLATFORM
from integrations.postgres.session import inside

_FIND = """
SELECT c.*, (SELECT coalesce(array_agg(s.hash ORDER BY s.created_at), '{}')
               FROM client_secret s WHERE s.client_id = c.id) AS hashes,
       (SELECT coalesce(array_agg(s.expires_at ORDER BY s.created_at), '{}')
          FROM client_secret s WHERE s.client_id = c.id) AS ends
  FROM client c
"""

_LIMITED = """
SELECT id, rate_limit, daily_quota FROM client
 WHERE (rate_limit IS NOT NULL OR daily_quota IS NOT NULL) AND disabled_at IS NULL
"""

_USED = """
INSERT INTO client_usage AS u (client_id, city_id, day, count)
SELECT c.id, c.city_id, $3, t.count FROM unnest($1::uuid[], $2::bigint[]) AS t(id, count)
  JOIN client c ON c.id = t.id ORDER BY c.id
    ON CONFLICT (client_id, day) DO UPDATE SET count = u.count + excluded.count
RETURNING client_id, count
"""

CLIENT_ADDED = (
    "INSERT INTO client (id, city_id, organisation_id, name, kind, auth_method,"
    " redirect_uris, grant_types, scopes, staff, role, rate_limit, daily_quota, jwks,"
    " created_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)"
)
PROOF_ADDED = (
    "INSERT INTO client_secret (id, city_id, client_id, hash, created_at)"
    " VALUES ($1, $2, $3, $4, $5)"
)


class Clients:
    """Clients by id. Raises Unavailable where the database is down."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, id: UUID) -> Client | None:
        """The client with an id, disabled or not; None for an unknown one."""
        async with inside(self._engine, PLATFORM) as driver:
            return await find_client(driver, id)

    async def of(self, city: UUID) -> Sequence[Client]:
        """All clients of a city, oldest first."""
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(f"{_FIND} WHERE c.city_id = $1 ORDER BY c.id", city)
        return [read_client(row) for row in rows]

    async def add(self, client: Client, at: datetime) -> None:
        """Keep a new client with its secrets."""
        async with inside(self._engine, PLATFORM) as driver:
            await driver.execute(CLIENT_ADDED, *client_values(client), at)
            for secret in client.secrets:
                await _add_secret(driver, client.city, client.id, secret.hash, at)

    async def rotate(self, id: UUID, hash: bytes, at: datetime) -> datetime:
        """Give a client a new secret; when those before it end, SECRET_GRACE at the latest.

        Raises NotFound for a client that has no secret.
        """
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(
                "SELECT s.id, s.city_id FROM client_secret s JOIN client c ON c.id = s.client_id"
                " WHERE c.id = $1 ORDER BY s.created_at DESC FOR UPDATE OF s",
                id,
            )
            if not rows:
                raise NotFound(kind="client", id=str(id))
            ends = at + SECRET_GRACE
            kept = [row["id"] for row in rows[: SECRETS_AT_ONCE - 1]]
            await driver.execute(
                "UPDATE client_secret SET expires_at = CASE WHEN id = ANY($2) THEN"
                " least(expires_at, $3) ELSE least(expires_at, $4) END WHERE client_id = $1",
                id, kept, ends, at,
            )  # fmt: skip
            await _add_secret(driver, rows[0]["city_id"], id, hash, at)
        return ends

    async def disable(self, id: UUID, at: datetime) -> bool:
        """Let a client in no more; whether it was let in until now. Its tokens end with it."""
        async with inside(self._engine, PLATFORM) as driver:
            done = await driver.execute(
                "UPDATE client SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL", id, at
            )
        return str(done).endswith(" 1")

    async def limits(self) -> Mapping[UUID, Limits]:
        """The clients that have limits of their own."""
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(_LIMITED)
        return {row["id"]: Limits(row["rate_limit"], row["daily_quota"]) for row in rows}

    async def used(self, counts: Mapping[UUID, int], day: date) -> Mapping[UUID, int]:
        """Add requests to what clients used on a day; what each used on it in all processes."""
        if not counts:
            return {}
        async with inside(self._engine, PLATFORM) as driver:
            rows = await driver.fetch(_USED, list(counts), list(counts.values()), day)
        return {row["client_id"]: row["count"] for row in rows}


async def find_client(driver: Any, id: UUID) -> Client | None:
    """The client with an id, inside the caller's transaction."""
    row = await driver.fetchrow(f"{_FIND} WHERE c.id = $1", id)
    return None if row is None else read_client(row)


def read_client(row: Any) -> Client:
    """The client of a row."""
    return Client(
        id=row["id"],
        city=row["city_id"],
        name=row["name"],
        kind=ClientKind(row["kind"]),
        auth_method=AuthMethod(row["auth_method"]),
        organisation=row["organisation_id"],
        redirect_uris=tuple(row["redirect_uris"]),
        grant_types=frozenset(map(GrantType, row["grant_types"])),
        scopes=frozenset(row["scopes"]),
        staff=row["staff"],
        role=Role(row["role"]) if row["role"] else None,
        rate_limit=row["rate_limit"],
        daily_quota=row["daily_quota"],
        jwks=_json(row["jwks"]),
        secrets=tuple(map(Secret, row["hashes"], row["ends"])),
        disabled_at=row["disabled_at"],
    )


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def client_values(client: Client) -> tuple[object, ...]:
    """The values of CLIENT_ADDED, but for the last: when."""
    return (
        client.id, client.city, client.organisation, client.name, str(client.kind),
        str(client.auth_method), list(client.redirect_uris), sorted(map(str, client.grant_types)),
        sorted(client.scopes), client.staff, str(client.role) if client.role else None,
        client.rate_limit, client.daily_quota, _written(client.jwks),
    )  # fmt: skip


def _written(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


async def _add_secret(driver: Any, city: UUID, client: UUID, hash: bytes, at: datetime) -> None:
    await driver.execute(PROOF_ADDED, new_id(), city, client, hash, at)
