"""A resident's telephone with eGov Mobile: a key, a certificate, and signatures under XML."""

import xml.etree.ElementTree as ET
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.peers.ncanode import digest_of

NS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
ENVELOPED = f"{NS}enveloped-signature"
IIN = "991231600002"


def _key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def _certificate(
    subject: list[tuple[x509.ObjectIdentifier, str]],
    key: RSAPrivateKey,
    issuer: x509.Name | None = None,
    by: RSAPrivateKey | None = None,
    days: tuple[int, int] = (-1, 1),
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .sign(by or key, hashes.SHA256())
    )


@dataclass(frozen=True)
class Authority:
    """Who issues the keys of residents."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def telephone(
        self,
        serial: str | None = f"IIN{IIN}",
        common: str = "СЕРІКОВА АЙГҮЛ",
        days: tuple[int, int] = (-1, 1),
    ) -> "Telephone":
        key = _key()
        subject = [
            (NameOID.COMMON_NAME, common),
            (NameOID.SURNAME, "СЕРІКОВА"),
            (NameOID.COUNTRY_NAME, "KZ"),
            (NameOID.GIVEN_NAME, "МАРАТҚЫЗЫ"),
        ]
        if serial is not None:
            subject.append((NameOID.SERIAL_NUMBER, serial))
        return Telephone(key, _certificate(subject, key, self.certificate.subject, self.key, days))


@cache
def authority(name: str = "ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ") -> Authority:
    key = _key()
    return Authority(key, _certificate([(NameOID.COMMON_NAME, name)], key))


@dataclass(frozen=True)
class Telephone:
    """Signs as Kalkan does: one enveloped signature at the end of the root."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    def sign(
        self,
        xml: str,
        *,
        uri: str = "",
        target: str | None = None,
        transforms: tuple[str, ...] = (ENVELOPED, C14N),
    ) -> str:
        """The document with a signature. `uri` and `target`: over a part, by its Id."""
        root = ET.fromstring(xml)
        over = root if target is None else next(e for e in root.iter() if e.get("Id") == target)
        digest = b64encode(digest_of(over)).decode()
        steps = "".join(f'<ds:Transform Algorithm="{one}"></ds:Transform>' for one in transforms)
        info = (
            f'<ds:SignedInfo xmlns:ds="{NS}"><ds:CanonicalizationMethod Algorithm="{C14N}">'
            "</ds:CanonicalizationMethod><ds:SignatureMethod"
            ' Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>'
            f'<ds:Reference URI="{uri}"><ds:Transforms>{steps}</ds:Transforms><ds:DigestMethod'
            ' Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
            f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        )
        canonical = ET.canonicalize(ET.tostring(ET.fromstring(info), encoding="unicode"))
        value = self.key.sign(canonical.encode(), PKCS1v15(), hashes.SHA256())
        certificate = b64encode(self.certificate.public_bytes(Encoding.DER)).decode()
        signature = (
            f'<ds:Signature xmlns:ds="{NS}">{info}<ds:SignatureValue>{b64encode(value).decode()}'
            f"</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}"
            "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
        )
        close = xml.rindex("</")
        return f"{xml[:close]}{signature}{xml[close:]}"
