"""One client for every identity provider: plain OAuth 2.0 (eGov), or OpenID Connect upon it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import structlog
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc.jwk import KeySet

from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.model import Person
from domain.identity.ports import Departure
from integrations.egov import discovery, person
from integrations.egov.config import Kind, Provider, tls_of
from integrations.egov.discovery import Kept, MetadataUnsound, Places
from integrations.egov.person import PersonMalformed
from integrations.egov.tokens import KeyUnknown, TokenForged, read_id_token
from integrations.egov.transport import HEADERS, AnswerUnfit, GuardedTransport

log = structlog.get_logger()

VERIFIER = 64
"""Characters of a PKCE verifier (RFC 7636 §4.1: 43 to 128)."""

PHONE_SECONDS = 3.0
"""How long a login waits for the phone, which it does not need."""

_BEARER = re.compile(r"[\x21-\x7e]{1,8192}")

_BY_ERROR = {
    "invalid_grant": LoginReason.CODE_EXPIRED,
    "access_denied": LoginReason.CONSENT_REFUSED,
}
"""What an error of RFC 6749 §5.2 means to the person; any other is between us and the provider."""


class OAuthProvider:
    """An IdentityProvider of the settings. `seconds` is the epoch, by which tokens are judged."""

    def __init__(self, provider: Provider, seconds: Callable[[], float] = time.time) -> None:
        self._provider = provider
        self._seconds = seconds
        self._transport = GuardedTransport(tls_of(provider), provider.resolve, provider.max_bytes)
        self._places: Kept[Places] = Kept()
        self._keys: Kept[KeySet] = Kept()

    @property
    def code(self) -> str:
        """Its name in settings, addresses and records."""
        return self._provider.code

    async def close(self) -> None:
        """Let its connections go."""
        await self._transport.aclose()

    async def depart(
        self, *, state: str, nonce: str, redirect_uri: str, language: str
    ) -> Departure:
        """Where to send the browser. Raises LoginRefused where discovery cannot be read."""
        provider = self._provider
        async with self._asking() as client:
            places = await self._endpoints(client)
            verifier = generate_token(VERIFIER) if provider.pkce else None
            extra = dict(provider.authorize)
            if provider.language is not None:
                said = provider.language.values.get(language, language)
                extra[provider.language.parameter] = said
            if provider.kind is Kind.OPENID:
                extra["nonce"] = nonce
            url, _ = client.create_authorization_url(
                places.authorize,
                state=state,
                code_verifier=verifier,
                redirect_uri=redirect_uri,
                **extra,
            )
        return Departure(url, verifier)

    async def arrive(
        self, *, code: str, redirect_uri: str, nonce: str, verifier: str | None
    ) -> Person:
        """Who came back with this code. Raises LoginRefused, with the reason."""
        async with self._asking() as client:
            places = await self._endpoints(client)
            token = await self._token(client, places.token, code, redirect_uri, verifier)
            access = token.get("access_token")
            if not isinstance(access, str) or not _BEARER.fullmatch(access):
                raise self._refused(LoginReason.PROVIDER_FAILED, "no access_token")
            told = await self._told(client, places, access, token.get("id_token"), nonce)
            found = person.read_person(self._provider, told)
        phone = await self._phone(client, places.phone, access)
        return found if phone is None else replace(found, phone=phone)

    async def _token(
        self,
        client: AsyncOAuth2Client,
        url: str,
        code: str,
        redirect_uri: str,
        verifier: str | None,
    ) -> Mapping[str, Any]:
        proof = {} if verifier is None else {"code_verifier": verifier}
        try:
            token: Mapping[str, Any] = await client.fetch_token(
                url,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                client_id=self._provider.client_id,
                **proof,
            )
        except (TypeError, AttributeError) as error:
            # What an answer of odd types makes the library raise.
            raise self._refused(LoginReason.PROVIDER_FAILED, type(error).__name__) from None
        return token

    async def _told(
        self, client: AsyncOAuth2Client, places: Places, access: str, id_token: object, nonce: str
    ) -> Mapping[str, Any]:
        """Everything that the provider tells of the person, put together."""
        told: dict[str, Any] = {}
        if self._provider.kind is Kind.OPENID:
            told |= await self._claims(client, places, id_token, access, nonce)
        if places.person is not None:
            about = await self._resource(client, places.person, access)
            # Core §5.3.2: an answer about somebody else is not used.
            if "sub" in told and about.get("sub") != told["sub"]:
                raise TokenForged("userinfo of another subject")
            told = about | told
        return told

    async def _resource(self, client: AsyncOAuth2Client, url: str, access: str) -> dict[str, Any]:
        try:
            return await self._get(client, url, access)
        except AnswerUnfit as unfit:
            if unfit.status == httpx2.codes.OK:
                raise PersonMalformed(str(unfit.why)) from None
            raise

    async def _phone(self, client: AsyncOAuth2Client, url: str | None, access: str) -> str | None:
        """The phone, which is a grant of its own: whatever befalls it, the login goes on."""
        if url is None:
            return None
        try:
            async with asyncio.timeout(min(PHONE_SECONDS, self._provider.timeout_seconds)):
                told = await self._get(client, url, access)
        except (TimeoutError, httpx2.HTTPError, AnswerUnfit, PersonMalformed, OSError) as error:
            log.info("login_phone_not_told", provider=self.code, error=type(error).__name__)
            return None
        claims = self._provider.claims
        return person.verified(told, claims.phone_verified, person.phone_of(told, claims))

    async def _get(self, client: AsyncOAuth2Client, url: str, access: str) -> dict[str, Any]:
        answer = await client.request(
            "GET", url, headers={"Authorization": f"Bearer {access}"}, withhold_token=True
        )
        answer.raise_for_status()
        try:
            told = answer.json()
        except (ValueError, RecursionError):
            raise PersonMalformed("not JSON") from None
        if not isinstance(told, dict):
            raise PersonMalformed("not an object")
        return told

    async def _claims(
        self,
        client: AsyncOAuth2Client,
        places: Places,
        id_token: object,
        access: str,
        nonce: str,
    ) -> Mapping[str, Any]:
        for fresh in (False, True):
            keys = await self._signing_keys(client, places, fresh=fresh)
            try:
                return read_id_token(
                    id_token,
                    keys,
                    algorithms=self._provider.algorithms,
                    issuer=self._provider.issuer or "",
                    client_id=self._provider.client_id,
                    nonce=nonce,
                    access_token=access,
                    now=int(self._seconds()),
                )
            except KeyUnknown:
                # The provider may have turned its keys; a stranger's token asks but once a minute.
                if fresh or self._keys.age() < discovery.SPARED:
                    raise
        raise AssertionError("the second look returns or raises")

    async def _endpoints(self, client: AsyncOAuth2Client) -> Places:
        if (known := self._places.get()) is not None:
            return known
        told = None
        if self._provider.discovery:
            told = await self._metadata(client, discovery.well_known(self._provider))
        return self._places.put(discovery.read_places(self._provider, told))

    async def _signing_keys(
        self, client: AsyncOAuth2Client, places: Places, *, fresh: bool
    ) -> KeySet:
        if not fresh and (known := self._keys.get()) is not None:
            return known
        if places.jwks is None:
            raise MetadataUnsound("no jwks_uri")
        return self._keys.put(discovery.read_keys(await self._metadata(client, places.jwks)))

    async def _metadata(self, client: AsyncOAuth2Client, url: str) -> Mapping[str, Any]:
        answer = await client.request("GET", url, withhold_token=True)
        answer.raise_for_status()
        told = answer.json()
        if not isinstance(told, dict):
            raise MetadataUnsound("not an object")
        return told

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[AsyncOAuth2Client]:
        """A client for one conversation within the timeout; each fault told as its reason."""
        try:
            async with asyncio.timeout(self._provider.timeout_seconds):
                yield self._client()
        except LoginRefused:
            raise
        except (httpx2.ProtocolError, httpx2.InvalidURL) as error:
            raise self._refused(LoginReason.PROVIDER_FAILED, type(error).__name__) from None
        except (TimeoutError, httpx2.TransportError, OSError) as error:
            raise self._refused(LoginReason.PROVIDER_UNREACHABLE, type(error).__name__) from None
        except PersonMalformed as error:
            raise self._refused(LoginReason.PERSON_MALFORMED, str(error)) from None
        except TokenForged as error:
            raise self._refused(LoginReason.TOKEN_FORGED, str(error)) from None
        except OAuthError as error:
            reason = _BY_ERROR.get(str(error.error), LoginReason.PROVIDER_FAILED)
            raise self._refused(reason, str(error.error)[:40]) from None
        except (httpx2.HTTPError, AnswerUnfit, ValueError, RecursionError) as error:
            raise self._refused(LoginReason.PROVIDER_FAILED, type(error).__name__) from None

    def _client(self) -> AsyncOAuth2Client:
        provider = self._provider
        return AsyncOAuth2Client(
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            token_endpoint_auth_method=provider.client_auth,
            scope=" ".join(provider.scopes) or None,
            code_challenge_method="S256" if provider.pkce else None,
            headers=HEADERS,
            transport=self._transport,
            timeout=provider.timeout_seconds,
            follow_redirects=False,
            trust_env=False,
        )

    def _refused(self, reason: LoginReason, error: str) -> LoginRefused:
        log.warning("login_provider_refused", provider=self.code, reason=reason, error=error)
        return LoginRefused(self.code, reason)
