"""The passport is data: another one is dropped in, and a faulty one is refused with every fault."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from domain.appeals.workflow import Status
from domain.eotinish.model import Notice, Poison, Tale
from domain.eotinish.outgoing import Material, values_of
from domain.values import new_id
from integrations.eotinish.config import ExchangeMalformed, read_file
from integrations.eotinish.contract import SHIPPED, ContractMalformed, read_contract
from integrations.eotinish.envelope import Sender, sync_request
from integrations.eotinish.known import known_of
from integrations.eotinish.letters import show_letter
from integrations.eotinish.lines import judge_file
from integrations.eotinish.payload import peek, read_told, write_data, write_instant
from tests.peers.eotinish import TALES, Letter, letter_data
from tests.peers.soap import SCHEMA as SCHEMA_OF_ALL
from tests.support.eotinish import ENVIRONMENT, file_of, write_file, write_keys


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "contract"))


def edit(folder: Path, name: str, before: str, after: str) -> None:
    path = folder / f"{name}.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_another_passport_changes_the_message_and_no_logic(own, contract):
    edit(
        own,
        "fields",
        "element: outNumber, seen: true, required",
        "element: letterNo, seen: true, required",
    )
    other = read_contract(own)
    values = {"sequence": 1, "message_id": "m", "at": datetime.now(UTC), "text": "т",
              "own_number": "KIS-1", "type": "t", "language": "KZ", "state": "CREATED"}  # fmt: skip
    notice = Notice.REGISTER
    ours = write_data(contract.fields.notices[notice], values, contract)
    theirs = write_data(other.fields.notices[notice], values, other)
    assert ours.findtext("outNumber") == theirs.findtext("letterNo") == "KIS-1"
    assert theirs.find("outNumber") is None


SCHEMA = Path(__file__).parents[2] / "peers" / "shep" / "document.xsd"
XS = "{http://www.w3.org/2001/XMLSchema}"
SAMPLES = {"xs:long": "1", "xs:dateTime": "2026-11-27T10:00:00.000+05:00", "xs:string": "сөз"}


def published(type_: str) -> dict[str, str]:
    """Elements of a document that stand in the published schema, each with a text of its type."""
    [sequence] = etree.parse(SCHEMA).findall(f"{XS}complexType[@name='{type_}']//{XS}sequence")
    found: dict[str, str] = {}
    for one in sequence:
        if isinstance(one, etree._Comment):
            break
        found[one.get("name", "")] = SAMPLES[one.get("type", "")]
    return found


def told_of(type_: str, **texts: str) -> etree._Element:
    """A document with every published element, and with what groups it."""
    data = letter_data(Letter("id", "n", 1, "assigned", {}))
    system = next(data.iter("metadataSystem"))
    for name in ("from", "href", "performers", "performers", "senderOrg"):
        etree.SubElement(system, name).text = "1"
    etree.SubElement(data, "attachments")
    for name, text in (published(type_) | texts).items():
        etree.SubElement(data, name).text = text
    return data


def test_a_document_with_every_published_element_is_read_and_its_name_joined(contract):
    names = {"surname": "Серікова", "name": "Айгүл", "middlename": "Маратқызы"}
    said = {"documentType": "0", "regNumberOL": "ЖТ-2026-00000001", "description": "Жарық жоқ"}
    data = told_of("docOL", **names, **said, juridicallyName="")
    told = read_told(data, contract)
    assert (told.tale, told.number, told.version) == (Tale.ASSIGNED, "ЖТ-2026-00000001", 1)
    assert told.text("name") == "Серікова Айгүл Маратқызы"
    # It has no place for the type; the contract says which one it is.
    assert told.text("type") == contract.types.unnamed
    company = {"documentType": "1", "juridicallyName": "ТОО «Су»", "regNumberOL": "ЖТ-1"}
    told = read_told(told_of("docOL", **names | company), contract)
    assert told.text("name") == "ТОО «Су», Серікова Айгүл Маратқызы"
    with pytest.raises(Poison, match="field-malformed applicant"):
        read_told(told_of("docOL", documentType="7", regNumberOL="ЖТ-1"), contract)


def test_every_published_element_of_what_goes_out_is_written_or_left_out_on_purpose(contract):
    message = contract.fields.notices[Notice.REGISTER]
    written = {one.element for one in message.fields}
    assert set(published("docAppeal")) <= written | set(message.ignored)


VALUES = {"sequence": 1, "message_id": "m", "at": datetime(2026, 11, 28, tzinfo=UTC), "text": "т",
          "own_number": "KIS-1", "type": "t", "language": "KZ", "state": "CREATED"}  # fmt: skip


def test_what_goes_out_has_the_parts_of_a_name_and_says_whose_it_is(contract):
    message = contract.fields.notices[Notice.REGISTER]
    person = write_data(message, VALUES | {"name": "Айгүл Маратқызы Серікова"}, contract)
    found = [person.findtext(one) for one in ("surname", "name", "middlename", "documentType")]
    assert found == ["Серікова", "Айгүл", "Маратқызы", "0"]
    assert person.find("juridicallyName") is None
    company = write_data(message, VALUES | {"name": "ТОО «Су арнасы»"}, contract)
    assert company.findtext("juridicallyName") == "ТОО «Су арнасы»"
    assert company.findtext("documentType") == "1"
    assert company.find("name") is None
    assert SCHEMA_OF_ALL.validate(enveloped(company)), SCHEMA_OF_ALL.error_log


def enveloped(data: etree._Element) -> etree._Element:
    """The wrapper of a call, by which the gateway's schema judges its data."""
    at = datetime(2026, 11, 28, tzinfo=UTC)
    root = sync_request(
        message_id="m", correlation_id="m", service="S", at=at, sender=Sender("a", "b"), data=data
    )
    wrapper: etree._Element = etree.fromstring(etree.tostring(root))[0][0]
    return wrapper


def test_a_passport_of_other_parts_constants_and_types_is_data_alone(own):
    """As the portal's REST names them; a constant; one tale of two types of messages."""
    fields = own / "fields.yaml"
    said = yaml.safe_load(fields.read_text("utf-8"))
    elements = {"given": "personFirstName", "surname": "personLastName",
                "patronymic": "personMiddleName"}  # fmt: skip
    for form in (said["notices"]["register"], said["tales"]["assigned"]):
        form["fields"] = [
            one | {"element": elements.get(one["name"], one["element"])} for one in form["fields"]
        ]
    source = {"value": "109", "element": "sourceSystem", "kind": "long", "seen": False}
    said["notices"]["register"]["fields"].append(source)
    own_author = {"name": "author_surname", "element": "lastName", "seen": False}
    rated = said["tales"]["rated"]
    rated["fields"].append(own_author)
    said["tales"]["rated"] = [rated, rated | {"type": "notification/stateEvaluated"}]
    fields.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    other = read_contract(own)
    data = write_data(other.fields.notices[Notice.REGISTER], VALUES | {"name": "Ким Ирина"}, other)
    found = [data.findtext(one) for one in ("personLastName", "personFirstName", "sourceSystem")]
    assert found == ["Ким", "Ирина", "109"]
    values = {"regNo": "ЖТ-1", "satisfied": True, "raw": "q:stateEvaluated"}
    letter = letter_data(Letter("id", "n", 2, "rated", values))
    etree.SubElement(letter, "lastName").text = "Ким"
    told = read_told(letter, other)
    assert (told.tale, told.text("author"), told.values["satisfied"]) == (Tale.RATED, "Ким", True)


@pytest.mark.parametrize("type_", ["stateProlongExDate", "stateNewExDate", "stateNewControl"])
def test_every_published_notification_of_a_new_term_is_an_extension(contract, type_: str):
    values = {"regNo": "ЖТ-1", "execDate": "2026-12-18T23:59:59.000+05:00", "raw": f"q:{type_}"}
    letter = letter_data(Letter("id", "n", 2, "extended", values))
    etree.SubElement(letter, "controlTypeOuterCode").text = "7"
    told = read_told(letter, contract)
    assert told.tale is Tale.EXTENDED
    assert told.at("deadline") is not None


FAULTY = [
    ("states", "  paused: IN_PROGRESS\n", "", "states.yaml states: lacks paused"),
    ("fields",
     "  withdrawn: {type: notification/stateRevoked, channel: async, fields: *progress}\n",
     "", "fields.yaml notices: lacks withdrawn"),
    ("fields", "element: metadataSystem/href, seen: false, required: true",
     "element: outNumber, seen: false", "two fields are one element, outNumber"),
    ("fields", "type: document/docOL", "type: elsewhere/docOL",
     "tales.assigned.type: no such namespace"),
    ("fields", "name: version, element", "name: place, element",
     "tales.assigned: lacks the field version"),
    ("types", "outgoing: true, seen: true}\n  - {id: 6ba12453",
     "seen: true}\n  - {id: da186314", "has a type or a term"),
    ("terms", "days: 20", "days: 0", "terms.yaml terms.da186314"),
    ("fields", "{name: at, element: realDate, kind: date, seen: true}",
     "{value: x, element: realDate, seen: true}", "realDate has a value, and is read"),
    ("fields", "{name: phone, element: phone, seen: true}",
     "{name: phone, value: x, element: phone, seen: true}", "needs a name, or a value"),
    ("fields", "ignored: [author]", "ignored: [realDate]",
     "fields.yaml tales.decided.fields: realDate is ignored, and has a field"),
    ("types", "unnamed: 4b288b14", "unnamed: 00000000", "types.yaml unnamed: no such type"),
    ("fields", "type: notification/stateNewExDate", "type: notification/stateNewControl",
     "fields.yaml tales: two of them are of one type"),
    ("codes", "remedy: retry", "remedy: pray", "codes.yaml codes.0.remedy"),
    ("success", "'*':", "'one':", "success.yaml success: lacks *"),
    ("types", "version: 1", "version: 2", "types.yaml version"),
    ("states", "version: 1", "version: [", "states.yaml cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "before", "after", "told"), FAULTY, ids=[one[3] for one in FAULTY]
)
def test_a_faulty_contract_is_refused_by_name_and_place(own, name, before, after, told):
    edit(own, name, before, after)
    with pytest.raises(ContractMalformed) as refused:
        read_contract(own)
    assert told in str(refused.value)


Said = dict[str, Any]


def _without(group: str, name: str, field: str) -> Callable[[Said], None]:
    def edit(said: Said) -> None:
        form = said[group][name]
        form["fields"] = [one for one in form["fields"] if one.get("name") != field]

    return edit


def _with(group: str, name: str, field: str, /, **more: object) -> Callable[[Said], None]:
    def edit(said: Said) -> None:
        form = said[group][name]
        form["fields"] = [one | more if one.get("name") == field else one for one in form["fields"]]

    return edit


def _empty(group: str) -> Callable[[Said], None]:
    return lambda said: said[group].clear()


def _several_without_one(said: Said) -> None:
    said["tales"]["progress"] = []


UNUSABLE = [
    (_with("notices", "register", "phone", name="phonee"),
     "fields.yaml notices.register: nothing here is called phonee"),
    (_with("notices", "register", "at", kind="text"), "register: at must be date, and is text"),
    (_without("notices", "register", "type"), "notices.register: lacks the field type"),
    (_without("notices", "finished", "text"), "notices.finished: lacks the field text"),
    (_without("notices", "reply", "number"), "notices.reply: lacks the field number"),
    (_without("tales", "assigned", "type"), "tales.assigned: lacks the field type"),
    (_without("tales", "assigned", "text"), "tales.assigned: lacks the field text"),
    (_with("tales", "assigned", "version", kind="text"),
     "tales.assigned: version must be long, and is text"),
    (_with("tales", "assigned", "number", required=False),
     "tales.assigned: number must be required"),
    (_with("tales", "assigned", "phone", name="author"),
     "tales.assigned: nothing here is called author"),
    (_without("tales", "rated", "author"), "tales.rated: lacks one of the fields author,"),
    (_without("tales", "rated", "satisfied"), "tales.rated: lacks the field satisfied"),
    (_several_without_one, "fields.yaml tales: lacks progress"),
    (_empty("answers"), "fields.yaml answers: lacks taken"),
    (_empty("questions"), "fields.yaml questions: lacks again, list"),
    (_empty("rows"), "fields.yaml rows: lacks listed"),
    (_without("answers", "taken", "number"), "answers.taken: lacks the field number"),
    (_with("answers", "taken", "number", required=False), "answers.taken: number must be required"),
    (_without("questions", "list", "after"), "questions.list: lacks the field after"),
    (_with("rows", "listed", "sequence", kind="text"), "listed: sequence must be long"),
    (_with("rows", "listed", "state", required=False), "rows.listed: state must be required"),
]  # fmt: skip


@pytest.mark.parametrize(("edit_", "told"), UNUSABLE, ids=[one[1] for one in UNUSABLE])
def test_a_contract_that_could_not_be_used_is_refused_at_the_start(own, edit_, told):
    fields = own / "fields.yaml"
    said = yaml.safe_load(fields.read_text("utf-8"))
    edit_(said)
    fields.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    with pytest.raises(ContractMalformed) as refused:
        read_contract(own)
    assert told in str(refused.value)


@pytest.mark.parametrize("notice", Notice, ids=str)
def test_whatever_the_city_has_to_tell_may_stand_in_a_contract(contract, notice: Notice):
    event = {
        "type": "appeal.registered", "sequence": 3, "at": "2026-11-28T04:30:15+00:00",
        "about": {"status": "in_progress"},
        "data": {"language": "kk", "anonymous": False, "rating": 5, "body": "Су арнасы",
                 "due_after": "2026-12-18T18:59:59+00:00"},
    }  # fmt: skip
    personal = {"text": "т", "name": "Ким Ирина", "phone": "+7", "email": "a@example.kz"}
    material = Material(
        new_id(), notice, "KIS-1", "ЖТ-1", event, personal=personal, iin="991231600002",
        address="Абай, 12",
    )  # fmt: skip
    values = values_of(material, contract.agreements("s", {}))
    parts = contract.fields.names.split("ТОО «Су»") | contract.fields.names.split(
        "Серікова Айгүл Маратқызы"
    )
    known = set(known_of("notices", notice).names)
    assert set(values) | {"files"} <= known
    if notice is Notice.REGISTER:
        assert set(parts) <= known


def test_every_fault_is_told_at_once(own):
    edit(own, "states", "  paused: IN_PROGRESS\n", "")
    edit(own, "success", "'*':", "'one':")
    with pytest.raises(ContractMalformed) as refused:
        read_contract(own)
    assert str(refused.value).count(";") == 1


def test_both_sides_words_are_total(contract):
    agreements = contract.agreements("general.land-question", {})
    assert set(agreements.states) == set(Status)
    assert set(contract.fields.tales) == set(Tale) == {Tale(one) for one in TALES}
    assert {agreements.kinds[one] for one in agreements.types.values()} == set(agreements.types)


def test_what_is_recalled_is_marked(contract):
    seen, recalled = contract.seen()
    assert seen > 100
    assert recalled > 30


FILES = [
    ({"service": None}, "cities.0.service"),
    # What goes out is what stands before the law; no list of wishes beside it.
    ({"sends": {"kinds": ["complaint"]}}, "cities.0.sends.kinds"),
    ({"signer": {"kind": "local", "key": "/no", "certificate": "/no", "trusted": "/no"}},
     "kishi: signer"),
    ({"concurrency": 0}, "cities.0.concurrency"),
    ({"reconcile_at": 23 * 60 + 30}, "cities.0.reconcile_at"),
    ({"strange": 1}, "cities.0.strange"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "told"), FILES, ids=[one[1] for one in FILES])
def test_a_faulty_file_is_refused_before_anything_is_sent(tmp_path, changes, told):
    write_keys(tmp_path)
    path = write_file("http://127.0.0.1:1", tmp_path, **changes)
    with pytest.raises(ExchangeMalformed) as refused:
        judge_file(path, ENVIRONMENT)
    assert told in str(refused.value)


def test_a_secret_that_is_missing_is_named_and_one_that_is_there_is_not(tmp_path):
    write_keys(tmp_path)
    path = write_file("http://127.0.0.1:1", tmp_path)
    with pytest.raises(ExchangeMalformed, match="IKOMEK_TEST_GATEWAY"):
        read_file(path, {})
    [city] = read_file(path, ENVIRONMENT).cities
    assert ENVIRONMENT["IKOMEK_TEST_GATEWAY"] not in repr(city)
    assert ENVIRONMENT["IKOMEK_TEST_GATEWAY"] not in repr(city.sender())


ODD = [
    ({"regNo": "ЖТ-2026-00000001", "extra": "x"}, "field-unknown"),
    ({"date": "2026-11-28"}, "field-missing"),
    ({"regNo": "ЖТ-2026-00000001", "date": "кеше"}, "field-malformed"),
    ({"regNo": "Ж" * 10_001}, "field-too-long"),
]


@pytest.mark.parametrize(("values", "fault"), ODD, ids=[one[1] for one in ODD])
def test_a_message_that_is_none_of_the_contract_is_poison(contract, values, fault):
    data = letter_data(Letter("id", "n", 1, "registered", {}))
    for name, text in values.items():
        etree.SubElement(data, name).text = text
    with pytest.raises(Poison) as refused:
        read_told(data, contract)
    assert refused.value.fault == fault


CONTRACT = read_contract()
TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=80)
ZONES = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))


@given(version=st.integers(1, 2**31 - 1), text=TEXTS, zone=ZONES)
def test_what_the_state_writes_is_what_is_read(version, text, zone):
    contract = CONTRACT
    at = datetime(2026, 11, 28, 9, 30, tzinfo=zone)
    values = {"date": at.isoformat(), "regNo": "ЖТ-2026-00000001", "description": text,
              "state": "CREATED"}  # fmt: skip
    data = letter_data(Letter("id", "n", version, "progress", values))
    again = etree.fromstring(etree.tostring(data))
    told = read_told(again, contract)
    assert (told.tale, told.number, told.version) == (Tale.PROGRESS, "ЖТ-2026-00000001", version)
    assert told.at("at") == at
    assert told.text("text") == (text.strip() or None)
    assert peek(again, contract) == (told.number, version, "progress")
    assert write_instant(at).endswith("Z")


def test_what_names_a_person_is_known_by_the_contract_in_use(own: Path, tmp_path: Path):
    """A passport puts the applicant's name where the shipped contract has the text."""
    fields = own / "fields.yaml"
    said = yaml.safe_load(fields.read_text("utf-8"))
    for one in said["tales"]["assigned"]["fields"]:
        if one["name"] in ("text", "given"):
            one["element"] = {"text": "wording", "given": "description"}[one["name"]]
    for tale in said["tales"].values():
        for form in tale if isinstance(tale, list) else [tale]:
            form["fields"] = [
                one for one in form["fields"]
                if one["element"] != "description" or one["name"] == "given"
            ]  # fmt: skip
    fields.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    read_contract(own)
    file = tmp_path / "eotinish.yaml"
    content = file_of("http://127.0.0.1:1", tmp_path) | {"contract": str(own)}
    file.write_text(yaml.safe_dump(content), "utf-8")
    document = b"<data><wording>lamp</wording><description>Person</description></data>"
    assert show_letter(document, file) == {
        "type": "", "wording": "lamp", "description": "***",
    }  # fmt: skip
    unread = tmp_path / "unread.yaml"
    assert show_letter(document, unread) == {
        "type": "", "wording": "***", "description": "***",
    }  # fmt: skip
