"""What an organisation can do with its endpoints."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.access import Permission
from domain.errors import Conflict, Fault, Invalid, VersionConflict
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.values import new_id
from domain.webhooks.events import check_event_types
from domain.webhooks.headers import check_headers
from domain.webhooks.messages import VERSIONS
from domain.webhooks.model import CONCURRENCY, DisabledReason, Endpoint, Secret
from domain.webhooks.replay import Replay, Replayed, What
from domain.webhooks.secrets import KEPT, SECRET_BYTES, new_secret, rotated
from domain.webhooks.secrets import MOST as MOST_SECRETS
from domain.webhooks.urls import check_url

MOST = 20
"""Endpoints of one organisation."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants an endpoint to be; what is None stays as it is, or as it is for all.

    See Endpoint for what each means. A `rate_limit` of 0 is none.
    """

    url: str | None = None
    event_types: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    spheres: tuple[str, ...] | None = None
    districts: tuple[str, ...] | None = None
    description: str | None = None
    headers: Mapping[str, str] | None = None
    payload_version: int | None = None
    ordered: bool | None = None
    ed25519: bool | None = None
    concurrency: int | None = None
    rate_limit: int | None = None
    enabled: bool | None = None


async def create_endpoint(
    wish: Wish, *, uow: UnitOfWork, reference: Reference, at: datetime, allow_http: bool
) -> Endpoint:
    """A new endpoint with a fresh secret. Raises Invalid, NotPermitted, Conflict."""
    principal = uow.principal
    principal.require(Permission.MANAGE_ENDPOINTS)
    if principal.organisation is None:
        raise Invalid.at("", "staff-only")
    blank = Endpoint(
        id=new_id(),
        city_id=principal.city,
        organisation_id=principal.organisation,
        url="",
        event_types=frozenset(),
        description="",
        enabled=True,
        secrets=(Secret(fresh_secret()),),
        created_at=at,
        concurrency=CONCURRENCY,
    )
    endpoint = granted(replace(wish, url=wish.url or ""), blank, reference, at, allow_http)
    if len(await uow.endpoints.list()) >= MOST:
        raise Conflict(reason="too-many-endpoints", limit=MOST)
    await uow.endpoints.add(endpoint)
    return endpoint


async def change_endpoint(
    id: UUID,
    wish: Wish,
    *,
    expected: frozenset[int] | None,
    uow: UnitOfWork,
    reference: Reference,
    at: datetime,
    allow_http: bool,
) -> Endpoint:
    """Change what is given, if the endpoint stands at one of the `expected` versions (None: any).

    Whoever mends an endpoint (enables it, gives it another URL or other headers) has it tried at
    once, with all that waits for it.
    Raises Invalid, NotFound, VersionConflict.
    """
    uow.principal.require(Permission.MANAGE_ENDPOINTS)
    endpoint = await uow.endpoints.get(id)
    _expect(endpoint, expected)
    changed = granted(wish, endpoint, reference, at, allow_http)
    changed = replace(changed, version=endpoint.version + 1)
    await uow.endpoints.save(changed)
    if changed.enabled and _mends(changed, endpoint):
        await uow.endpoints.mend(id, at=at)
    return changed


async def rotate_secret(
    id: UUID, *, uow: UnitOfWork, at: datetime, keep: timedelta = KEPT
) -> Endpoint:
    """A fresh secret first; whatever signed before goes on signing beside it for `keep`.

    Raises NotFound, and Conflict where too many would sign beside each other.
    """
    uow.principal.require(Permission.MANAGE_ENDPOINTS)
    endpoint = await uow.endpoints.get(id)
    signing = rotated(endpoint.secrets, fresh_secret(), at, keep)
    if len(signing) > MOST_SECRETS:
        raise Conflict(reason="too-many-secrets", limit=MOST_SECRETS)
    changed = replace(endpoint, secrets=signing, version=endpoint.version + 1)
    await uow.endpoints.save(changed)
    return changed


async def replay(id: UUID, asked: Replay, *, uow: UnitOfWork, at: datetime) -> Replayed:
    """Send again what an endpoint missed, at once what waits for its next try, or everything since
    a time; or only count it.

    Each begins its schedule anew; what is in the air is left alone. Of more that was missed, or
    waits, than can be sent at once the oldest go, so that the next order goes on; of more of
    everything none would know where to go on. Raises NotFound, Conflict for a disabled endpoint,
    and for that.
    """
    uow.principal.require(Permission.MANAGE_ENDPOINTS)
    endpoint = await uow.endpoints.get(id)
    if not endpoint.enabled and not asked.dry_run:
        raise Conflict(reason="endpoint-disabled")
    found = await uow.endpoints.count(id, asked, at=at)
    if asked.dry_run:
        return Replayed(found, 0)
    if found > asked.MOST and asked.what is What.ALL:
        raise Conflict(reason="replay-too-many", count=found, limit=asked.MOST)
    return Replayed(found, await uow.endpoints.replay(id, asked, at=at))


def granted(
    wish: Wish, endpoint: Endpoint, reference: Reference, at: datetime, allow_http: bool
) -> Endpoint:
    """The endpoint as it is wanted. Raises Invalid naming every fault of the filters, else the
    first of the others.
    """
    if wish.url is not None:
        check_url(wish.url, allow_http)
    _check_filters(wish, reference)
    if wish.payload_version is not None and wish.payload_version not in VERSIONS:
        raise Invalid.at("/payload_version", "enum", expected=list(VERSIONS))
    given: dict[str, object] = {
        name: value
        for name in ("url", "description", "payload_version", "ordered", "ed25519",
                     "concurrency", "rate_limit")
        if (value := getattr(wish, name)) is not None
    }  # fmt: skip
    for name in ("services", "spheres", "districts"):
        if (chosen := getattr(wish, name)) is not None:
            given[name] = frozenset(chosen)
    if wish.event_types is not None:
        given["event_types"] = check_event_types(wish.event_types)
    if wish.headers is not None:
        given["headers"] = check_headers(wish.headers, endpoint.headers)
    if wish.enabled is not None and wish.enabled != endpoint.enabled:
        given |= {"enabled": wish.enabled} | _switched(wish.enabled, at)
    return replace(endpoint, **given)  # type: ignore[arg-type]


def fresh_secret() -> str:
    """A signing secret nobody has seen."""
    return new_secret(secrets.token_bytes(SECRET_BYTES))


def _mends(changed: Endpoint, before: Endpoint) -> bool:
    reached = (changed.url, changed.headers) != (before.url, before.headers)
    return reached or not before.enabled


def _switched(enabled: bool, at: datetime) -> dict[str, object]:
    if enabled:
        return {"disabled_at": None, "disabled_reason": None}
    return {"disabled_at": at, "disabled_reason": DisabledReason.BY_HAND}


def _check_filters(wish: Wish, reference: Reference) -> None:
    spheres = {sphere.code for sphere in reference.catalogue.spheres}
    known: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
        ("services", "unknown-service", reference.catalogue.__contains__),
        ("spheres", "unknown-sphere", spheres.__contains__),
        ("districts", "unknown-district", reference.districts.__contains__),
    )
    faults = [
        Fault(f"/{name}/{index}", rule, {"value": code})
        for name, rule, is_known in known
        for index, code in enumerate(getattr(wish, name) or ())
        if not is_known(code)
    ]
    if faults:
        raise Invalid(faults)


def _expect(endpoint: Endpoint, expected: frozenset[int] | None) -> None:
    if expected is not None and endpoint.version not in expected:
        raise VersionConflict(expected=sorted(expected), actual=endpoint.version)
