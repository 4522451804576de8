"""eGov Mobile signing as a way in: the browser shows a code, the telephone signs, both meet again.

The contract is that of the operator's protocol text: API 1 describes, API 2 gives the document and
takes it back signed. The city's host must be white-listed by the operator.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
import structlog

from domain.identity.attempts import new_secret
from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.model import Person
from domain.identity.ports import Departure
from domain.identity.signing import Signatures, Signing, Signings, Standing
from integrations.egov import signed_xml
from integrations.egov.config import MobileConfig

log = structlog.get_logger()

SCHEME = "mobileSign:"
"""What the code begins with: the application reads no other."""


class MobileSigning:
    """An IdentityProvider, and the Mobile behind its page."""

    def __init__(
        self,
        config: MobileConfig,
        *,
        signings: Signings,
        signatures: Signatures,
        base_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._signings = signings
        self._signatures = signatures
        self._base_url = base_url
        self._now = now

    @property
    def provider(self) -> str:
        """The code of its way in."""
        return self._config.code

    async def depart(self, *, state: str, redirect_uri: str, language: str) -> Departure:
        """The page that shows the code."""
        page = new_secret()
        at = self._now().isoformat(timespec="seconds")
        signing = Signing(
            provider=self._config.code,
            telephone=new_secret(),
            token=new_secret(),
            document=signed_xml.write_document(self._base_url, new_secret(), at),
            state=state,
            redirect_uri=redirect_uri,
            language=language,
        )
        await self._signings.open(page, signing)
        return Departure(f"{self._base_url}/login/waiting/{page}")

    async def arrive(self, *, code: str) -> Person:
        """Who signed what the page showed. Raises LoginRefused."""
        person = await self._signings.take(code)
        if person is None:
            raise LoginRefused(self._config.code, LoginReason.CODE_EXPIRED)
        return person

    def code(self, signing: Signing) -> str:
        """What the code on the screen holds."""
        return f"{SCHEME}{self._about(signing)}"

    def link(self, signing: Signing) -> str:
        """What opens the application on the same telephone."""
        return self._config.link.replace("{link}", quote(self._about(signing), safe=""))

    def described(self, standing: Standing) -> Mapping[str, Any]:
        """API 1: what is to be signed, until when, and where it is."""
        return {
            "description": f"{self._config.description} ({self._base_url})",
            "expiry_date": standing.expires_at.isoformat(timespec="milliseconds"),
            "organisation": self._config.organisation.model_dump(by_alias=True),
            "document": {
                "uri": f"{self._about(standing.signing)}/document",
                "auth_type": "Token",
                "auth_token": standing.signing.token,
            },
        }

    def document(self, signing: Signing) -> Mapping[str, Any]:
        """API 2, GET: the document."""
        said = {f"name{one}": self._config.description for one in ("Ru", "Kz", "En")}
        meta = [{"name": "URL", "value": self._base_url}]
        document = {"id": 1, **said, "meta": meta, "documentXml": signing.document}
        return {"signMethod": "XML", "documentsToSign": [document]}

    async def signed(self, signing: Signing, body: bytes) -> Person:
        """API 2, PUT: who signed it. Raises LoginRefused, Unavailable."""
        try:
            xml = _signed_xml(body)
            signed_xml.require_ours(xml, signing.document)
        except ValueError as error:
            log.warning("signature_refused", why=str(error)[:100])
            raise LoginRefused(self._config.code, LoginReason.SIGNATURE_REFUSED) from None
        return await self._signatures.signer(xml)

    def _about(self, signing: Signing) -> str:
        return f"{self._base_url}/login/mobile/{signing.telephone}"


class MobileProvider:
    """The signing as an IdentityProvider."""

    def __init__(self, mobile: MobileSigning) -> None:
        self._mobile = mobile

    @property
    def code(self) -> str:
        """Its name in settings, addresses and records."""
        return self._mobile.provider

    async def depart(
        self, *, state: str, nonce: str, redirect_uri: str, language: str
    ) -> Departure:
        """The page that shows the code. The document has a nonce of its own, told to the telephone
        alone.
        """
        return await self._mobile.depart(state=state, redirect_uri=redirect_uri, language=language)

    async def arrive(
        self, *, code: str, redirect_uri: str, nonce: str, verifier: str | None
    ) -> Person:
        """Who signed. Raises LoginRefused."""
        return await self._mobile.arrive(code=code)


def _signed_xml(body: bytes) -> str:
    """The signed XML of a PUT: the answer to GET with `documentXml` signed. Raises ValueError."""
    said = orjson.loads(body)
    documents = said.get("documentsToSign") if isinstance(said, dict) else None
    if not isinstance(documents, list) or len(documents) != 1:
        raise ValueError("not one document")
    xml = documents[0].get("documentXml") if isinstance(documents[0], dict) else None
    if not isinstance(xml, str):
        raise ValueError("no documentXml")
    return xml
