"""What the temporary store of files answers, and what is believed of it."""

from base64 import b64encode

import pytest
from lxml import etree

from domain.eotinish.model import GatewayFault, Remedy
from integrations.eotinish.files import TEMPORARY, read_downloaded, require_carried
from integrations.eotinish.xml import LONGEST_TEXT, parse

CONTENT = b"%PDF-1.7 kishi"


def answer(*results: str, space: str = "") -> etree._Element:
    """An answer to a download, in the store's namespace where `space` names it."""
    named = f' xmlns="{space}"' if space else ""
    return etree.fromstring(
        f"<data{named}><type>DOWNLOAD</type><downloadResponse>{''.join(results)}"
        "</downloadResponse></data>"
    )


def result(id: str = "f-1", inside: str = "") -> str:
    content = inside or f"<content>{b64encode(CONTENT).decode()}</content>"
    return (
        "<fileDownloadResults><status><code>0</code><status>OK</status><message>none</message>"
        f"</status><fileIdentifier>{id}</fileIdentifier>{content}"
        "<meta><name>хат.pdf</name><mime>Application/PDF</mime></meta></fileDownloadResults>"
    )


@pytest.mark.parametrize("space", ["", TEMPORARY], ids=["bare", "qualified"])
def test_a_file_is_read_whether_its_elements_are_qualified_or_not(space: str):
    found = read_downloaded(answer(result("f-0"), result(), space=space), "f-1")
    assert (found.content, found.name, found.media_type) == (CONTENT, "хат.pdf", "application/pdf")


@pytest.mark.parametrize("claim", ["@file/pdf", "pdf", ""])
def test_what_is_no_media_type_is_no_claim(claim: str):
    said = result().replace("Application/PDF", claim)
    assert read_downloaded(answer(said), "f-1").media_type is None


def test_one_that_is_not_there_waits_for_people():
    with pytest.raises(GatewayFault) as refused:
        read_downloaded(answer(result(inside="<!-- gone -->")), "f-1")
    assert (refused.value.fault, refused.value.remedy) == ("file-refused", Remedy.QUARANTINE)
    assert refused.value.detail == "none"


@pytest.mark.parametrize(
    "results",
    [(), (result("f-2"),), (result(), result()), (result(inside="<content>@@</content>"),)],
    ids=["none", "another", "twice", "no base64"],
)
def test_an_answer_that_says_nothing_of_the_file_is_asked_for_again(results):
    with pytest.raises(GatewayFault) as odd:
        read_downloaded(answer(*results), "f-1")
    assert (odd.value.fault, odd.value.remedy) == ("answer-unfit", Remedy.RETRY)


def test_no_answer_is_asked_for_again():
    with pytest.raises(GatewayFault) as odd:
        read_downloaded(None, "f-1")
    assert odd.value.remedy is Remedy.RETRY


def test_a_text_that_is_too_long_to_be_read_is_told_from_what_is_no_xml():
    with pytest.raises(GatewayFault, match="too large"):
        parse(b"<data>" + b"A" * (11 * 1024 * 1024) + b"</data>")
    with pytest.raises(GatewayFault, match="not XML"):
        parse(b"<data>")


def test_a_file_that_no_envelope_can_hold_is_refused_and_the_largest_is_not():
    largest = LONGEST_TEXT // 4 * 3
    require_carried(bytes(largest))
    assert len(parse(b"<a>" + b64encode(bytes(largest)) + b"</a>").text or "") == LONGEST_TEXT
    with pytest.raises(GatewayFault) as refused:
        require_carried(bytes(largest + 1))
    assert (refused.value.fault, refused.value.remedy) == ("file-too-large", Remedy.QUARANTINE)
