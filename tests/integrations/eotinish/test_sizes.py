"""What would be too large for a signer is told before it signs, and what is not is signed."""

from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from lxml import etree

from domain.eotinish.model import GatewayFault, Remedy
from integrations.eotinish import envelope as e
from integrations.eotinish.files import write_upload
from integrations.eotinish.ncanode import NcaNodeSigner
from integrations.eotinish.signing import Signer
from integrations.eotinish.xml import LONGEST_TEXT
from tests.integrations.eotinish.conftest import AT, city_of, gateway_of
from tests.support.eotinish import packed
from tests.support.providers import running_peer

SENDER = e.Sender("a", "b")
LARGEST = LONGEST_TEXT // 4 * 3
MEGABYTES = 1024 * 1024


@pytest.fixture(params=["local", "ncanode"])
async def signer(request, keys) -> AsyncIterator[Signer]:
    if request.param == "local":
        yield city_of(keys)
        return
    with running_peer("tests.peers.ncanode_wsse") as url:
        key = b64encode(packed(keys, "s")).decode()
        made = NcaNodeSigner(url, key, "s", issuers=frozenset())
        yield made
        await made.close()


def upload(size: int) -> etree._Element:
    """The envelope that lays a file of so many bytes into the store."""
    data = write_upload("id", "хат.pdf", "application/pdf", bytes(size), SENDER)
    return e.sync_request(
        message_id="m", correlation_id="m", service="S", at=AT, sender=SENDER, data=data
    )


async def test_the_largest_file_that_may_travel_is_signed(signer, keys):
    wrapper = gateway_of(keys).open(await signer.sign(upload(LARGEST)))
    assert len(next(wrapper.iter("content")).text or "") == LONGEST_TEXT


@pytest.mark.parametrize("size", [LARGEST + 1, 8 * MEGABYTES, 12 * MEGABYTES], ids=str)
async def test_what_is_larger_waits_for_people_and_is_not_tried_again(signer, size: int):
    with pytest.raises(GatewayFault) as refused:
        await signer.sign(upload(size))
    assert (refused.value.fault, refused.value.remedy) == ("too-large", Remedy.QUARANTINE)


async def test_an_envelope_of_many_texts_is_bounded_as_a_whole(signer):
    root = upload(LARGEST)
    file = next(root.iter("fileUploadRequests"))
    etree.SubElement(file, "content").text = "A" * (7 * MEGABYTES)
    with pytest.raises(GatewayFault, match="too-large") as refused:
        await signer.sign(root)
    assert refused.value.remedy is Remedy.QUARANTINE
