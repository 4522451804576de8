"""A signature counts only over the whole of our own document."""

from collections.abc import Callable

import pytest

from integrations.egov.signed_xml import NotOurs, require_ours, write_document
from tests.support.telephone import C14N, ENVELOPED, Telephone, authority

DOCUMENT = write_document("https://109.example", "a-nonce-of-this-login", "2026-01-01T00:00:00Z")
OTHER = DOCUMENT.replace("a-nonce", "b-nonce")
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"


@pytest.fixture(scope="module")
def telephone() -> Telephone:
    return authority().telephone()


def test_our_document_signed_whole_is_ours(telephone: Telephone):
    require_ours(telephone.sign(DOCUMENT), DOCUMENT)


def test_a_declaration_and_line_breaks_change_nothing(telephone: Telephone):
    signed = telephone.sign(DOCUMENT).replace("<ds:KeyInfo>", "\r\n<ds:KeyInfo>")
    require_ours(f'<?xml version="1.0" encoding="utf-8" standalone="no"?>\r\n{signed}', DOCUMENT)


def moved(telephone: Telephone) -> str:
    """Signature wrapping: the signed document is moved aside, another stands in its place."""
    part = OTHER.replace("<login>", '<login Id="x">')
    signed = telephone.sign(f"<a>{part}</a>", uri="#x", target="x")
    signature = signed[signed.index("<ds:Signature") : signed.index("</ds:Signature>")]
    signature += f"<ds:Object>{part}</ds:Object></ds:Signature>"
    return DOCUMENT.replace("</login>", f"{signature}</login>")


FORGERIES: dict[str, Callable[[Telephone], str]] = {
    "unsigned": lambda telephone: DOCUMENT,
    "another nonce": lambda telephone: telephone.sign(OTHER),
    "a nonce more": lambda telephone: telephone.sign(DOCUMENT).replace(
        "<nonce>", "<nonce>x</nonce><nonce>"
    ),
    "signed twice": lambda telephone: telephone.sign(telephone.sign(DOCUMENT)),
    "a signature inside the content": lambda telephone: telephone.sign(DOCUMENT).replace(
        "<service>", "<service><ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>"
    ),
    "over a part": lambda telephone: telephone.sign(
        DOCUMENT.replace("<at>", '<at Id="p">'), uri="#p", target="p"
    ),
    "moved": moved,
    "an XPath that leaves out": lambda telephone: telephone.sign(
        DOCUMENT, transforms=(ENVELOPED, XPATH, C14N)
    ),
    "not enveloped": lambda telephone: telephone.sign(DOCUMENT, transforms=(C14N,)),
    "two references": lambda telephone: telephone.sign(DOCUMENT).replace(
        "</ds:Reference>", "</ds:Reference><ds:Reference URI=''/>"
    ),
    "an attribute": lambda telephone: telephone.sign(DOCUMENT).replace("<login>", '<login a="b">'),
    "text after": lambda telephone: telephone.sign(DOCUMENT).replace("</login>", "x</login>"),
    "text before": lambda telephone: telephone.sign(DOCUMENT).replace("<login>", "<login>x"),
    "a comment": lambda telephone: telephone.sign(DOCUMENT).replace("a-nonce", "a-<!---->nonce"),
    "another root": lambda telephone: f"<x>{telephone.sign(DOCUMENT)}</x>",
    "a DTD": lambda telephone: f"<!DOCTYPE login>{telephone.sign(DOCUMENT)}",
    "entities": lambda telephone: (
        f'<!DOCTYPE l [<!ENTITY a "{"x" * 50}">]>{telephone.sign(DOCUMENT)}'
    ),
    "endless": lambda telephone: telephone.sign(DOCUMENT) + " " * 100_000,
    "deep": lambda telephone: "<a>" * 20_000,
    "no XML": lambda telephone: "{}",
    "nothing": lambda telephone: "",
    "no key": lambda telephone: telephone.sign(DOCUMENT).replace("ds:KeyInfo", "ds:KeyName"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_whatever_else_was_signed_is_not(telephone: Telephone, forgery: str):
    with pytest.raises(NotOurs):
        require_ours(FORGERIES[forgery](telephone), DOCUMENT)


def test_a_service_is_never_markup():
    assert "<a/>" not in write_document("<a/>", "n", "t")
