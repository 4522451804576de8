"""Signatures by the national algorithms, made and judged by an NCANode server (API 3.x,
POST /wsse/sign and /wsse/verify) that the city runs beside the platform.

What is signed is our envelope and what came back is judged by form first (wsse.py): NCANode takes
the first signature that it meets and does not say what it is over. Of its answer `valid` alone is
read: a failure to ask for revocation leaves `revoked` false.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
from lxml import etree

from domain.eotinish.model import GatewayFault, Remedy
from integrations.eotinish.envelope import BODY
from integrations.eotinish.faults import unfit
from integrations.eotinish.http import HEADERS, SizedTransport
from integrations.eotinish.wsse import signed_body
from integrations.eotinish.xml import LARGEST, Element, parse, require_sendable, write

ANSWER = 2 * LARGEST
"""Bytes: an envelope within JSON, with certificates beside it."""


class NcaNodeSigner:
    """See integrations.eotinish.signing.Signer. `key` is a PKCS#12 in base64; `issuers` are the
    BINs of those whose signatures are taken, none for whomever the certificates' authority knows.
    """

    def __init__(
        self,
        url: str,
        key: str,
        password: str,
        *,
        issuers: frozenset[str],
        revocation: Sequence[str] = ("OCSP",),
        timeout: float = 30.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._password = password
        self._issuers = issuers
        self._revocation = list(revocation)
        self._client = httpx2.AsyncClient(
            transport=SizedTransport(True, {}, ANSWER, "application/json"),
            timeout=timeout, headers=HEADERS, trust_env=False,
        )  # fmt: skip

    async def close(self) -> None:
        """Let its connections go."""
        await self._client.aclose()

    async def sign(self, root: Element) -> bytes:
        """The envelope, signed. Raises GatewayFault."""
        require_sendable(root)
        asked = {"xml": write(root).decode(), "key": self._key, "password": self._password}
        told = await self._ask("/wsse/sign", asked)
        xml = told.get("xml")
        if not isinstance(xml, str):
            raise _refused("no signed envelope")
        signed = xml.encode()
        # What we send is what we meant: nothing is believed of a server that says it signed.
        if _content(signed_body(parse(signed))) != _content(_body(root)):
            raise _refused("another envelope")
        return signed

    async def verify(self, document: bytes) -> Element:
        """The Body that somebody whom we trust has signed. Raises GatewayFault."""
        body = signed_body(parse(document))
        asked = {"xml": document.decode(), "revocationCheck": self._revocation}
        told = await self._ask("/wsse/verify", asked)
        signers = told.get("signers")
        if told.get("valid") is not True or not isinstance(signers, list) or len(signers) != 1:
            raise unfit("badly signed")
        certificate = _certificate(signers[0])
        if certificate.get("valid") is not True:
            raise unfit("a certificate that is not good")
        subject = certificate.get("subject")
        bin_ = subject.get("bin") if isinstance(subject, dict) else None
        if self._issuers and bin_ not in self._issuers:
            raise unfit("a certificate of somebody unknown")
        return body

    async def _ask(self, path: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = await self._client.post(f"{self._url}{path}", json=asked)
            told = answer.json()
        except (httpx2.HTTPError, ValueError, OSError) as error:
            raise GatewayFault("signer-unreachable", Remedy.RETRY, type(error).__name__) from None
        if not isinstance(told, dict):
            raise GatewayFault("signer-unreachable", Remedy.RETRY, "no JSON object")
        if answer.is_client_error:
            # Of what others signed it says so when it cannot read it; of ours, that the key is bad.
            raise unfit("unreadable") if path.endswith("verify") else _refused("status 4xx")
        if answer.status_code != 200:
            status = f"status {answer.status_code}"
            raise GatewayFault("signer-unreachable", Remedy.RETRY, status)
        return told


def _refused(why: str) -> GatewayFault:
    return GatewayFault("not-signed", Remedy.FIX, why)


def _body(root: Element) -> Element:
    body = root.find(BODY)
    if body is None:
        raise ValueError("an envelope without a body")
    return body


def _content(body: Element) -> list[bytes]:
    return [etree.tostring(child, method="c14n", exclusive=True) for child in body]


def _certificate(signer: object) -> Mapping[str, Any]:
    if not isinstance(signer, dict):
        return {}
    listed = signer.get("certificates", [signer])
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        return {}
    return listed[0]
