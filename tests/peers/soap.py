"""Signed envelopes as the gateway's stand-in makes and judges them: by hand, with nothing of the
product's, so that the two can contradict each other.
"""

from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DS = "http://www.w3.org/2000/09/xmldsig#"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SHA_256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parent / "shep" / "all.xsd")))

Element = etree._Element


def texts(parent: Element, **said: str) -> None:
    """Children of these names with these texts."""
    for name, text in said.items():
        etree.SubElement(parent, name).text = text


def typed(namespace: str, type_: str) -> Element:
    """An empty `data` of a type."""
    data = etree.Element("data", nsmap={"q": namespace, "xsi": XSI})
    data.set(f"{{{XSI}}}type", f"q:{type_}")
    return data


class Refused(Exception):
    """An envelope that the gateway does not take: its code, and why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def c14n(element: Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


class Seal:
    """A key and a certificate that sign, and the certificate of whoever else may."""

    def __init__(self, key: Path, certificate: Path, other: Path) -> None:
        private = load_pem_private_key(key.read_bytes(), None)
        assert isinstance(private, RSAPrivateKey)
        self._key = private
        own = x509.load_pem_x509_certificate(certificate.read_bytes())
        self._own = b64encode(own.public_bytes(Encoding.DER)).decode()
        self._other = x509.load_pem_x509_certificate(other.read_bytes())

    def sign(self, content: Element) -> bytes:
        """An envelope around a wrapper, its Body signed."""
        identity = f"id-{uuid4()}"
        body = etree.Element(f"{{{SOAP}}}Body", nsmap={"soap": SOAP, "wsu": WSU})
        body.set(f"{{{WSU}}}Id", identity)
        body.append(content)
        digest = b64encode(sha256(c14n(body)).digest()).decode()
        info = etree.fromstring(
            f'<ds:SignedInfo xmlns:ds="{DS}">'
            f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
            f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"/>'
            f'<ds:Reference URI="#{identity}"><ds:Transforms>'
            f'<ds:Transform Algorithm="{EXCLUSIVE}"/></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{SHA_256}"/><ds:DigestValue>{digest}</ds:DigestValue>'
            "</ds:Reference></ds:SignedInfo>"
        )
        value = b64encode(self._key.sign(c14n(info), PKCS1v15(), SHA256())).decode()
        head = (
            f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Header>'
            f'<wsse:Security xmlns:wsse="{WSSE}" soap:mustUnderstand="1">'
            f'<ds:Signature xmlns:ds="{DS}">{etree.tostring(info).decode()}'
            f"<ds:SignatureValue>{value}</ds:SignatureValue>"
            "<ds:KeyInfo><wsse:SecurityTokenReference>"
            f'<wsse:KeyIdentifier EncodingType="{PROFILE}-soap-message-security-1.0#Base64Binary"'
            f' ValueType="{PROFILE}-x509-token-profile-1.0#X509v3">{self._own}'
            "</wsse:KeyIdentifier></wsse:SecurityTokenReference></ds:KeyInfo>"
            "</ds:Signature></wsse:Security></soap:Header>"
        )
        return f"{head}{etree.tostring(body).decode()}</soap:Envelope>".encode()

    def open(self, document: bytes) -> Element:
        """The wrapper of an envelope that is well formed, well signed and of the schema."""
        try:
            root = etree.fromstring(
                document, etree.XMLParser(resolve_entities=False, huge_tree=True)
            )
        except etree.XMLSyntaxError as error:
            raise Refused("VAL-JSR-001", f"not XML: {error}") from None
        bodies = root.findall(f"{{{SOAP}}}Body")
        signatures = root.findall(f"{{{SOAP}}}Header/{{{WSSE}}}Security/{{{DS}}}Signature")
        if len(bodies) != 1 or len(signatures) != 1:
            raise Refused("SBF-VE-8", "not one body and one signature")
        self._judge(signatures[0], bodies[0])
        if len(bodies[0]) != 1:
            raise Refused("VAL-JSR-001", "not one wrapper")
        if not SCHEMA.validate(bodies[0][0]):
            raise Refused("VAL-JSR-001", str(SCHEMA.error_log)[:500])
        return bodies[0][0]

    def _judge(self, signature: Element, body: Element) -> None:
        info = signature.find(f"{{{DS}}}SignedInfo")
        assert info is not None
        references = info.findall(f"{{{DS}}}Reference")
        if [one.get("URI") for one in references] != [f"#{body.get(f'{{{WSU}}}Id')}"]:
            raise Refused("SBF-VE-8", "the signature is not over the body")
        digest = references[0].findtext(f"{{{DS}}}DigestValue", "")
        if b64decode(digest) != sha256(c14n(body)).digest():
            raise Refused("SBF-VE-8", "another body was signed")
        token = f"{{{DS}}}KeyInfo/{{{WSSE}}}SecurityTokenReference/{{{WSSE}}}KeyIdentifier"
        own = b64encode(self._other.public_bytes(Encoding.DER)).decode()
        if signature.findtext(token) != own:
            raise Refused("SBF-VE-8", "a certificate of somebody else")
        value = b64decode(signature.findtext(f"{{{DS}}}SignatureValue", ""))
        key = self._other.public_key()
        try:
            if isinstance(key, RSAPublicKey):
                key.verify(value, c14n(info), PKCS1v15(), SHA256())
            else:
                assert isinstance(key, EllipticCurvePublicKey)
                half = len(value) // 2
                pair = (int.from_bytes(value[:half]), int.from_bytes(value[half:]))
                key.verify(encode_dss_signature(*pair), c14n(info), ECDSA(SHA256()))
        except InvalidSignature:
            raise Refused("SBF-VE-8", "a bad signature") from None
