"""The register proves itself to those who ask: receipts, proofs, checkpoints, growth."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from domain.access import Role
from domain.register.canonical import commitment, leaf_hash
from domain.register.checkpoint import is_signed, parse_checkpoint, parse_key
from domain.register.tree import is_consistent, is_included
from integrations.vault.signer import verify
from tests.support.city import SmallCity, write_small_city
from tests.support.register import WITNESS, cosign, sign, signed
from tests.support.rest import Callers, assert_problem, issue_tokens
from tests.support.worker import eventually


def unfold(document):
    """The checkpoint of a receipt or proof, its signature verified."""
    checkpoint = parse_checkpoint(document["checkpoint"])
    assert is_signed(checkpoint, parse_key(document["key"]), verify)
    return checkpoint


def assert_included(event, checkpoint):
    path = [bytes.fromhex(step) for step in event["path"]]
    leaf = bytes.fromhex(event["leaf"])
    assert is_included(leaf, event["index"], checkpoint.size, path, checkpoint.root)
    if event["event"] is not None:
        assert leaf_hash(event["event"].encode()) == leaf


async def receipt(callers, number, role=Role.CITIZEN):
    return await callers.call("GET", f"/v1/appeals/{number}/receipt", role=role)


async def test_before_it_is_sealed_a_receipt_says_so_and_when_to_come_again(callers: Callers):
    appeal = await callers.register(Role.CITIZEN, applicant=...)
    answer = await receipt(callers, appeal["number"])
    assert_problem(answer, 409, "not-sealed")
    assert answer.headers["retry-after"] == "60"
    await sign(callers.house)
    assert (await receipt(callers, appeal["number"])).status_code == 200


async def test_a_receipt_proves_the_appeal_and_opens_the_residents_own_words(callers: Callers):
    appeal = await callers.register(Role.CITIZEN, applicant=...)
    await sign(callers.house)
    answer = await receipt(callers, appeal["number"])
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert_included(said, unfold(said))
    event = orjson.loads(said["event"])
    assert event["type"] == "appeal.registered"
    assert event["data"]["number"] == said["number"] == appeal["number"]
    assert set(said["personal"]) == set(event["personal"]) >= {"text", "place", "phone"}
    for name, opened in said["personal"].items():
        assert commitment(opened["text"], bytes.fromhex(opened["salt"])) == event["personal"][name]
    assert said["personal"]["text"]["text"] == appeal["text"]


async def test_staff_are_opened_the_words_and_no_more(callers: Callers):
    appeal = await callers.register()
    await sign(callers.house)
    said = (await receipt(callers, appeal["number"], Role.INSPECTOR)).json()
    assert set(said["personal"]) == {"text", "answers"}
    assert_included(said, unfold(said))


async def test_who_acted_as_a_resident_is_told_to_nobody_else(callers: Callers):
    appeal = await callers.register(Role.CITIZEN, applicant=..., anonymous=True)
    await sign(callers.house)
    said = (await receipt(callers, appeal["number"], Role.INSPECTOR)).json()
    assert said["event"] is None
    assert said["personal"] == {}
    assert said["proved"] == 0, "and says so"
    assert str(callers.city.citizen) not in orjson.dumps(said).decode()
    assert_included(said | {"event": None}, unfold(said))
    proof = await callers.call("GET", f"/v1/appeals/{appeal['number']}/proof")
    assert str(callers.city.citizen) not in proof.text


async def test_a_proof_ties_every_event_to_its_leaf_and_to_the_one_before(callers: Callers):
    appeal = await callers.brought_to("closed")
    await sign(callers.house)
    answer = await callers.call("GET", f"/v1/appeals/{appeal['number']}/proof")
    said = answer.json()
    checkpoint = unfold(said)
    previous = "00" * 32
    for place, event in enumerate(said["events"], 1):
        assert event["sequence"] == place
        assert_included(event, checkpoint)
        assert orjson.loads(event["event"])["previous"] == previous
        previous = event["leaf"]
    assert len(said["events"]) >= 5


async def test_a_resident_learns_of_internal_events_that_they_are_there(callers: Callers):
    appeal = await callers.register(Role.CITIZEN, applicant=...)
    number = appeal["number"]
    comment = {"text": "Іштей ғана", "internal": True}
    await callers.act(number, "comment", comment, role=Role.OPERATOR)
    await sign(callers.house)
    later = {"text": "Ашық", "internal": False}
    await callers.act(number, "comment", later, role=Role.OPERATOR)
    said = (await callers.call("GET", f"/v1/appeals/{number}/proof", role=Role.CITIZEN)).json()
    checkpoint = unfold(said)
    *_, hidden, open_ = said["events"]
    assert hidden["event"] is None
    assert_included(hidden, checkpoint)
    assert (open_["index"], open_["path"]) == (None, None)
    assert orjson.loads(open_["event"])["previous"] == hidden["leaf"]


async def test_the_newest_checkpoint_is_text_that_anybody_may_have(callers: Callers):
    await callers.register()
    await sign(callers.house)
    answer = await callers.call("GET", "/v1/register/checkpoints/latest", role=None)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    keys = (await callers.call("GET", "/v1/register/keys", role=None)).json()
    checkpoint = parse_checkpoint(answer.text)
    assert keys["origin"] == checkpoint.origin == "ikomek109/kishi"
    assert is_signed(checkpoint, parse_key(keys["keys"][0]["key"]), verify)
    assert keys["witnesses"] == [str(WITNESS)]


async def test_every_checkpoint_grows_from_the_one_before(callers: Callers):
    for _ in range(3):
        await callers.register()
        await sign(callers.house)
    listed = (await callers.call("GET", "/v1/register/checkpoints?limit=2", role=None)).json()
    assert len(listed["items"]) == 2
    more = f"/v1/register/checkpoints?below={listed['next']}"
    older = (await callers.call("GET", more, role=None)).json()
    newer, *rest = listed["items"] + older["items"]
    assert rest
    for one in rest:
        path = f"/v1/register/consistency?from={one['size']}&to={newer['size']}"
        said = (await callers.call("GET", path, role=None)).json()
        steps = [bytes.fromhex(step) for step in said["path"]]
        old, new = (bytes.fromhex(each["root"]) for each in (one, newer))
        assert is_consistent(said["from"], said["to"], old, new, steps)
        newer = one


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("from=999999999", "/from"), ("from=2&to=1", "/from"), ("from=1&to=999999999", "/to"),
     ("to=1", "/from"), ("from=0", "/from"), ("from=x", "/from")],
)  # fmt: skip
async def test_growth_that_was_not_signed_is_not_proved(callers: Callers, query, pointer):
    await callers.register()
    await sign(callers.house)
    answer = await callers.call("GET", f"/v1/register/consistency?{query}", role=None)
    document = assert_problem(answer, 400, "malformed")
    assert [fault["pointer"] for fault in document["errors"]] == [pointer]


async def test_a_witness_signs_beneath_the_checkpoint(callers: Callers):
    await callers.register()
    checkpoint = await signed(callers.house)
    body = {"size": checkpoint.size, "cosignature": str(cosign(checkpoint))}
    answers = await asyncio.gather(
        *(callers.call("POST", "/v1/register/cosignatures", body, role=Role.AUDITOR)
          for _ in range(3))
    )  # fmt: skip
    assert {answer.status_code for answer in answers} == {200}
    latest = await callers.call("GET", "/v1/register/checkpoints/latest", role=None)
    shown = parse_checkpoint(latest.text)
    assert len(shown.signatures) == 2
    assert is_signed(shown, WITNESS, verify)


async def test_a_wrong_cosignature_is_refused(callers: Callers):
    await callers.register()
    checkpoint = await signed(callers.house)
    right = cosign(checkpoint)
    forged = replace(right, signature=right.signature[:8] + bytes(64))
    cases = {
        ("/cosignature", "signature"): {"size": checkpoint.size, "cosignature": str(forged)},
        ("/cosignature", "unknown-witness"): {
            "size": checkpoint.size, "cosignature": str(replace(right, name="other.example.kz"))},
        ("/size", "unknown-checkpoint"): {"size": 10**9, "cosignature": str(right)},
        ("/cosignature", "pattern"): {"size": checkpoint.size, "cosignature": "— a b"},
    }  # fmt: skip
    for expected, body in cases.items():
        answer = await callers.call("POST", "/v1/register/cosignatures", body, role=Role.AUDITOR)
        (fault,) = assert_problem(answer, 422, "invalid")["errors"]
        assert (fault["pointer"], fault["rule"]) == expected


async def test_of_several_cities_one_is_named(callers: Callers):
    ulken = SmallCity("ulken", "ULK")
    await write_small_city(callers.house.engine, callers.house.keyring, ulken)
    tokens = await issue_tokens(callers.house, ulken)

    async def known() -> bool:
        answer = await replace(callers, tokens=tokens).call("GET", "/v1/me")
        return answer.status_code == 200

    await eventually(known)
    answer = await callers.call("GET", "/v1/register/keys", role=None)
    assert_problem(answer, 400, "malformed")
    answer = await callers.call("GET", "/v1/register/keys?city=ulken", role=None)
    assert answer.json() == {"origin": "ikomek109/ulken", "keys": [], "witnesses": [str(WITNESS)]}
    answer = await callers.call("GET", "/v1/register/keys?city=alys", role=None)
    assert_problem(answer, 404, "not-found")
    latest = "/v1/register/checkpoints/latest?city=ulken"
    assert_problem(await callers.call("GET", latest, role=None), 409, "not-sealed")
