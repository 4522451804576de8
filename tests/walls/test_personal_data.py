"""Law 6 from the outside: what can name a person goes in by every field, and where it comes out.

An IIN, a phone and a name are written into every free text that the contract takes. None of them
is found in the logs or in what webhooks are sent. The applicant's own data is found in the
reading that is recorded, and in nothing else that anybody can ask.
"""

import copy
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest
import structlog

from api.rest.openapi import document
from domain.access import Role
from tests.support.city import CITIZEN_PHONE, MANHOLE_ANSWERS
from tests.support.sql import fetch
from tests.walls.doors import DONE, RestDoor, Said
from tests.walls.policy import LISTS, POLICY, Kind, exists_for, verdict
from tests.walls.test_matrix import OPERATIONS
from tests.walls.things import Thing, Things
from tests.walls.town import EVERYBODY, LEFT, Place, Town, Who

IIN, PHONE, NAME = "900101300009", "+77771234509", "Құпиягүл"
PLANTED = f"{IIN} {PHONE} {NAME}"
APPLICANT = {"name": "Жасырынбек Тұрғынов", "phone": "+77779998809", "email": "zhasyryn@example.kz"}
FLAT = "7781Ж"
"""No id of ours has such a letter in it."""
RESIDENT = ("Айгүл", "Серікова", CITIZEN_PHONE)
"""The first resident's own row (tests/support/city.py)."""
SCHEMAS: Mapping[str, Any] = document()["components"]["schemas"]
BODIES: Mapping[str, Any] = {
    row["operationId"]: row["requestBody"]["content"]["application/json"]["schema"]
    for methods in document()["paths"].values()
    for row in methods.values()
    if "application/json" in row.get("requestBody", {}).get("content", {})
}


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference, and of what may be null that which it is otherwise."""
    if "$ref" in schema:
        return _resolved(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return _resolved(choice)
    return schema


def _texts(schema: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where in a body free text may stand: strings without a form of their own."""
    schema = _resolved(schema)
    for name, part in schema.get("properties", {}).items():
        inner, kind = _resolved(part), _resolved(part).get("type")
        if kind == "object":
            yield from _texts(inner, (*at, name))
        elif kind in ("string", ["string", "null"]) and not inner.keys() & {"enum", "format"}:
            yield (*at, name)


FIELDS = {operation: list(_texts(schema)) for operation, schema in BODIES.items()}
FREE = [operation for operation in OPERATIONS if FIELDS.get(operation)]


def _planted(body: Any, *fields: tuple[str, ...]) -> Any:
    """A body with the planted words in these of its fields."""
    said = copy.deepcopy(body)
    for field in fields:
        inner = said
        for step in field[:-1]:
            inner = inner.setdefault(step, {})
        inner[field[-1]] = PLANTED
    return said


class Lines(logging.Handler):
    """What would be written: every line in its whole length."""

    def __init__(self) -> None:
        super().__init__()
        (written,) = (
            handler.formatter
            for handler in logging.getLogger().handlers
            if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
        )
        self.setFormatter(written)
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines of this process while a test runs."""
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture(scope="module")
async def hooked(town: Town) -> Thing:
    """An endpoint of the utility that hears of everything."""
    return await Things(town).fresh(Kind.ENDPOINT, Place.OURS, "")


def _clean(text: str) -> bool:
    return not any(word in text for word in (IIN, PHONE, PHONE[1:], NAME))


def _doer(operation: str) -> Who:
    """Somebody who may."""
    row = POLICY[operation]
    kind = row.kinds[0] if row.kinds else None
    return next(w for w in EVERYBODY if verdict(row, w, kind, Place.OURS) == DONE)


def test_free_text_is_found_in_the_contract():
    assert ("text",) in FIELDS["registerAppeal"]
    assert ("applicant", "name") in FIELDS["registerAppeal"]
    assert ("reason",) in FIELDS["declineAppeal"]
    assert len(FREE) > 20


@pytest.mark.parametrize("operation", FREE)
async def test_what_is_written_into_any_field_stays_out_of_logs_and_webhooks(
    town: Town, hooked: Thing, lines: Lines, operation: str
):
    things, door, who = Things(town), RestDoor(town.app), _doer(operation)
    row, outcomes = POLICY[operation], []
    for field in FIELDS[operation]:
        thing = Thing("")
        if row.kinds:
            thing = await things.fresh(row.kinds[0], Place.OURS, row.status)
        said = await things.said(row, who, thing, idle=False)
        said = replace(said, body=_planted(said.body, field))
        outcomes.append((await door.ask(operation, town.tokens[who.name], said)).outcome)
    assert set(outcomes) <= {DONE, "422 invalid"}
    await town.house.outbox.relay(town.house.now())
    assert lines.written
    assert not [line for line in lines.written if not _clean(line)]
    told = await fetch(
        town.house, "SELECT payload FROM delivery WHERE endpoint_id = $1", UUID(hooked.name)
    )
    assert all(_clean(bytes(sent["payload"]).decode()) for sent in told)


async def test_webhooks_were_sent_all_the_while(town: Town, hooked: Thing):
    await town.callers(Place.OURS).register(text=PLANTED)
    await town.house.outbox.relay(town.house.now())
    told = await fetch(
        town.house, "SELECT payload FROM delivery WHERE endpoint_id = $1", UUID(hooked.name)
    )
    assert told
    assert all(_clean(bytes(sent["payload"]).decode()) for sent in told)


async def test_what_is_asked_for_stays_out_of_logs(town: Town, lines: Lines):
    callers = town.callers(Place.OURS)
    asked = [
        ("/v1/appeals", {"q": PLANTED}), ("/v1/services", {"q": PLANTED}),
        ("/v1/addresses", {"q": PLANTED}), ("/v1/organisations", {"q": PLANTED}),
        (f"/v1/appeals/{IIN}", {}), (f"/v1/{PHONE}", {}), ("/v1/appeals", {"cursor": IIN}),
        ("/v1/appeals", {NAME: IIN}),
    ]  # fmt: skip
    for path, query in asked:
        await callers.call("GET", path, params=query)
    headers = {"user-agent": f"{IIN} {PHONE}", "referer": PHONE, "cookie": IIN, "if-match": IIN,
               "accept-language": IIN}  # fmt: skip
    await callers.call("GET", "/v1/me", headers=headers)
    await callers.call("POST", "/v1/appeals", {IIN: NAME, "text": PLANTED}, key=IIN)
    await callers.call("GET", "/v1/me", role=None, headers={"authorization": f"Bearer {IIN}"})
    assert len(lines.written) >= len(asked)
    assert not [line for line in lines.written if not _clean(line)]


@pytest.fixture(scope="module")
async def numbers(town: Town) -> dict[str, str]:
    """Two appeals: one taken by an operator for somebody, one of the resident's own."""
    callers = town.callers(Place.OURS)
    place = {"building": str(callers.city.flats), "apartment": FLAT,
             "address": f"Абай 14, пәтер {FLAT}"}  # fmt: skip
    changes: dict[str, Any] = {"location": place, "answers": MANHOLE_ANSWERS}
    taken = await callers.register(applicant=APPLICANT, **changes)
    own = await callers.register(Role.CITIZEN, applicant=..., **changes)
    return {"taken": taken["number"], "own": own["number"]}


READS = [
    one
    for one in OPERATIONS
    if not RestDoor().changes(one)
    and (Kind.APPEAL in POLICY[one].kinds or LISTS.get(one) is Kind.APPEAL)
]


@pytest.mark.parametrize("operation", READS)
async def test_who_asked_is_told_by_the_recorded_reading_alone(
    town: Town, numbers: dict[str, str], operation: str
):
    row, door = POLICY[operation], RestDoor(town.app)
    wrong = []
    for who in EVERYBODY:
        if who.role not in row.roles or not exists_for(Kind.APPEAL, Place.OURS, who):
            continue
        for number in numbers.values() if row.kinds else (None,):
            told = await door.ask(operation, town.tokens[who.name], Said(None, {}, number))
            words = [*APPLICANT.values(), APPLICANT["phone"][1:]]
            if who.role is not Role.CITIZEN:
                words += [*RESIDENT, FLAT]
            found = [word for word in words if word in told.text]
            if operation == "readApplicant":
                assert found, who.name
            elif found:
                wrong.append(f"{who.name} reads {found}")
    assert not wrong, "\n".join(wrong)


async def test_the_reading_is_recorded_with_whose_eyes_it_were(town: Town, numbers: dict[str, str]):
    callers = town.callers(Place.OURS)
    before = await fetch(town.house, "SELECT count(*) AS n FROM personal_read")
    path = f"/v1/appeals/{numbers['taken']}/applicant"
    seen = (await callers.call("GET", path, role=Role.OPERATOR)).json()
    assert seen["phone"] == APPLICANT["phone"]
    stranger = town.callers(Place.ELSEWHERE)
    assert (await stranger.call("GET", path, role=Role.OPERATOR)).status_code == 404
    rows = await fetch(town.house, "SELECT role, fields, reader_id FROM personal_read ORDER BY id")
    assert len(rows) == before[0]["n"] + 1
    assert (rows[-1]["role"], rows[-1]["reader_id"]) == (
        "operator", callers.city.ident("member-operator"),
    )  # fmt: skip
    assert "phone" in rows[-1]["fields"]


async def test_the_neighbour_is_told_nothing_of_who_asked(town: Town, numbers: dict[str, str]):
    token = {"authorization": f"Bearer {town.tokens['neighbour']}"}
    callers = town.callers(Place.OURS)
    for path in ("/v1/appeals", "/v1/incidents", "/v1/me"):
        answer = await callers.call("GET", path, role=None, headers=token)
        assert answer.status_code == 200
        assert not [word for word in (*APPLICANT.values(), *RESIDENT, FLAT) if word in answer.text]
    me = await callers.call("GET", "/v1/me", role=None, headers=token)
    assert orjson.loads(me.content)["id"] == str(LEFT.citizen)
