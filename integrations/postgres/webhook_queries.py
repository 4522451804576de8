"""What an organisation reads of its endpoints: the log of deliveries, their health, notices."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Principal
from domain.errors import NotFound
from domain.questions import Page
from domain.webhooks.health import Health
from domain.webhooks.replay import LogFilter
from integrations.postgres.doors import door_of
from integrations.postgres.endpoint_health import read_health
from integrations.postgres.scope import Parameters
from integrations.postgres.session import inside

Row = Mapping[str, Any]

TRIES = 20
"""The last tries of a delivery, as many as the log shows."""

_NEWEST = "ORDER BY d.created_at DESC, d.id DESC"
_TRIED = f"""
SELECT d.*, coalesce(d.message_id, d.event_id, d.id) AS webhook_id, tried.tries
  FROM (SELECT d.* FROM delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
         WHERE w.organisation_id = $1 AND w.city_id = $2 AND {{chosen}}) d,
       LATERAL (SELECT coalesce(json_agg(t ORDER BY t.number), '[]') AS tries
                  FROM (SELECT a.* FROM delivery_attempt a WHERE a.delivery_id = d.id
                         ORDER BY a.number DESC LIMIT {TRIES}) t) tried
 {_NEWEST}
"""
"""Tries are read of what is on the page alone."""

_OWN = (
    "SELECT FROM webhook_endpoint w WHERE w.organisation_id = $1 AND w.city_id = $2 AND w.id = $3"
)
"""Removed or not. Nobody waits for whoever changes it, or writes down what failed."""


class WebhookQueries:
    """Reads, scoped by the principal's organisation. Raises Unavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def deliveries(
        self,
        principal: Principal,
        endpoint: UUID,
        wanted: LogFilter,
        after: Page | None,
        limit: int,
    ) -> list[Row]:
        """The log of one endpoint, newest first, each delivery with its last TRIES tries; of a
        removed endpoint too. Raises NotFound.
        """
        parameters = Parameters(principal.organisation, principal.city, endpoint)
        conditions = ["d.endpoint_id = $3", *_narrowed(wanted, parameters)]
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            conditions.append(f"(d.created_at, d.id) < {place}")
        page = f"{' AND '.join(conditions)} {_NEWEST} LIMIT {parameters.add(limit)}"
        found = await self._fetch(_TRIED.format(chosen=page), principal, parameters.values)
        own = (principal.organisation, principal.city, endpoint)
        if not found and not await self._fetch(_OWN, principal, own):
            raise NotFound(kind="endpoint", id=str(endpoint))
        return found

    async def delivery(self, principal: Principal, id: UUID) -> Row:
        """One delivery with its last TRIES tries. Raises NotFound."""
        own = (principal.organisation, principal.city, id)
        found = await self._fetch(_TRIED.format(chosen="d.id = $3"), principal, own)
        if not found:
            raise NotFound(kind="delivery", id=str(id))
        row: Row = found[0]
        return row

    async def health(self, principal: Principal, endpoint: UUID) -> tuple[Health, int]:
        """How an endpoint fares, and how many deliveries wait for it. Raises NotFound."""
        found = await self._fetch(
            "SELECT w.id, h.*, (SELECT count(*) FROM delivery d WHERE d.endpoint_id = w.id"
            " AND d.state = 'pending') AS waiting"
            " FROM webhook_endpoint w LEFT JOIN endpoint_health h ON h.endpoint_id = w.id"
            " WHERE w.organisation_id = $1 AND w.city_id = $2 AND w.id = $3"
            " AND w.removed_at IS NULL",
            principal,
            (principal.organisation, principal.city, endpoint),
        )
        if not found:
            raise NotFound(kind="endpoint", id=str(endpoint))
        tried = found[0]["endpoint_id"] is not None
        return (read_health(found[0]) if tried else Health()), found[0]["waiting"]

    async def notices(self, principal: Principal, after: Page | None, limit: int) -> list[Row]:
        """What the people of the organisation were told, newest first."""
        parameters = Parameters(principal.organisation, principal.city)
        onward = ""
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            onward = f"AND (n.at, n.id) < {place}"
        return await self._fetch(
            "SELECT n.*, w.description FROM notice n JOIN webhook_endpoint w"
            " ON w.id = n.endpoint_id WHERE n.organisation_id = $1 AND n.city_id = $2"
            f" {onward} ORDER BY n.at DESC, n.id DESC LIMIT {parameters.add(limit)}",
            principal,
            parameters.values,
        )

    async def _fetch(
        self, statement: str, principal: Principal, values: Sequence[object]
    ) -> list[Any]:
        async with inside(self._engine, door_of(principal)) as driver:
            return list(await driver.fetch(statement, *values))


def _narrowed(wanted: LogFilter, parameters: Parameters) -> list[str]:
    found = []
    if wanted.states:
        found.append(f"d.state = ANY({parameters.add(list(wanted.states))})")
    if wanted.event_types:
        found.append(f"d.type = ANY({parameters.add(list(wanted.event_types))})")
    if wanted.appeal is not None:
        number = parameters.add(wanted.appeal)
        found.append(
            "d.event_id IN (SELECT e.id FROM event e JOIN appeal a ON a.id = e.appeal_id"
            f" WHERE a.city_id = $2 AND a.number = {number})"
        )
    if wanted.message is not None:
        # Each way by its own index: one condition on what was sent would read the whole log.
        message = parameters.add(wanted.message)
        found.append(f"coalesce(d.message_id, d.event_id, d.id) = {message}")
        found.append(
            f"d.id IN (SELECT {message}::uuid UNION ALL SELECT m.id FROM delivery m"
            f" WHERE m.endpoint_id = $3 AND m.event_id = {message} UNION ALL SELECT m.id"
            f" FROM delivery m WHERE m.endpoint_id = $3 AND m.message_id = {message})"
        )
    if wanted.status is not None:
        status = parameters.add(wanted.status)
        found.append(
            "EXISTS (SELECT FROM delivery_attempt t"
            f" WHERE t.delivery_id = d.id AND t.status = {status})"
        )
    if wanted.since is not None:
        found.append(f"d.created_at >= {parameters.add(wanted.since)}")
    if wanted.until is not None:
        found.append(f"d.created_at < {parameters.add(wanted.until)}")
    return found
