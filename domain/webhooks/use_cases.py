"""What an organisation can do with its endpoints."""

import secrets
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.access import Permission
from domain.errors import Conflict, Invalid
from domain.ports import UnitOfWork
from domain.values import new_id
from domain.webhooks.events import check_event_types
from domain.webhooks.model import Endpoint
from domain.webhooks.secrets import SECRET_BYTES, new_secret, rotated
from domain.webhooks.urls import check_url

MOST = 20
"""Endpoints of one organisation."""


async def create_endpoint(
    url: str,
    event_types: tuple[str, ...],
    description: str,
    *,
    uow: UnitOfWork,
    at: datetime,
    allow_http: bool,
) -> Endpoint:
    """A new endpoint with a fresh secret. Raises Invalid, NotPermitted, Conflict."""
    principal = uow.principal
    principal.require(Permission.MANAGE_ENDPOINTS)
    if principal.organisation is None:
        raise Invalid.at("", "staff-only")
    check_url(url, allow_http)
    if len(await uow.endpoints.list()) >= MOST:
        raise Conflict(reason="too-many-endpoints", limit=MOST)
    endpoint = Endpoint(
        id=new_id(),
        city_id=principal.city,
        organisation_id=principal.organisation,
        url=url,
        event_types=check_event_types(event_types),
        description=description,
        enabled=True,
        secrets=(fresh_secret(),),
        created_at=at,
    )
    await uow.endpoints.add(endpoint)
    return endpoint


async def change_endpoint(
    id: UUID,
    *,
    url: str | None,
    event_types: tuple[str, ...] | None,
    description: str | None,
    enabled: bool | None,
    uow: UnitOfWork,
    allow_http: bool,
) -> Endpoint:
    """Change what is given; None leaves a field as it is. Raises Invalid, NotFound."""
    uow.principal.require(Permission.MANAGE_ENDPOINTS)
    endpoint = await uow.endpoints.get(id)
    if url is not None:
        check_url(url, allow_http)
    changed = replace(
        endpoint,
        url=url if url is not None else endpoint.url,
        event_types=(
            check_event_types(event_types) if event_types is not None else endpoint.event_types
        ),
        description=description if description is not None else endpoint.description,
        enabled=enabled if enabled is not None else endpoint.enabled,
    )
    await uow.endpoints.save(changed)
    return changed


async def rotate_secret(id: UUID, *, uow: UnitOfWork) -> Endpoint:
    """A fresh secret first; the one before it goes on signing beside it until the next rotation."""
    uow.principal.require(Permission.MANAGE_ENDPOINTS)
    endpoint = await uow.endpoints.get(id)
    changed = replace(endpoint, secrets=rotated(endpoint.secrets, fresh_secret()))
    await uow.endpoints.save(changed)
    return changed


def fresh_secret() -> str:
    """A signing secret nobody has seen."""
    return new_secret(secrets.token_bytes(SECRET_BYTES))
