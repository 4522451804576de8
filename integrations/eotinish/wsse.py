"""The form of a signed envelope: WS-Security 1.0 with one XMLDSig signature over the Body alone.

A judge of signatures answers that a signature is good, not what it is over, and NCANode takes the
first that it meets. So before anybody is asked the form is judged here: one Security header with
one signature, whose one reference is the id of the one Body, by exclusive canonicalisation that
leaves nothing out. What is read afterwards is that Body.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from uuid import uuid4

from lxml import etree

from integrations.eotinish.envelope import BODY, SOAP
from integrations.eotinish.faults import unfit
from integrations.eotinish.xml import Element

DS = "http://www.w3.org/2000/09/xmldsig#"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
X509V3 = f"{_WSS}-x509-token-profile-1.0#X509v3"
BASE64 = f"{_WSS}-soap-message-security-1.0#Base64Binary"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"

HEADER, SECURITY = f"{{{SOAP}}}Header", f"{{{WSSE}}}Security"
ID = f"{{{WSU}}}Id"


def prepare(root: Element) -> str:
    """Give an envelope its empty Security header and its Body an id; that id."""
    body = root.find(BODY)
    if body is None:
        raise ValueError("an envelope without a body")
    identity = f"id-{uuid4()}"
    body.set(ID, identity)
    header = etree.Element(HEADER, nsmap={"soap": SOAP})
    root.insert(0, header)
    security = etree.SubElement(header, SECURITY, nsmap={"wsse": WSSE})
    security.set(f"{{{SOAP}}}mustUnderstand", "1")
    return identity


def token_reference(certificate: str) -> Element:
    """The KeyInfo that carries a certificate (DER in base64)."""
    info = etree.Element(f"{{{DS}}}KeyInfo", nsmap={"ds": DS})
    reference = etree.SubElement(info, f"{{{WSSE}}}SecurityTokenReference", nsmap={"wsse": WSSE})
    identifier = etree.SubElement(reference, f"{{{WSSE}}}KeyIdentifier")
    identifier.set("EncodingType", BASE64)
    identifier.set("ValueType", X509V3)
    identifier.text = certificate
    return info


def signed_body(root: Element) -> Element:
    """The Body that the envelope's one signature is over, if it is good. Raises GatewayFault
    `answer-unfit`, which names the rule that is broken.
    """
    if root.tag != f"{{{SOAP}}}Envelope":
        raise unfit("no envelope")
    bodies = [child for child in root if child.tag == BODY]
    headers = [child for child in root if child.tag == HEADER]
    if len(bodies) != 1 or len(headers) != 1 or len(root) != 2:
        raise unfit("not one header and one body")
    signatures = list(root.iter(f"{{{DS}}}Signature"))
    if len(signatures) != 1:
        raise unfit("not one signature")
    security = signatures[0].getparent()
    if security is None or security.tag != SECURITY or security.getparent() is not headers[0]:
        raise unfit("a signature elsewhere")
    _require_over(signatures[0], bodies[0], root)
    return bodies[0]


def _require_over(signature: Element, body: Element, root: Element) -> None:
    references = list(signature.iter(f"{{{DS}}}Reference"))
    info = signature.find(f"{{{DS}}}SignedInfo")
    if info is None or len(references) != 1 or references[0].getparent() is not info:
        raise unfit("not one reference")
    identity = body.get(ID)
    if not identity or references[0].get("URI") != f"#{identity}":
        raise unfit("a signature over something else")
    # Whoever looks the id up by any attribute of such a name must find the Body and nothing more.
    named = [
        one for one in root.iter() for name, value in one.attrib.items()
        if etree.QName(name).localname.lower() == "id" and value == identity
    ]  # fmt: skip
    if named != [body]:
        raise unfit("an id that stands twice")
    for transform in references[0].iter(f"{{{DS}}}Transform"):
        if transform.get("Algorithm") != EXCLUSIVE:
            raise unfit("a transform that may leave something out")


def certificate_of(root: Element) -> bytes:
    """The certificate that a signature names, DER. Raises GatewayFault `answer-unfit`."""
    path = f".//{{{DS}}}KeyInfo/{{{WSSE}}}SecurityTokenReference/{{{WSSE}}}KeyIdentifier"
    found = root.findall(path)
    if len(found) != 1 or found[0].get("ValueType") != X509V3:
        raise unfit("not one certificate")
    try:
        return b64decode("".join((found[0].text or "").split()), validate=True)
    except (NotBase64, ValueError):
        raise unfit("a certificate that is not base64") from None
