"""Webhook endpoints of an organisation: what they hear and how, their secrets, their health."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from api import clock
from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply
from domain.access import Permission
from domain.ports import UnitOfWork
from domain.webhooks.catalogue import CATALOGUE
from domain.webhooks.events import NOTICES, Notice, message
from domain.webhooks.headers import masked
from domain.webhooks.keys import jwk
from domain.webhooks.messages import TEST_TYPE, VERSIONS, TestData
from domain.webhooks.model import Endpoint
from domain.webhooks.secrets import KEPT, LONGEST_KEPT
from domain.webhooks.use_cases import Wish, change_endpoint, create_endpoint, rotate_secret

Url = Annotated[str, Field(min_length=8, max_length=2048, json_schema_extra={"format": "uri"})]
EventType = Annotated[f.Code, Field(json_schema_extra={"enum": sorted(map(str, CATALOGUE))})]
EventTypes = Annotated[
    tuple[EventType | Notice, ...], Field(max_length=len(CATALOGUE) + len(NOTICES))
]


Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Codes = Annotated[tuple[f.Code, ...], Field(max_length=100)]
Headers = Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=10)]
PayloadVersion = Annotated[int, Field(ge=1, le=VERSIONS[-1]), BeforeValidator(f.whole)]
Concurrency = Annotated[int, Field(ge=1, le=32), BeforeValidator(f.whole)]
Rate = Annotated[int, Field(ge=0, le=6000), BeforeValidator(f.whole)]
_HOUR = timedelta(hours=1)
KeptHours = Annotated[int, Field(ge=0, le=LONGEST_KEPT // _HOUR), BeforeValidator(f.digits)]


class EndpointBody(f.Body):
    """Where an organisation wants to hear of its appeals, of which, and how.

    No event types means all of them. `services` and `spheres` let through appeals of one of these
    services or spheres, `districts` those of one of these districts; none of them narrows nothing.
    `headers` go with each message and are shown masked. `ordered`: what happens to an appeal comes
    one by one, in its order. `ed25519`: messages bear signatures of the platform's own keys
    beside those of the secret. `concurrency` is how many messages may be on their way at once,
    `rate_limit` how many a minute (0: as many as come).
    """

    url: Url
    event_types: EventTypes = ()
    services: Codes = ()
    spheres: Codes = ()
    districts: Codes = ()
    description: Text = ""
    headers: Headers = Field(default_factory=dict)
    payload_version: PayloadVersion = 1
    ordered: bool = False
    ed25519: bool = False
    concurrency: Concurrency = 8
    rate_limit: Rate = 0


class EndpointChangeBody(f.Body):
    """What is to change; what is left out stays. A header sent as it is shown keeps its value."""

    url: Url | None = None
    event_types: EventTypes | None = None
    services: Codes | None = None
    spheres: Codes | None = None
    districts: Codes | None = None
    description: Text | None = None
    headers: Headers | None = None
    payload_version: PayloadVersion | None = None
    ordered: bool | None = None
    ed25519: bool | None = None
    concurrency: Concurrency | None = None
    rate_limit: Rate | None = None
    enabled: bool | None = None


class RotationQuery(f.Query):
    """How long what signed before goes on signing beside the fresh secret."""

    keep_hours: KeptHours = KEPT // _HOUR


class SecretView(TypedDict):
    """A secret that signs, without itself; `signs_until` None: until a rotation."""

    signs_until: datetime | None


class EndpointView(TypedDict):
    """An endpoint, without its secrets, the newest of which stands first."""

    id: UUID
    url: str
    event_types: list[str]
    services: list[str]
    spheres: list[str]
    districts: list[str]
    description: str
    headers: dict[str, str]
    payload_version: int
    ordered: bool
    ed25519: bool
    concurrency: int
    rate_limit: int
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: str | None
    secrets: list[SecretView]
    created_at: datetime
    version: int


class EndpointWithSecret(EndpointView):
    """An endpoint with the secret that signs its messages; shown this once."""

    secret: str


class EndpointList(TypedDict):
    """The endpoints of the caller's organisation."""

    items: list[EndpointView]


class EndpointHealth(TypedDict):
    """How an endpoint fares. `failures` in a row began at `failing_since`; while the `breaker` is
    open nothing is tried, and after `open_until` one message at a time until one arrives. While it
    is overloaded nothing is tried until `throttled_until`. `waiting` deliveries are on their way.
    """

    breaker: str
    failures: int
    failing_since: datetime | None
    last_failure_at: datetime | None
    last_success_at: datetime | None
    open_until: datetime | None
    throttled_until: datetime | None
    waiting: int


class WebhookKeyView(TypedDict):
    """A public key as a JWK (RFC 8037); `whpk` is the same as Standard Webhooks writes it."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str
    whpk: str
    signs_until: datetime | None


class WebhookKeySet(TypedDict):
    """Every key that signs, the newest first: a JWK Set (RFC 7517)."""

    keys: list[WebhookKeyView]


class Queued(TypedDict):
    """The delivery that is on its way now."""

    delivery: UUID


def _view(endpoint: Endpoint) -> EndpointView:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "event_types": sorted(endpoint.event_types),
        "services": sorted(endpoint.services),
        "spheres": sorted(endpoint.spheres),
        "districts": sorted(endpoint.districts),
        "description": endpoint.description,
        "headers": masked(endpoint.headers),
        "payload_version": endpoint.payload_version,
        "ordered": endpoint.ordered,
        "ed25519": endpoint.ed25519,
        "concurrency": endpoint.concurrency,
        "rate_limit": endpoint.rate_limit,
        "enabled": endpoint.enabled,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
        "secrets": [
            {"signs_until": one.until} for one in endpoint.secrets if one.signs(clock.real())
        ],
        "created_at": endpoint.created_at,
        "version": endpoint.version,
    }


def endpoint_with_secret(endpoint: Endpoint) -> dict[str, Any]:
    """An EndpointWithSecret."""
    return {**_view(endpoint), "secret": endpoint.secrets[0].value}


def _reply(endpoint: Endpoint) -> Reply:
    return Reply(_view(endpoint), headers={"etag": f'"{endpoint.version}"'})


def _wish(body: EndpointBody | EndpointChangeBody) -> Wish:
    return Wish(**{name: getattr(body, name) for name in type(body).model_fields})


async def create(call: Call, uow: UnitOfWork) -> Reply:
    """A new endpoint."""
    endpoint = await create_endpoint(
        _wish(call.body),
        uow=uow,
        reference=call.reference,
        at=call.at,
        allow_http=call.house.settings.webhook_allow_http,
    )
    where = f"{call.house.settings.base_url}/v1/webhook-endpoints/{endpoint.id}"
    headers = {"location": where, "cache-control": "no-store", "etag": f'"{endpoint.version}"'}
    return Reply(endpoint_with_secret(endpoint), 201, headers)


async def list_all(call: Call) -> Reply:
    """All endpoints."""
    async with call.house.units.open(call.principal) as uow:
        found = await uow.endpoints.list()
    return Reply({"items": [_view(endpoint) for endpoint in found]})


async def read(call: Call) -> Reply:
    """One endpoint."""
    async with call.house.units.open(call.principal) as uow:
        return _reply(await uow.endpoints.get(call.id("endpoint")))


async def change(call: Call, uow: UnitOfWork) -> Reply:
    """A changed endpoint."""
    endpoint = await change_endpoint(
        call.id("endpoint"),
        _wish(call.body),
        expected=call.edited(),
        uow=uow,
        reference=call.reference,
        at=call.at,
        allow_http=call.house.settings.webhook_allow_http,
    )
    return _reply(endpoint)


async def remove(call: Call, uow: UnitOfWork) -> Reply:
    """An endpoint taken out of use."""
    await uow.endpoints.remove(call.id("endpoint"), at=call.at)
    return Reply(status=204)


async def rotate(call: Call, uow: UnitOfWork) -> Reply:
    """A fresh secret; those before go on signing beside it for a while."""
    query: RotationQuery = call.query
    # Messages are signed by the machine's clock, even where the city's runs fast.
    endpoint = await rotate_secret(
        call.id("endpoint"), uow=uow, at=clock.real(), keep=timedelta(hours=query.keep_hours)
    )
    headers = {"cache-control": "no-store", "etag": f'"{endpoint.version}"'}
    return Reply(endpoint_with_secret(endpoint), headers=headers)


async def read_health(call: Call) -> Reply:
    """How an endpoint fares."""
    health, waiting = await call.house.webhooks.health(call.principal, call.id("endpoint"))
    now = clock.real()
    return Reply(
        {
            "breaker": health.breaker(now),
            "failures": health.failures,
            "failing_since": health.failing_since,
            "last_failure_at": health.last_failure_at,
            "last_success_at": health.last_success_at,
            "open_until": health.open_until,
            "throttled_until": health.throttled_until,
            "waiting": waiting,
        }
    )


async def test(call: Call, uow: UnitOfWork) -> Reply:
    """A message to try the endpoint with."""
    endpoint = await uow.endpoints.get(call.id("endpoint"))
    payload = message(TEST_TYPE, call.at, TestData(endpoint.id))
    return Reply(
        {"delivery": await uow.endpoints.send(endpoint, TEST_TYPE, payload, at=call.at)}, 202
    )


async def list_keys(call: Call) -> Reply:
    """The public halves of what signs webhooks."""
    keys = await call.house.webhook_keys.signing(clock.real())
    return Reply({"keys": [jwk(key) for key in keys]}, headers={"cache-control": "max-age=60"})


_ALL, _ONE = "/v1/webhook-endpoints", "/v1/webhook-endpoints/{id}"
_MAY = Permission.MANAGE_ENDPOINTS

OPERATIONS = (
    Operation(
        "createEndpoint", "POST", _ALL, "Webhooks", "Register an endpoint",
        writes=create, permission=_MAY, body=EndpointBody, answer=EndpointWithSecret,
        status=201, refusals=(409,), etag=True,
    ),
    Operation(
        "listEndpoints", "GET", _ALL, "Webhooks", "See your endpoints",
        reads=list_all, permission=_MAY, answer=EndpointList,
    ),
    Operation(
        "readEndpoint", "GET", _ONE, "Webhooks", "See an endpoint",
        reads=read, permission=_MAY, answer=EndpointView, refusals=(404,), etag=True,
    ),
    Operation(
        "changeEndpoint", "PATCH", _ONE, "Webhooks", "Change an endpoint",
        writes=change, permission=_MAY, body=EndpointChangeBody, answer=EndpointView,
        refusals=(404, 412, 428), etag=True, if_match=True,
    ),
    Operation(
        "removeEndpoint", "DELETE", _ONE, "Webhooks",
        "Take an endpoint out of use; its log stays",
        writes=remove, permission=_MAY, answer=None, status=204, refusals=(404,),
    ),
    Operation(
        "rotateSecret", "POST", f"{_ONE}/rotate-secret", "Webhooks",
        "Get a fresh secret; what signed before signs beside it for a while",
        writes=rotate, permission=_MAY, query=RotationQuery, answer=EndpointWithSecret,
        refusals=(404, 409), etag=True,
    ),
    Operation(
        "testEndpoint", "POST", f"{_ONE}/test", "Webhooks", "Send a message to try it with",
        writes=test, permission=_MAY, answer=Queued, status=202, refusals=(404, 409),
    ),
    Operation(
        "readEndpointHealth", "GET", f"{_ONE}/health", "Webhooks", "See how an endpoint fares",
        reads=read_health, permission=_MAY, answer=EndpointHealth, refusals=(404,),
    ),
    Operation(
        "listWebhookKeys", "GET", "/v1/webhook-keys", "Webhooks",
        "Get the keys that verify signatures of the scheme v1a",
        reads=list_keys, open_to_all=True, answer=WebhookKeySet,
    ),
)  # fmt: skip
