"""The national algorithms, through an NCANode server of which its verdict alone is believed."""

from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from lxml import etree

from domain.eotinish.model import GatewayFault, Remedy
from integrations.eotinish import envelope as e
from integrations.eotinish.ncanode import NcaNodeSigner
from tests.integrations.eotinish.conftest import gateway_of
from tests.support.eotinish import packed
from tests.support.providers import Peer, running_peer

PASSWORD = "құпия"


@pytest.fixture(scope="module")
def node() -> Iterator[Peer]:
    with running_peer("tests.peers.ncanode_wsse") as url:
        yield Peer(url)


@pytest.fixture
async def signer(node: Peer, keys) -> AsyncIterator[NcaNodeSigner]:
    node.mood()
    key = b64encode(packed(keys, PASSWORD)).decode()
    made = NcaNodeSigner(node.url, key, PASSWORD, issuers=frozenset())
    yield made
    await made.close()


def question() -> etree._Element:
    at = datetime(2026, 11, 28, tzinfo=UTC)
    return e.fetch_request(service="S", amount=5, at=at, sender=e.Sender("a", "b"))


def answer(folder) -> bytes:
    return gateway_of(folder).sign(etree.fromstring("<answer><number>1</number></answer>"))


async def test_an_envelope_is_signed_there_and_taken_by_the_gateway(signer, keys):
    signed = await signer.sign(question())
    assert gateway_of(keys).open(signed).tag == f"{{{e.ASYNC}}}getMessages"


async def test_an_answer_is_judged_there(signer, keys):
    body = await signer.verify(answer(keys))
    assert body.findtext(".//number") == "1"


DOUBTS: list[dict[str, object]] = [
    {"valid": False}, {"signers": []}, {"signers": [{"valid": False}]},
]  # fmt: skip


@pytest.mark.parametrize("mood", DOUBTS, ids=str)
async def test_no_answer_is_believed_but_for_one_good_signer(signer, node, keys, mood):
    node.mood(**mood)
    with pytest.raises(GatewayFault, match="answer-unfit"):
        await signer.verify(answer(keys))


async def test_a_signature_over_something_else_is_refused_whatever_the_node_says(
    signer, node, keys
):
    node.mood(valid=True)
    root = etree.fromstring(answer(keys))
    signed = root[1]
    forged = etree.fromstring(etree.tostring(signed).replace(b">1<", b">2<"))
    root.replace(signed, forged)
    etree.SubElement(root[0], "aside").append(signed)
    with pytest.raises(GatewayFault, match="stands twice"):
        await signer.verify(etree.tostring(root))


async def test_another_signers_bin_is_refused_where_the_city_names_whose_it_takes(
    signer, node, keys
):
    strict = NcaNodeSigner(node.url, "", "", issuers=frozenset({"991240000003"}))
    with pytest.raises(GatewayFault, match="somebody unknown"):
        await strict.verify(answer(keys))
    await strict.close()


async def test_a_node_that_signs_something_else_is_found_out(signer, node):
    node.mood(other=True)
    with pytest.raises(GatewayFault, match="another envelope") as refused:
        await signer.sign(question())
    assert refused.value.remedy is Remedy.FIX


async def test_a_node_that_is_down_is_asked_again_later(signer, node):
    node.mood(status=503)
    with pytest.raises(GatewayFault) as refused:
        await signer.sign(question())
    assert (refused.value.fault, refused.value.remedy) == ("signer-unreachable", Remedy.RETRY)
