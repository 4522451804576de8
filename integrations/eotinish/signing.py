"""Who signs our envelopes and judges those of others: a port with two adapters.

`LocalSigner` has an RSA or ECDSA key of its own. The national algorithms (GOST 34.10) are spoken by
an NCANode server that the city runs: ncanode.py.
"""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from integrations.eotinish.faults import unfit
from integrations.eotinish.wsse import (
    SECURITY,
    certificate_of,
    prepare,
    signed_body,
    token_reference,
)
from integrations.eotinish.xml import Element, parse, require_sendable, write

_EXPECTED = SignatureConfiguration(
    require_x509=True,
    expect_references=1,
    location=".//",
    signature_methods=frozenset(
        {
            SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA512,
            SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384,
        }
    ),
    digest_algorithms=frozenset(
        {DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}
    ),
)  # fmt: skip


class Signer(Protocol):
    """Signs envelopes, and judges signed ones."""

    async def sign(self, root: Element) -> bytes:
        """The envelope with its Body signed, as bytes. Raises GatewayFault."""

    async def verify(self, document: bytes) -> Element:
        """The Body that somebody whom we trust has signed. Raises GatewayFault."""


class LocalSigner:
    """Signs by a key in a file; trusts the certificates of another, and those that they issued."""

    def __init__(
        self,
        key: RSAPrivateKey | EllipticCurvePrivateKey,
        certificate: x509.Certificate,
        trusted: Sequence[x509.Certificate],
    ) -> None:
        self._key = key
        self._trusted = tuple(trusted)
        self._own = b64encode(certificate.public_bytes(Encoding.DER)).decode()
        rsa = isinstance(key, RSAPrivateKey)
        self._method = SignatureMethod.RSA_SHA256 if rsa else SignatureMethod.ECDSA_SHA256

    async def sign(self, root: Element) -> bytes:
        """Sign, in a thread: a message of 15 MB takes its time."""
        return await asyncio.to_thread(self._sign, root)

    async def verify(self, document: bytes) -> Element:
        """Judge, in a thread."""
        return await asyncio.to_thread(self._verify, document)

    def _sign(self, root: Element) -> bytes:
        require_sendable(root)
        identity = prepare(root)
        signer = XMLSigner(
            method=SignatureConstructionMethod.detached,
            signature_algorithm=self._method,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        signature = signer.sign(
            root,
            key=self._key,
            reference_uri=f"#{identity}",
            key_info=token_reference(self._own),
        )
        next(root.iter(SECURITY)).append(signature)
        return write(root)

    def _verify(self, document: bytes) -> Element:
        root = parse(document)
        body = signed_body(root)
        certificate = self._trusted_one(certificate_of(root))
        try:
            XMLVerifier().verify(
                root, x509_cert=certificate, expect_config=_EXPECTED, validate_schema=False
            )
        except (SignXMLException, InvalidSignature, ValueError) as error:
            raise unfit(f"badly signed: {type(error).__name__}") from None
        # Not what the verifier returns: exclusive canonicalisation leaves out the namespace of a
        # prefix that stands in xsi:type alone. That this Body is what was signed was judged above.
        return body

    def _trusted_one(self, der: bytes) -> x509.Certificate:
        try:
            certificate = x509.load_der_x509_certificate(der)
        except ValueError:
            raise unfit("no certificate") from None
        if any(certificate == known or _issued(certificate, known) for known in self._trusted):
            return certificate
        raise unfit("a certificate of somebody unknown")


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        basic = by.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(by)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return basic.ca


def read_local(key: Path, certificate: Path, trusted: Path, password: str | None) -> LocalSigner:
    """The signer of PEM files. Raises ValueError and OSError, whose texts name the file."""
    secret = password.encode() if password else None
    private = load_pem_private_key(key.read_bytes(), secret)
    if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey):
        raise ValueError(f"{key}: neither an RSA nor an elliptic key")
    own = x509.load_pem_x509_certificate(certificate.read_bytes())
    if own.public_key() != private.public_key():
        raise ValueError(f"{certificate}: not the certificate of {key}")
    return LocalSigner(private, own, x509.load_pem_x509_certificates(trusted.read_bytes()))
