"""Webhook endpoints of an organisation, and the log of what was sent to them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from api.rest import fields as f
from api.rest.cursors import read_cursor, write_cursor
from api.rest.operation import Call, Operation, Reply
from domain.access import Permission
from domain.ports import UnitOfWork
from domain.webhooks.events import CATALOGUE, Notice
from domain.webhooks.model import Endpoint
from domain.webhooks.use_cases import change_endpoint, create_endpoint, rotate_secret

TEST_TYPE = "endpoint.test"

Url = Annotated[str, Field(min_length=8, max_length=2048, json_schema_extra={"format": "uri"})]
EventType = Annotated[f.Code, Field(json_schema_extra={"enum": sorted(map(str, CATALOGUE))})]
EventTypes = Annotated[tuple[EventType | Notice, ...], Field(max_length=50)]


class EndpointBody(f.Body):
    """Where an organisation wants to hear of its appeals. No event types means all of them."""

    url: Url
    event_types: EventTypes = ()
    description: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""


class EndpointChangeBody(f.Body):
    """What is to change; what is left out stays."""

    url: Url | None = None
    event_types: EventTypes | None = None
    description: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] | None = None
    enabled: bool | None = None


class PageQuery(f.Query):
    """Which part of a list."""

    limit: f.Limit = 50
    cursor: f.Cursor | None = None


class EndpointView(TypedDict):
    """An endpoint, without its secret."""

    id: UUID
    url: str
    event_types: list[str]
    description: str
    enabled: bool
    created_at: datetime


class EndpointWithSecret(EndpointView):
    """An endpoint with the secret that signs its messages; shown this once."""

    secret: str


class EndpointList(TypedDict):
    """The endpoints of the caller's organisation."""

    items: list[EndpointView]


class AttemptView(TypedDict):
    """One try of a delivery."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    latency_ms: int
    body: str


class DeliveryView(TypedDict):
    """One event on its way to one endpoint."""

    id: UUID
    type: str
    state: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    tries: list[AttemptView]


class DeliveryPage(TypedDict):
    """A page of the log, the newest first."""

    items: list[DeliveryView]
    next: str | None


class Queued(TypedDict):
    """The delivery that is on its way now."""

    delivery: UUID


def _view(endpoint: Endpoint) -> EndpointView:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "event_types": sorted(endpoint.event_types),
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "created_at": endpoint.created_at,
    }


def endpoint_with_secret(endpoint: Endpoint) -> dict[str, Any]:
    """An EndpointWithSecret."""
    return {**_view(endpoint), "secret": endpoint.secrets[0]}


async def create(call: Call, uow: UnitOfWork) -> Reply:
    """A new endpoint."""
    body: EndpointBody = call.body
    endpoint = await create_endpoint(
        body.url,
        body.event_types,
        body.description,
        uow=uow,
        at=call.at,
        allow_http=call.house.settings.webhook_allow_http,
    )
    where = f"{call.house.settings.base_url}/v1/webhook-endpoints/{endpoint.id}"
    return Reply(
        endpoint_with_secret(endpoint), 201, {"location": where, "cache-control": "no-store"}
    )


async def list_all(call: Call) -> Reply:
    """All endpoints."""
    async with call.house.units.open(call.principal) as uow:
        return Reply({"items": [_view(endpoint) for endpoint in await uow.endpoints.list()]})


async def read(call: Call) -> Reply:
    """One endpoint."""
    async with call.house.units.open(call.principal) as uow:
        return Reply(_view(await uow.endpoints.get(call.id("endpoint"))))


async def change(call: Call, uow: UnitOfWork) -> Reply:
    """A changed endpoint."""
    body: EndpointChangeBody = call.body
    endpoint = await change_endpoint(
        call.id("endpoint"),
        url=body.url,
        event_types=body.event_types,
        description=body.description,
        enabled=body.enabled,
        uow=uow,
        allow_http=call.house.settings.webhook_allow_http,
    )
    return Reply(_view(endpoint))


async def remove(call: Call, uow: UnitOfWork) -> Reply:
    """An endpoint taken out of use."""
    await uow.endpoints.remove(call.id("endpoint"), at=call.at)
    return Reply(status=204)


async def rotate(call: Call, uow: UnitOfWork) -> Reply:
    """A fresh secret; the old one goes on signing beside it."""
    endpoint = await rotate_secret(call.id("endpoint"), uow=uow)
    return Reply(endpoint_with_secret(endpoint), headers={"cache-control": "no-store"})


async def test(call: Call, uow: UnitOfWork) -> Reply:
    """A message to try the endpoint with."""
    endpoint = await uow.endpoints.get(call.id("endpoint"))
    message = {"type": TEST_TYPE, "timestamp": call.at, "data": {"endpoint": endpoint.id}}
    payload = orjson.dumps(message, default=str, option=orjson.OPT_UTC_Z)
    return Reply(
        {"delivery": await uow.endpoints.send(endpoint, TEST_TYPE, payload, at=call.at)}, 202
    )


async def retry(call: Call, uow: UnitOfWork) -> Reply:
    """A finished delivery on its way again."""
    delivery = call.id("delivery")
    await uow.endpoints.retry(delivery, at=call.at)
    return Reply({"delivery": delivery}, 202)


async def list_deliveries(call: Call) -> Reply:
    """The log of an endpoint."""
    query: PageQuery = call.query
    keyring, endpoint = call.house.keyring, call.id("endpoint")
    async with call.house.units.open(call.principal) as uow:
        await uow.endpoints.get(endpoint)
    after = read_cursor(query.cursor, keyring)
    found = await call.house.queries.deliveries(call.principal, endpoint, after, query.limit + 1)
    items = found[: query.limit]
    last = items[-1] if len(found) > query.limit else None
    return Reply(
        {
            "items": [_delivery(row) for row in items],
            "next": write_cursor(last["created_at"], last["id"], keyring) if last else None,
        }
    )


_SHOWN = ("id", "type", "state", "attempts", "created_at", "next_attempt_at", "finished_at")
_TRY = ("number", "at", "status", "error", "latency_ms", "body")


def _delivery(row: Any) -> dict[str, Any]:
    tries = [{name: one[name] for name in _TRY} for one in row["tries"]]
    return {name: row[name] for name in _SHOWN} | {"tries": tries}


_ALL, _ONE = "/v1/webhook-endpoints", "/v1/webhook-endpoints/{id}"
_MAY = Permission.MANAGE_ENDPOINTS

OPERATIONS = (
    Operation(
        "createEndpoint", "POST", _ALL, "Webhooks", "Register an endpoint",
        writes=create, permission=_MAY, body=EndpointBody, answer=EndpointWithSecret,
        status=201, refusals=(409,),
    ),
    Operation(
        "listEndpoints", "GET", _ALL, "Webhooks", "See your endpoints",
        reads=list_all, permission=_MAY, answer=EndpointList,
    ),
    Operation(
        "readEndpoint", "GET", _ONE, "Webhooks", "See an endpoint",
        reads=read, permission=_MAY, answer=EndpointView, refusals=(404,),
    ),
    Operation(
        "changeEndpoint", "PATCH", _ONE, "Webhooks", "Change an endpoint",
        writes=change, permission=_MAY, body=EndpointChangeBody, answer=EndpointView,
        refusals=(404,),
    ),
    Operation(
        "removeEndpoint", "DELETE", _ONE, "Webhooks",
        "Take an endpoint out of use; its log stays",
        writes=remove, permission=_MAY, answer=None, status=204, refusals=(404,),
    ),
    Operation(
        "rotateSecret", "POST", f"{_ONE}/rotate-secret", "Webhooks",
        "Get a fresh secret; the one before it signs beside it until the next rotation",
        writes=rotate, permission=_MAY, answer=EndpointWithSecret, refusals=(404,),
    ),
    Operation(
        "testEndpoint", "POST", f"{_ONE}/test", "Webhooks", "Send a message to try it with",
        writes=test, permission=_MAY, answer=Queued, status=202, refusals=(404,),
    ),
    Operation(
        "listDeliveries", "GET", f"{_ONE}/deliveries", "Webhooks",
        "Read the log of an endpoint, try by try",
        reads=list_deliveries, permission=_MAY, query=PageQuery, answer=DeliveryPage,
        refusals=(404,),
    ),
    Operation(
        "retryDelivery", "POST", "/v1/deliveries/{id}/retry", "Webhooks",
        "Send a finished delivery again",
        writes=retry, permission=_MAY, answer=Queued, status=202, refusals=(404, 409),
    ),
)  # fmt: skip
