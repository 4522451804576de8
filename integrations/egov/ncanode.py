"""Signatures under XML, judged by an NCANode server (its API 3.x, POST /xml/verify).

NCANode knows the state's algorithms and certificates; the city runs it. What it judges is whether
signatures and certificates are good; whose they are is read from the certificate's subject.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx2
import structlog

from domain.errors import Unavailable
from domain.identity.errors import LoginReason, LoginRefused
from domain.identity.iin import IinMalformed, parse_iin
from domain.identity.model import Person
from integrations.egov.config import MobileConfig
from integrations.egov.transport import HEADERS, AnswerUnfit, GuardedTransport

log = structlog.get_logger()

# SERIALNUMBER=IIN…, an attribute of its own: not a text inside another's value.
_IIN = re.compile(r"(?:^|[,+])\s*SERIALNUMBER=IIN([0-9]{12})\s*(?=[,+]|$)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


class NcaNode:
    """See domain.identity.signing.Signatures."""

    def __init__(self, config: MobileConfig, transport: GuardedTransport) -> None:
        self._config = config
        self._url = f"{config.ncanode.rstrip('/')}/xml/verify"
        self._client = httpx2.AsyncClient(
            transport=transport, timeout=config.timeout_seconds, headers=HEADERS, trust_env=False
        )

    async def close(self) -> None:
        """Let its connections go."""
        await self._client.aclose()

    async def signer(self, xml: str) -> Person:
        """Who signed, by a certificate that is good now. Raises LoginRefused, Unavailable."""
        told = await self._verify(xml)
        signers = told.get("signers")
        if told.get("valid") is not True or not isinstance(signers, list) or len(signers) != 1:
            raise self._refused("not one good signature")
        certificate = _certificate(signers[0])
        if certificate.get("valid") is not True:
            raise self._refused("a certificate that is not good")
        subject = certificate.get("subject")
        if not isinstance(subject, dict):
            raise self._refused("no subject")
        return self._person(subject)

    async def _verify(self, xml: str) -> Mapping[str, Any]:
        asked = {"revocationCheck": list(self._config.revocation), "xml": xml}
        try:
            answer = await self._client.post(self._url, json=asked)
            if answer.is_client_error:
                # It says so of what it cannot read as signed XML.
                raise self._refused(f"status {answer.status_code}")
            answer.raise_for_status()
            told = answer.json()
        except (httpx2.HTTPError, AnswerUnfit, ValueError, OSError) as error:
            log.warning("signature_not_judged", error=type(error).__name__)
            raise Unavailable(what="signatures") from None
        if not isinstance(told, dict):
            raise Unavailable(what="signatures")
        return told

    def _person(self, subject: Mapping[str, Any]) -> Person:
        iin = _iin(subject)
        if iin is None:
            raise LoginRefused(self._config.code, LoginReason.PERSON_MALFORMED)
        surname, common = _text(subject, "surName"), _text(subject, "commonName")
        name = common
        if common is not None and surname is not None:
            name = common.removeprefix(surname).strip() or None
        return Person(
            provider=self._config.code,
            subject=iin,
            iin=iin,
            surname=surname,
            name=name,
            patronymic=_text(subject, "lastName"),
            birth_date=parse_iin(iin).birth_date,
        )

    def _refused(self, why: str) -> LoginRefused:
        log.warning("signature_refused", why=why)
        return LoginRefused(self._config.code, LoginReason.SIGNATURE_REFUSED)


def _certificate(signer: object) -> Mapping[str, Any]:
    """The certificate of a signer: itself, or in later versions the one that it lists."""
    if not isinstance(signer, dict):
        return {}
    listed = signer.get("certificates", [signer])
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        return {}
    return listed[0]


def _iin(subject: Mapping[str, Any]) -> str | None:
    """The IIN of SERIALNUMBER, which `iin` must repeat; None for anything else."""
    name = subject.get("dn")
    found = _IIN.findall(_QUOTED.sub('""', name)) if isinstance(name, str) else []
    if len(found) != 1 or subject.get("iin", found[0]) != found[0]:
        return None
    try:
        return parse_iin(found[0]).digits
    except IinMalformed:
        return None


def _text(subject: Mapping[str, Any], name: str) -> str | None:
    value = subject.get(name)
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        return None
    return value.strip() or None
