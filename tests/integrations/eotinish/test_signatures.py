"""An answer is believed for its signature over its one Body, and for nothing else."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from lxml import etree

from domain.eotinish.model import GatewayFault
from integrations.eotinish.wsse import DS, WSU
from integrations.eotinish.xml import LARGEST, parse
from tests.integrations.eotinish.conftest import city_of, gateway_of
from tests.peers.soap import WSSE
from tests.support.eotinish import write_keys

Forge = Callable[[etree._Element], None]


def answer(folder) -> bytes:
    content = etree.fromstring(
        '<a:answer xmlns:a="urn:a"><number>ЖТ-2026-00000001</number></a:answer>'
    )
    return gateway_of(folder).sign(content)


async def test_an_answer_of_the_gateway_is_read(keys):
    body = await city_of(keys).verify(answer(keys))
    assert body.findtext(".//number") == "ЖТ-2026-00000001"


def _changed(root: etree._Element) -> None:
    next(root.iter("number")).text = "ЖТ-2026-99999999"


def _unsigned(root: etree._Element) -> None:
    security = next(root.iter(f"{{{WSSE}}}Security"))
    security.remove(security[0])


def _second_body(root: etree._Element) -> None:
    forged = deepcopy(root[1])
    next(forged.iter("number")).text = "ЖТ-2026-99999999"
    forged.set(f"{{{WSU}}}Id", "other")
    root.append(forged)


def _moved_aside(root: etree._Element) -> None:
    """Wrapping: the signed body goes into the header, another takes its place."""
    signed = root[1]
    forged = deepcopy(signed)
    next(forged.iter("number")).text = "ЖТ-2026-99999999"
    forged.set(f"{{{WSU}}}Id", "forged")
    root.replace(signed, forged)
    etree.SubElement(root[0], "{urn:aside}aside").append(signed)


def _same_id(root: etree._Element) -> None:
    """The same id once more, by an attribute that some resolvers look at first."""
    twin = deepcopy(root[1][0])
    twin.set("Id", root[1].get(f"{{{WSU}}}Id") or "")
    etree.SubElement(root[0], "{urn:aside}aside").append(twin)


def _two_signatures(root: etree._Element) -> None:
    security = next(root.iter(f"{{{WSSE}}}Security"))
    security.append(deepcopy(security[0]))


def _two_references(root: etree._Element) -> None:
    info = next(root.iter(f"{{{DS}}}SignedInfo"))
    info.append(deepcopy(info[-1]))


def _whole_document(root: etree._Element) -> None:
    next(root.iter(f"{{{DS}}}Reference")).set("URI", "")


def _other_transform(root: etree._Element) -> None:
    next(root.iter(f"{{{DS}}}Transform")).set(
        "Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116"
    )


def _elsewhere(root: etree._Element) -> None:
    root[1].append(next(root.iter(f"{{{DS}}}Signature")))


def _weak(root: etree._Element) -> None:
    next(root.iter(f"{{{DS}}}SignatureMethod")).set(
        "Algorithm", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    )


FORGERIES: list[Forge] = [
    _changed, _unsigned, _second_body, _moved_aside, _same_id, _two_signatures, _two_references,
    _whole_document, _other_transform, _elsewhere, _weak,
]  # fmt: skip


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda one: one.__name__.strip("_"))
async def test_no_forged_answer_is_read(forge: Forge, keys):
    root = etree.fromstring(answer(keys))
    forge(root)
    with pytest.raises(GatewayFault, match="answer-unfit"):
        await city_of(keys).verify(etree.tostring(root))


async def test_a_good_signature_of_somebody_else_is_not_believed(keys, tmp_path):
    from tests.support.telephone import authority

    stranger = authority("Бөтен шлюз")
    write_keys(tmp_path)
    (tmp_path / "gateway.crt").write_bytes(stranger.pem)
    with pytest.raises(GatewayFault, match="somebody unknown"):
        await city_of(tmp_path).verify(answer(keys))


BOMBS = {
    "entities": b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;&b;">]><a>&d;</a>',
    "external": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "parameter": b'<!doctype a [<!ENTITY % b SYSTEM "http://127.0.0.1/x"> %b;]><a/>',
    "hidden in UTF-16": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
    "deep": b"<a>" * 5000 + b"</a>" * 5000,
    "large": b"<a>" + b" " * LARGEST + b"</a>",
    "long text": b"<a>" + b"x" * 10_500_000 + b"</a>",
    "not XML": b"<html><br></html>",
    "nothing": b"",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_no_bomb_is_opened(bomb: bytes):
    with pytest.raises(GatewayFault, match="answer-unfit"):
        parse(bomb)
