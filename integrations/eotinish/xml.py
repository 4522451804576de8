"""XML of others, read like a foe's: no entity, no DTD, no network, bounded in size and depth. What
is ours is held to the same bounds before it is signed: who signs it reads it so.
"""

import re

from lxml import etree

from integrations.eotinish.faults import TooLarge, too_large, unfit

LARGEST = 16 * 1024 * 1024
"""Bytes; the gateway's own limit of a message is about 15 MB."""
LONGEST_TEXT = 10_000_000
"""Bytes of one text, by libxml2's own bound (XML_MAX_TEXT_LENGTH)."""
SIGNATURE = 64 * 1024
"""Bytes, more than a signature and its certificate add to an envelope."""
_DECLARED = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)

Element = etree._Element


def parse(body: bytes) -> Element:
    """The root of a document. Raises GatewayFault `answer-unfit`."""
    if len(body) > LARGEST:
        raise TooLarge
    # A SOAP message must not contain a DTD (SOAP 1.1 §3), so none is looked at. In UTF-16 the
    # words would hide; no gateway writes it.
    if _DECLARED.search(body) or body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in body[:200]:
        raise unfit("declarations")
    try:
        root = etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
            raise TooLarge from None
        raise unfit(f"not XML: {type(error).__name__}") from None
    return root


def _parser() -> etree.XMLParser:
    # A parser may serve one thread alone. huge_tree stays off: libxml2 then bounds depth (256)
    # and the length of a text (LONGEST_TEXT).
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        remove_comments=True, remove_pis=True, huge_tree=False,
    )  # fmt: skip


def write(root: Element) -> bytes:
    """The bytes of a document, in UTF-8."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def require_sendable(root: Element) -> None:
    """Raise GatewayFault `too-large` for a document that no signer could read."""
    for element in root.iter():
        text = element.text or ""
        if len(text) > LONGEST_TEXT // 4 and (size := len(text.encode())) > LONGEST_TEXT:
            raise too_large("too-large", size)
    if (size := len(write(root))) > LARGEST - SIGNATURE:
        raise too_large("too-large", size)
