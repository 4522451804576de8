"""What we send is valid by the gateway's published schemas, and signed as it judges signatures."""

from typing import Any

import pytest
from lxml import etree

from domain.eotinish.model import Delivery, GatewayFault, Notice, Poison, Remedy
from integrations.eotinish import envelope as e
from integrations.eotinish.contract import Contract
from integrations.eotinish.files import write_download, write_upload
from integrations.eotinish.payload import peek, read_told, write_data
from integrations.eotinish.xml import write
from tests.integrations.eotinish.conftest import AT, city_of, gateway_of
from tests.peers.eotinish import Letter, letter_data
from tests.peers.soap import SCHEMA, SOAP

SENDER = e.Sender("ikomek-kishi", "s3cret")
VALUES: dict[str, Any] = {
    "files": ["6f9619ff-8b86-d011-b42d-00c04fc964ff"], "sequence": 7,
    "message_id": "01a2-event", "address": "Абай көшесі, 12, кв. 4", "at": AT,
    "text": "Жолда люк ашық тұр & <қақпағы> жоқ", "email": "a@example.kz", "name": "Айгүл Серікова",
    "own_number": "KIS-2026-000001", "phone": "+77015550109", "iin": "991231600002",
    "type": "da186314-311c-4ec5-a313-014890d2cc8c", "language": "KZ", "anonymous": False,
    "state": "CREATED", "number": "ЖТ-2026-00000001", "executor": "Су арнасы", "satisfied": True,
    "rating": 5,
}  # fmt: skip


def wrapped(root: etree._Element) -> etree._Element:
    return root.findall(f"{{{SOAP}}}Body")[0][0]


def envelope_of(notice: Notice, contract: Contract) -> etree._Element:
    data = write_data(contract.fields.notices[notice], VALUES, contract)
    if notice is Notice.REGISTER:
        return e.sync_request(
            message_id="01a2-event", correlation_id="case", service="S", at=AT, sender=SENDER,
            data=data,
        )  # fmt: skip
    return e.async_request(correlation_id="case", service="S", at=AT, sender=SENDER, data=data)


@pytest.mark.parametrize("notice", Notice, ids=str)
def test_every_notice_is_valid_by_the_published_shapes(notice: Notice, contract: Contract):
    root = etree.fromstring(write(envelope_of(notice, contract)))
    assert SCHEMA.validate(wrapped(root)), SCHEMA.error_log
    assert len(list(root.iter("data"))) == 1


def test_every_call_without_a_notice_is_valid_too(contract: Contract):
    said: dict[str, Any] = {"service": "S", "at": AT, "sender": SENDER}
    questions = contract.fields.questions
    asked = [
        write_data(questions["list"], {"after": "ЖТ-2026-00000001", "limit": 500}, contract),
        write_data(questions["again"], {"number": "ЖТ-2026-00000001", "version": 3}, contract),
        write_upload("id", "сурет.jpg", "image/jpeg", b"\xff\xd8", SENDER),
        write_download("6f9619ff-8b86-d011-b42d-00c04fc964ff", SENDER),
    ]
    roots = [
        e.fetch_request(amount=100, **said),
        e.accepted_request(message_id="m", **said),
        e.status_request(message_id="m", at=AT, sender=SENDER),
        *(e.sync_request(message_id="m", correlation_id="m", data=data, **said) for data in asked),
    ]
    for root in roots:
        assert SCHEMA.validate(wrapped(etree.fromstring(write(root)))), SCHEMA.error_log


def test_the_schemas_refuse_what_the_gateway_would(contract: Contract):
    root = envelope_of(Notice.REGISTER, contract)
    info = next(root.iter("requestInfo"))
    info.append(info[0])  # messageId after the sender: the order is fixed
    assert not SCHEMA.validate(wrapped(root))


@pytest.mark.parametrize("kind", ["keys", "elliptic_keys"])
async def test_the_gateway_takes_our_signature(kind: str, contract: Contract, request):
    folder = request.getfixturevalue(kind)
    signed = await city_of(folder).sign(envelope_of(Notice.REGISTER, contract))
    wrapper = gateway_of(folder).open(signed)
    assert wrapper.tag == f"{{{e.SYNC}}}SendMessage"


async def test_what_xml_cannot_hold_is_left_out_and_the_rest_arrives(contract: Contract, keys):
    values = VALUES | {"text": "қоңырау\x00\x08 ☎ \ud800соңы"}
    data = write_data(contract.fields.notices[Notice.REGISTER], values, contract)
    root = e.sync_request(
        message_id="m", correlation_id="c", service="S", at=AT, sender=SENDER, data=data
    )
    wrapper = gateway_of(keys).open(await city_of(keys).sign(root))
    assert next(wrapper.iter("description")).text == "қоңырау ☎ соңы"


def test_a_field_that_the_contract_demands_is_never_left_out(contract: Contract):
    lacking = {name: value for name, value in VALUES.items() if name != "own_number"}
    with pytest.raises(Poison, match="field-missing own_number"):
        write_data(contract.fields.notices[Notice.REGISTER], lacking, contract)


FAULT = (
    f'<soap:Body xmlns:soap="{SOAP}"><soap:Fault><faultcode>soap:Server</faultcode>'
    "<faultstring>x</faultstring><detail><d><errorCode>{0}</errorCode>"
    "<errorMessage>жоқ</errorMessage></d></detail></soap:Fault></soap:Body>"
)
NAMED = [
    ("FAULT015", "receiver-unreachable", Remedy.RETRY),
    ("FAULT-015", "receiver-unreachable", Remedy.RETRY),
    ("SBF-AD-1", "access-denied", Remedy.FIX),
    ("SBF-VE-8", "signature-refused", Remedy.FIX),
    ("VAL-JSR-001", "schema-refused", Remedy.QUARANTINE),
    ("VAL-R-004", "schema-refused", Remedy.QUARANTINE),
    ("SCSE001", "receiver-refused", Remedy.QUARANTINE),
    ("XYZ-1", "unknown-fault", Remedy.FIX),
]


@pytest.mark.parametrize(("code", "fault", "remedy"), NAMED, ids=[one[0] for one in NAMED])
def test_every_code_of_the_gateway_has_a_name_and_a_remedy(
    code: str, fault: str, remedy: Remedy, contract: Contract
):
    found = e.read_fault(etree.fromstring(FAULT.format(code)))
    assert found is not None
    assert found.code == code
    outcome = contract.outcome(found.code, fault=True)
    assert (outcome.fault, outcome.remedy) == (fault, remedy)


def test_a_status_that_nobody_listed_is_about_its_message_alone(contract: Contract):
    outcome = contract.outcome("XYZ-1", fault=False)
    assert (outcome.fault, outcome.remedy) == ("unknown-status", Remedy.QUARANTINE)
    assert contract.outcome("SCSE001", fault=False).fault == "receiver-refused"


def test_an_answer_of_another_form_is_not_read():
    body = etree.fromstring(f'<soap:Body xmlns:soap="{SOAP}"><other/></soap:Body>')
    for read in (e.read_answer, e.read_sent, e.read_noted, e.read_fetched, e.read_status):
        with pytest.raises(GatewayFault, match="answer-unfit"):
            read(body)


@pytest.mark.parametrize("said", [*Delivery, "LOST"], ids=str)
def test_what_became_of_a_message_is_read_and_nothing_else_is(said: str):
    body = etree.fromstring(
        f'<soap:Body xmlns:soap="{SOAP}"><a:getMessageStatusResponse xmlns:a="{e.ASYNC}">'
        f"<response><messageState>{said}</messageState></response></a:getMessageStatusResponse>"
        "</soap:Body>"
    )
    if said in list(Delivery):
        assert e.read_status(body) == said
        return
    with pytest.raises(GatewayFault, match="answer-unfit"):
        e.read_status(body)


WAITING = (
    f'<soap:Body xmlns:soap="{SOAP}"><a:getMessagesResponse xmlns:a="{e.ASYNC}"><response>'
    "<responseDate>2026-11-28T04:30:15.123Z</responseDate>{0}</response>"
    "</a:getMessagesResponse></soap:Body>"
)
MESSAGE = "<messages><messageInfo>{0}</messageInfo><messageData>{1}</messageData></messages>"
SOUND = MESSAGE.format("<messageId>good</messageId>", "<data>1</data>")
ODD = [
    ("no data", "<messageId>odd</messageId>", "", ["odd", "good"]),
    ("data twice", "<messageId>odd</messageId>", "<data/><data/>", ["odd", "good"]),
    ("no id", "", "<data/>", ["good"]),
    ("an endless id", f"<messageId>{'x' * 201}</messageId>", "<data/>", ["good"]),
]


@pytest.mark.parametrize(("info", "data", "read"), [o[1:] for o in ODD], ids=[o[0] for o in ODD])
def test_a_message_of_no_form_stops_none_of_those_that_came_with_it(
    info: str, data: str, read: list[str], contract: Contract
):
    odd = MESSAGE.format(info, data)
    found = e.read_fetched(etree.fromstring(WAITING.format(odd + SOUND)))
    assert [one.message_id for one in found] == read
    if len(found) == 2:
        # It is kept, and what it says is judged when its turn comes: into quarantine.
        with pytest.raises(Poison, match="unknown-message"):
            read_told(found[0].data, contract)
        assert peek(found[0].data, contract) == (None, None, None)


def test_a_version_that_no_register_counts_to_is_poison_and_does_not_wait(contract: Contract):
    values = {"regNo": "ЖТ-2026-00000001"}
    letter = letter_data(Letter("id", "ЖТ-2026-00000001", 2**31, "progress", values))
    with pytest.raises(Poison, match="field-malformed version"):
        read_told(letter, contract)
