"""Every way in of a city's file, opened together and closed again."""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

from domain.identity.login import Way
from domain.identity.ports import IdentityProvider
from domain.identity.signing import Signings
from integrations.egov.config import Audience, MobileConfig, Provider, read_file
from integrations.egov.mobile import MobileProvider, MobileSigning
from integrations.egov.ncanode import NcaNode
from integrations.egov.provider import OAuthProvider
from integrations.egov.transport import GuardedTransport

ANSWER = 262_144
"""Bytes of a judgement: it holds the certificates again."""


@asynccontextmanager
async def open_file(
    path: Path,
    environment: Mapping[str, str],
    signings: Signings,
    *,
    base_url: str,
    now: Callable[[], datetime],
) -> AsyncIterator[tuple[Mapping[str, Way], MobileSigning | None]]:
    """The ways by code, in the order of the file, and the signing. Raises ProvidersMalformed."""
    settings = read_file(path, environment)
    ways: dict[str, Way] = {}
    mobile = None
    async with AsyncExitStack() as closing:
        for config in settings.providers:
            client = OAuthProvider(config)
            closing.push_async_callback(client.close)
            ways[config.code] = _way(client, config, config.organisations)
        if settings.mobile is not None:
            transport = GuardedTransport(ssl.create_default_context(), {}, ANSWER)
            judge = NcaNode(settings.mobile, transport)
            closing.push_async_callback(judge.close)
            mobile = MobileSigning(
                settings.mobile, signings=signings, signatures=judge, base_url=base_url, now=now
            )
            ways[settings.mobile.code] = _way(MobileProvider(mobile), settings.mobile)
        yield ways, mobile


def _way(
    provider: IdentityProvider,
    config: Provider | MobileConfig,
    organisations: frozenset[str] = frozenset(),
) -> Way:
    return Way(
        provider,
        config.names,
        residents=Audience.RESIDENTS in config.audience,
        staff=Audience.STAFF in config.audience,
        organisations=organisations,
    )
