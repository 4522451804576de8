"""Whether a signed XML is ours, signed whole and once.

A judge of signatures answers that every signature in a document is good. It does not answer what
they are over: a signature over a part, or over something that was moved into it, is good as well
(signature wrapping). So the form is judged here: our document unchanged, one enveloped XMLDSig
signature beside its content, over the whole of it (URI ""), by transforms that leave nothing out.
"""

import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

DS = "{http://www.w3.org/2000/09/xmldsig#}"
LONGEST = 100_000
"""Characters of a signed document; a certificate takes some thousands."""
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_C14N = ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11",
         "http://www.w3.org/2001/10/xml-exc-c14n#")  # fmt: skip
WHOLE = frozenset({ENVELOPED, *_C14N, *(f"{name}#WithComments" for name in _C14N[:2]),
                   f"{_C14N[2]}WithComments"})  # fmt: skip
_PARTS = [f"{DS}SignedInfo", f"{DS}SignatureValue", f"{DS}KeyInfo"]


class NotOurs(ValueError):
    """The document is another, or its signature does not cover it. The message says which rule."""


def write_document(service: str, nonce: str, at: str) -> str:
    """The document that a login signs: for which service, its nonce, and when."""
    said = {"service": service, "nonce": nonce, "at": at}
    return f"<login>{''.join(f'<{n}>{escape(v)}</{n}>' for n, v in said.items())}</login>"


def require_ours(signed: str, original: str) -> None:
    """Raise NotOurs unless `signed` is `original` with one signature over the whole of it."""
    root = _read(signed)
    signatures = list(root.iter(f"{DS}Signature"))
    if len(signatures) != 1 or signatures[0] not in list(root):
        raise NotOurs("not one signature beside the content")
    signature = signatures[0]
    _require_whole(signature)
    if signature.tail and signature.tail.strip():
        raise NotOurs("text after the signature")
    root.remove(signature)
    if _canonical(root) != _canonical(_read(original)):
        raise NotOurs("another document")


def _read(text: str) -> ET.Element:
    # No DTD, so no entity and no default attribute; no comment and no CDATA either: ours has none.
    body = text.removeprefix("\ufeff").lstrip()
    if len(text) > LONGEST or "<!" in body:
        raise NotOurs("too long, or with declarations")
    try:
        return ET.fromstring(body)  # noqa: S314  nothing can be declared in it
    except (ET.ParseError, ValueError, RecursionError):
        raise NotOurs("not XML") from None


def _require_whole(signature: ET.Element) -> None:
    if [part.tag for part in signature] != _PARTS:
        raise NotOurs("a signature of another form")
    info = signature[0]
    references = info.findall(f"{DS}Reference")
    if len(references) != 1 or len(list(info.iter(f"{DS}Reference"))) != 1:
        raise NotOurs("not one reference")
    if references[0].get("URI") != "":
        raise NotOurs("a signature over a part")
    transforms = [one.get("Algorithm") for one in references[0].iter(f"{DS}Transform")]
    if ENVELOPED not in transforms or not set(transforms) <= WHOLE:
        raise NotOurs("transforms that may leave something out")


def _canonical(root: ET.Element) -> str:
    return ET.canonicalize(ET.tostring(root, encoding="unicode"), strip_text=True)
