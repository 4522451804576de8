"""Webhook endpoints of the principal's organisation; secrets sealed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.access import Principal
from domain.errors import Conflict, NotFound
from domain.ports import Keyring
from domain.values import new_id
from domain.webhooks.model import Endpoint
from integrations.postgres.lane import Lane

_OWN = "city_id = $1 AND organisation_id = $2 AND removed_at IS NULL"


class SqlEndpoints:
    """See domain.ports.Endpoints."""

    def __init__(self, lane: Lane, principal: Principal, keyring: Keyring) -> None:
        self._lane = lane
        self._principal = principal
        self._keyring = keyring

    async def list(self) -> Sequence[Endpoint]:
        """All of them, oldest first."""
        found = await self._lane.fetch(
            f"SELECT * FROM webhook_endpoint WHERE {_OWN} ORDER BY created_at, id", *self._scope
        )
        return [read_endpoint(row, self._keyring) for row in found]

    async def get(self, id: UUID) -> Endpoint:
        """One of them, locked until the unit ends."""
        await self._lane.begin()
        found = await self._lane.fetch(
            f"SELECT * FROM webhook_endpoint WHERE {_OWN} AND id = $3 FOR UPDATE", *self._scope, id
        )
        if not found:
            raise NotFound(kind="endpoint", id=str(id))
        return read_endpoint(found[0], self._keyring)

    async def add(self, endpoint: Endpoint) -> None:
        """Keep a new one; that of another organisation, which is taken in, as its city does."""
        own = endpoint.organisation_id == self._principal.organisation
        await (self._lane.begin() if own else self._lane.widen())
        await self._lane.fetch(
            "INSERT INTO webhook_endpoint (city_id, organisation_id, id, url, event_types,"
            " description, enabled, secrets, created_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            endpoint.city_id, endpoint.organisation_id, *self._values(endpoint),
            endpoint.created_at,
        )  # fmt: skip

    async def save(self, endpoint: Endpoint) -> None:
        """Keep a changed one."""
        await self._lane.begin()
        await self._lane.fetch(
            "UPDATE webhook_endpoint SET url = $4, event_types = $5, description = $6,"
            f" enabled = $7, secrets = $8 WHERE {_OWN} AND id = $3",
            *self._scope, *self._values(endpoint),
        )  # fmt: skip

    async def remove(self, id: UUID, *, at: datetime) -> None:
        """Take it out of use; what was on its way ends by name, and stays in the log."""
        await self.get(id)
        await self._lane.fetch(
            f"UPDATE webhook_endpoint SET removed_at = $4, enabled = false WHERE {_OWN}"
            " AND id = $3",
            *self._scope, id, at,
        )  # fmt: skip
        await self._lane.fetch(
            "UPDATE delivery SET state = 'cancelled', finished_at = $2, next_attempt_at = NULL"
            " WHERE endpoint_id = $1 AND state = 'pending'",
            id, at,
        )  # fmt: skip

    async def send(self, endpoint: Endpoint, type: str, payload: bytes, *, at: datetime) -> UUID:
        """Put a message on its way to one endpoint alone."""
        await self._lane.begin()
        id = new_id()
        await self._lane.fetch(
            "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
            " next_attempt_at) VALUES ($1, $2, $3, $4, $5, 'pending', $6, $6)",
            id, self._principal.city, endpoint.id, type, payload, at,
        )  # fmt: skip
        return id

    async def retry(self, delivery: UUID, *, at: datetime) -> None:
        """Put a finished delivery on its way again, with all its tries before it."""
        await self._lane.begin()
        found = await self._lane.fetch(
            "SELECT d.state, w.enabled FROM delivery d JOIN webhook_endpoint w"
            " ON w.id = d.endpoint_id WHERE w.city_id = $1 AND w.organisation_id = $2"
            " AND w.removed_at IS NULL AND d.id = $3 FOR UPDATE OF d",
            *self._scope, delivery,
        )  # fmt: skip
        if not found:
            raise NotFound(kind="delivery", id=str(delivery))
        if found[0]["state"] == "pending":
            raise Conflict(reason="delivery-not-finished")
        if not found[0]["enabled"]:
            raise Conflict(reason="endpoint-disabled")
        await self._lane.fetch(
            "UPDATE delivery SET state = 'pending', next_attempt_at = $2, finished_at = NULL,"
            " leased_until = NULL WHERE id = $1",
            delivery, at,
        )  # fmt: skip

    @property
    def _scope(self) -> tuple[UUID, UUID | None]:
        return self._principal.city, self._principal.organisation

    def _values(self, endpoint: Endpoint) -> tuple[object, ...]:
        return (
            endpoint.id,
            endpoint.url,
            sorted(endpoint.event_types),
            endpoint.description,
            endpoint.enabled,
            self._keyring.seal(orjson.dumps(endpoint.secrets)),
        )


def read_endpoint(row: Any, keyring: Keyring) -> Endpoint:
    """The endpoint of a row."""
    return Endpoint(
        id=row["id"],
        city_id=row["city_id"],
        organisation_id=row["organisation_id"],
        url=row["url"],
        event_types=frozenset(row["event_types"]),
        description=row["description"],
        enabled=row["enabled"],
        secrets=tuple(orjson.loads(keyring.open(bytes(row["secrets"])))),
        created_at=row["created_at"],
    )
