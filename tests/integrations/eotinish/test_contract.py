"""The passport is data: another one is dropped in, and a faulty one is refused with every fault."""

import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from domain.appeals.workflow import Status
from domain.eotinish.model import Notice, Poison, Tale
from integrations.eotinish.config import ExchangeMalformed, read_file
from integrations.eotinish.contract import SHIPPED, ContractMalformed, read_contract
from integrations.eotinish.letters import show_letter
from integrations.eotinish.lines import judge_file
from integrations.eotinish.payload import peek, read_told, write_data, write_instant
from tests.peers.eotinish import TALES, Letter, letter_data
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
        if one["name"] in ("text", "name"):
            one["element"] = {"text": "wording", "name": "description"}[one["name"]]
    for tale in said["tales"].values():
        tale["fields"] = [
            one for one in tale["fields"]
            if one["element"] != "description" or one["name"] == "name"
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
