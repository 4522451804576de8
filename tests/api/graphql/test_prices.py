"""Prices are upper bounds: no list holds more than was paid for, and what does so ends."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_introspection_type,
    is_list_type,
)

from api.errors import DocumentTooCostly, TimedOut
from api.graphql import fast
from api.graphql.answers import Voice
from api.graphql.calls import Caller, Params
from api.graphql.census import NAMED, SIZES
from api.graphql.context import Context
from api.graphql.documents import Documents
from api.graphql.engine import Engine
from api.graphql.fast import FastExecutor
from api.graphql.schema import build_schema
from api.graphql.sizes import LIST_SIZES
from domain.access import Principal, Role
from tests.support.cost import uncollected
from tests.support.semey import semey

SCHEMA = build_schema()._schema
DEEP = (
    '{ public { service(code: "%s") { category { services { category { services { category {'
    " services { category { services { name } } } } } } } } } } }"
)
LONGEST = "housing.maintenance"
"""The category of the starter catalogue with the most services."""


def _lists() -> Iterator[tuple[str, str, bool]]:
    """Every list of objects that does not say itself how long it is to be, and whether it is met
    outside of a page that does."""
    asked = SIZES | NAMED
    outside = {
        get_named_type(field.type).name
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for field in kind.fields.values()
        if asked.isdisjoint(field.args) or is_list_type(get_nullable_type(field.type))
    }
    for kind in SCHEMA.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or is_introspection_type(kind):
            continue
        for name, field in kind.fields.items():
            listed = is_list_type(get_nullable_type(field.type))
            objects = is_composite_type(get_named_type(field.type))
            if listed and objects and asked.isdisjoint(field.args):
                yield kind.name, name, kind.name in outside or kind is SCHEMA.query_type


def test_every_list_outside_of_a_page_has_a_size_of_its_own():
    known = {(kind, name): outside for kind, name, outside in _lists()}
    missing = {each for each, outside in known.items() if outside} - LIST_SIZES.keys()
    assert not missing
    assert set(LIST_SIZES) <= set(known), "no size is of a list that is not there"


def _held() -> Mapping[tuple[str, str], int]:
    """How many entries the lists of the snapshot hold in the demonstration city."""
    city = semey()
    catalogue, organisations = city.catalogue, city.organisations.values()
    spheres = [each.code for each in catalogue.spheres]
    categories = [each.sphere for each in catalogue.categories]
    services = [each.category for each in catalogue.services]
    policies = city.promises.policies.values()
    return {
        ("Query", "spheres"): len(spheres),
        ("PublicCity", "spheres"): len(spheres),
        ("Sphere", "categories"): max(map(categories.count, spheres)),
        ("Category", "services"): max(map(services.count, set(services))),
        ("Service", "evidence"): max(len(each.evidence or ()) for each in catalogue.services),
        ("Query", "districts"): len(city.districts),
        ("PublicCity", "districts"): len(city.districts),
        ("PublicIncident", "districts"): len(city.districts),
        ("Query", "territories"): len(city.routing.territories),
        ("TerritoriesControl", "items"): len(city.routing.territories),
        ("OrganisationsControl", "items"): len(organisations),
        ("PolicyList", "items"): len(policies),
        ("CalendarList", "items"): len(city.promises.calendars),
        ("Policy", "stages"): max(len(each.promises) for each in policies),
        ("FigureTable", "groups"): max(len(services), 366),
    }


def test_no_list_of_the_demonstration_city_is_longer_than_was_priced():
    held = _held()
    short = {each: (size, LIST_SIZES[each]) for each, size in held.items()}
    assert {each: pair for each, pair in short.items() if pair[0] > pair[1]} == {}


def engine(seconds: float = 10.0) -> Engine:
    """The real schema over the demonstration city, without a database."""
    city = semey()
    house: Any = SimpleNamespace(
        references=SimpleNamespace(of=lambda _: city, cities=lambda: [city.city.id]),
        keyring=SimpleNamespace(index=lambda said: sha256(said.encode()).digest()),
    )

    def context(caller: Caller) -> Context:
        at = datetime(2026, 11, 23, 9, tzinfo=UTC)
        return Context(house, caller.principal, "ru", at, "the same")

    return Engine(
        SCHEMA, Documents(SCHEMA), context=context, executor=FastExecutor, seconds=seconds
    )


def caller(role: Role | None = None) -> Caller:
    principal = Principal(UUID(int=1), role, semey().city.id) if role else None
    return Caller(principal, Voice("en", "the same"), address="here")


def _service() -> str:
    return next(each.code for each in semey().catalogue.services if each.category == LONGEST)


def test_lists_that_lead_back_to_themselves_cost_what_they_hold():
    with pytest.raises(DocumentTooCostly) as refused:
        engine().prepare(Params(DEEP % _service()), caller())
    cost: Any = refused.value.params["cost"]
    assert cost > 19**4


async def _stall(working: Any) -> tuple[Any, float]:
    """What came of it, and the longest time of this process in which nobody else had a turn: a
    busy machine beside it is no fault of ours.
    """
    worst = 0.0

    async def beat() -> None:
        nonlocal worst
        last = time.process_time()
        while True:
            await asyncio.sleep(0)
            worst = max(worst, time.process_time() - last)
            last = time.process_time()

    beating = asyncio.create_task(beat())
    try:
        with uncollected():
            await asyncio.sleep(0)
            return await working, worst
    finally:
        beating.cancel()


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lists priced at one entry, as if the catalogue had grown a hundredfold."""
    wrong = dict.fromkeys(LIST_SIZES, 1)
    return lambda: monkeypatch.setattr("api.graphql.weighing.LIST_SIZES", wrong)


async def test_what_makes_more_than_was_paid_for_ends_and_holds_nobody_up(
    cheap: Callable[[], None],
):
    cheap()
    running = engine()
    prepared = running.prepare(Params(DEEP % _service()), caller())
    body, worst = await _stall(running.run(prepared, caller()))
    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] == "document-too-costly"
    assert worst < 0.25


async def test_what_computes_too_long_is_ended_and_holds_nobody_up(
    cheap: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    cheap()
    monkeypatch.setattr("api.graphql.engine.LEAST", 10**9)
    running = engine(seconds=0.3)
    prepared = running.prepare(Params(DEEP % _service()), caller())
    begun = asyncio.get_running_loop().time()
    with pytest.raises(TimedOut):
        await running.run(prepared, caller())
    assert asyncio.get_running_loop().time() - begun < 5


async def test_who_gives_way_answers_the_same(monkeypatch: pytest.MonkeyPatch):
    text = (
        "{ public { spheres { code categories { code services { code name sphere { code } } } } } }"
    )
    bodies = []
    for turn in (60.0, 0.0001):
        monkeypatch.setattr(fast, "TURN", turn)
        running = _wide(engine())
        prepared = running.prepare(Params(text), caller())
        bodies.append(await running.run(prepared, caller()))
    assert bodies[0] == bodies[1]
    assert len(str(bodies[0])) > 20_000


def _wide(running: Engine) -> Engine:
    running.documents.bounds = replace(running.documents.bounds, cost=10**6)
    return running


ALL = (
    "{ public { spheres { code categories { code services { code name } } } } }",
    "{ public { districts { code } spheres { categories { services { evidence { stage } } } } } }",
    "{ spheres { categories { services { category { code } sphere { code } } } } }",
    "{ districts { name } territories { code district { code } } }",
    "{ organisations(first: 3, roots: true) { nodes {"
    " kind children { name children(first: 50) { name parent { children { name } } } } } } }",
)


@pytest.mark.parametrize("text", ALL)
async def test_no_query_makes_more_objects_than_it_paid_for(
    text: str, monkeypatch: pytest.MonkeyPatch
):
    running = _wide(engine())
    prepared = running.prepare(Params(text), caller(Role.INSPECTOR))
    monkeypatch.setattr("api.graphql.engine.LEAST", 0)
    # The object at the root is nobody's price.
    monkeypatch.setattr("api.graphql.engine.OVERRUN", 1 + 1 / prepared.weight.cost)
    body = await running.run(prepared, caller(Role.INSPECTOR))
    assert "errors" not in body, body["errors"]


def test_the_tree_of_the_starter_catalogue_can_be_asked_for_at_once():
    prepared = engine().prepare(Params(ALL[0]), caller())
    assert prepared.weight.cost <= 2_000


async def test_the_children_of_an_organisation_come_in_turns():
    running = _wide(engine())
    city = semey()
    counts = [each.parent for each in city.organisations.values()]
    longest = max(filter(None, counts), key=counts.count)
    codes: list[str] = []
    after = "null"
    while True:
        text = (
            f'{{ organisation(uuid: "{longest}") {{ children(first: 100, after: {after})'
            " { code } } }"
        )
        prepared = running.prepare(Params(text), caller(Role.INSPECTOR))
        body = await running.run(prepared, caller(Role.INSPECTOR))
        found = [each["code"] for each in body["data"]["organisation"]["children"]]
        codes += found
        if len(found) < 100:
            break
        after = f'"{found[-1]}"'
    assert codes == sorted(
        each.code for each in city.organisations.values() if each.parent == longest
    )
    assert len(codes) > 100
