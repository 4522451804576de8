"""Audiences: who is of one, and that an entry is made once for all of it."""

import asyncio
from dataclasses import fields, replace
from typing import Any

import pytest

from api.graphql import audiences
from api.graphql.answers import Voice
from api.graphql.audiences import Audiences, view
from api.graphql.calls import Caller, Params, Prepared
from api.graphql.documents import Documents
from api.graphql.engine import Engine
from api.graphql.mount import make_documents
from api.graphql.schema import build_schema
from api.settings import Settings
from domain.access import NOBODY, Permission, Principal, Role
from domain.values import new_id
from tests.api.graphql.serving import engine_of
from tests.support.city import make_principal

THIN = "subscription ($after: String) { appeals(after: $after) { number type } }"
DEEP = "subscription ($after: String) { appeals(after: $after) { appeal { number } } }"
WORDED = """subscription ($n: String!, $l: Language, $if: Boolean = true) {
    appeal(number: $n) { ...Said } }
    fragment Said on AppealUpdate { type @include(if: $if) appeal { serviceName(language: $l) } }"""
STAFF = make_principal(Role.INSPECTOR)


@pytest.fixture(scope="module")
def documents() -> Documents:
    return make_documents(build_schema()._schema, Settings())


@pytest.fixture
def engine(documents: Documents) -> Engine:
    return engine_of(documents._schema, documents=documents)


class Happened:
    """What is told, and what was made of it."""

    def __init__(self) -> None:
        self.rendered: dict[Any, Any] = {}


def asked(
    engine: Engine,
    query: str,
    principal: Principal | None = STAFF,
    language: str = "ru",
    **said: Any,
) -> tuple[Prepared, Caller, Principal | None]:
    caller = Caller(principal, Voice(language, "request"))
    return engine.prepare(Params(query, variables=said), caller), caller, principal


def test_who_differs_in_nothing_but_who_they_are_is_of_one_audience(engine: Engine):
    known = Audiences()
    colleague = replace(STAFF, id=new_id(), name="B.", client=new_id())
    for query in (THIN, DEEP):
        first = known.find(*asked(engine, query))
        assert known.find(*asked(engine, query, colleague)) is first
        assert known.find(*asked(engine, query, colleague, after="a cursor")) is first


OTHERWISE: dict[str, Any] = {
    "role": Role.OPERATOR,
    "city": new_id(),
    "organisation": new_id(),
    "organisations": frozenset({new_id()}),
    "district": "centre",
    "districts": frozenset({"centre"}),
    "granted": frozenset({Permission.READ_APPEAL}),
    "citizen": new_id(),
}


def test_every_trait_of_a_principal_tells_audiences_apart_or_names_them_alone():
    assert {each.name for each in fields(Principal)} == {*OTHERWISE, "id", "name", "client"}


@pytest.mark.parametrize("trait", OTHERWISE)
def test_who_may_see_something_else_is_of_another_audience(engine: Engine, trait: str):
    known = Audiences()
    first = known.find(*asked(engine, DEEP))
    other = known.find(*asked(engine, DEEP, replace(STAFF, **{trait: OTHERWISE[trait]})))
    assert other is not first


def test_each_resident_is_an_audience_of_their_own(engine: Engine):
    known = Audiences()
    one = make_principal(Role.CITIZEN)
    neighbour = replace(one, id=new_id(), citizen=new_id())
    audience = known.find(*asked(engine, DEEP, one))
    assert known.find(*asked(engine, DEEP, neighbour)) is not audience
    assert audience.caller.principal == one


def test_what_is_read_for_an_audience_is_read_without_anybodys_name(engine: Engine):
    audience = Audiences().find(*asked(engine, DEEP))
    assert audience.caller.principal == replace(STAFF, id=NOBODY, name="", client=None)
    assert view(STAFF) == view(replace(STAFF, id=new_id(), name="B."))


def test_another_language_document_or_value_is_another_audience(engine: Engine):
    known = Audiences()
    first = known.find(*asked(engine, WORDED, n="1", l="RU"))
    assert known.find(*asked(engine, WORDED, n="2", l="RU")) is first
    hidden: dict[str, Any] = {"if": False}
    others = [
        known.find(*asked(engine, WORDED, n="1", l="KK")),
        known.find(*asked(engine, WORDED, n="1", l="RU", **hidden)),
        known.find(*asked(engine, WORDED, language="kk", n="1", l="RU")),
        known.find(*asked(engine, WORDED + " # said otherwise", n="1", l="RU")),
    ]
    assert len({id(each) for each in (first, *others)}) == 5


def test_an_audience_that_everybody_left_is_forgotten(engine: Engine):
    known = Audiences()
    audience = known.find(*asked(engine, DEEP))
    assert len(known._known) == 1
    del audience
    assert len(known._known) == 0


@pytest.mark.parametrize("query", [THIN, DEEP])
async def test_an_entry_is_made_once_for_all(engine: Engine, query: str):
    known, made, happened = Audiences(), 0, Happened()
    audience = known.find(*asked(engine, query))

    async def make() -> bytes:
        nonlocal made
        made += 1
        if not audience.thin:
            await asyncio.sleep(0.01)
        return b"said"

    said = await asyncio.gather(*(known.tell(audience, happened, make) for _ in range(500)))
    assert set(said) == {b"said"}
    assert made == 1
    await known.tell(audience, Happened(), make)
    assert made == 2


async def test_what_was_read_a_while_ago_is_read_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    known, happened = Audiences(), Happened()
    audience = known.find(*asked(engine, DEEP))
    answers = iter((b"then", b"now"))

    async def make() -> bytes:
        return next(answers)

    assert await known.tell(audience, happened, make) == b"then"
    assert await known.tell(audience, happened, make) == b"then"
    monkeypatch.setattr(audiences, "SHARED", 0.0)
    assert await known.tell(audience, happened, make) == b"now"


async def test_who_leaves_while_it_is_read_takes_nobodys_answer_away(engine: Engine):
    known, happened, gate = Audiences(), Happened(), asyncio.Event()
    audience = known.find(*asked(engine, DEEP))

    async def make() -> bytes:
        await gate.wait()
        return b"said"

    first, second = (asyncio.create_task(known.tell(audience, happened, make)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    gate.set()
    assert await second == b"said"


async def test_so_many_are_read_at_once_and_the_others_wait(engine: Engine):
    known, reading, most = Audiences(), 0, 0

    async def make() -> bytes:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0.002)
        reading -= 1
        return b"said"

    views = [replace(STAFF, organisation=new_id()) for _ in range(40)]
    crowd = [known.find(*asked(engine, DEEP, each)) for each in views]
    happened = Happened()
    await asyncio.gather(*(known.tell(each, happened, make) for each in crowd))
    assert most == audiences.READING


async def test_an_entry_that_cannot_be_read_is_told_to_all_and_tried_again_later(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    known, happened, tries = Audiences(), Happened(), 0
    audience = known.find(*asked(engine, DEEP))

    async def make() -> bytes:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0)
        raise RuntimeError("away")

    async def tell() -> None:
        with pytest.raises(RuntimeError):
            await known.tell(audience, happened, make)

    await asyncio.gather(*(tell() for _ in range(20)))
    assert tries == 1
    monkeypatch.setattr(audiences, "SHARED", 0.0)
    await tell()
    assert tries == 2
