"""Questions about the schema: priced by what they would hold, made one at a time, and ended."""

import asyncio
import threading
import time
from typing import Any

import pytest
from graphql import execute_sync, get_introspection_query, parse

from api.errors import DocumentTooCostly, DocumentTooLarge, TimedOut
from api.graphql.answers import Voice
from api.graphql.calls import Caller, Params
from api.graphql.census import Bounds
from api.graphql.documents import Documents
from api.graphql.engine import Engine
from api.graphql.fast import FastExecutor
from api.graphql.introspection import FOR_ONE
from api.graphql.schema import build_schema
from tests.support.cost import uncollected

SCHEMA = build_schema()._schema
CALLER = Caller(None, Voice("en", "the same"), address="here")
REFERENCE = "{ kind name ofType { kind name ofType { kind name ofType { name } } } }"
TYPE = (
    "fragment T on __Type { kind name description fields(includeDeprecated: true) { name"
    f" description args {{ name description type {REFERENCE} }} type {REFERENCE} }} inputFields"
    f" {{ name type {REFERENCE} }} enumValues {{ name }} possibleTypes {{ name }} }}"
)
WHOLE = {
    "plain": get_introspection_query(),
    "all": get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    ),
    "without words": get_introspection_query(descriptions=False),
}
PARTS = {
    "one type": '{ __type(name: "Query") { fields { name args { name } type { name } } } }',
    "a type within another": '{ __type(name: "Query") { fields { type { fields { name } } } } }',
    "what an interface may be": '{ __type(name: "Problem") { possibleTypes { fields { name } } } }',
    "types": "{ __schema { types { ...T } directives { name args { name } } } } " + TYPE,
    "possible types": "{ __schema { types { possibleTypes { name fields { name } } } } }",
}
DEAR = {
    "aliases": "{ __schema { "
    + " ".join(f"a{n}: types {{ ...T }}" for n in range(39))
    + " } } "
    + TYPE,
    "types of fields of types": "{ __schema { types { fields { type { fields { name args { name"
    " } } } } } } }",
    "roots": "{ " + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(6)) + " }",
}


def engine(bounds: Bounds | None = None, **options: Any) -> Engine:
    documents = Documents(SCHEMA, bounds)
    return Engine(SCHEMA, documents, context=lambda _: None, executor=FastExecutor, **options)


def _held(said: Any) -> int:
    """The fields of an answer."""
    if isinstance(said, dict):
        return sum(1 + _held(each) for each in said.values())
    return sum(map(_held, said)) if isinstance(said, list) else 0


@pytest.mark.parametrize("name", WHOLE)
def test_every_tool_may_ask_for_the_whole_schema(name: str):
    assert engine().prepare(Params(WHOLE[name]), CALLER).weight.cost == 400


@pytest.mark.parametrize("name", [*WHOLE, *PARTS])
def test_an_answer_holds_no_more_than_was_paid_for(name: str):
    text = WHOLE.get(name) or PARTS[name]
    prepared = engine(Bounds(cost=10**9)).prepare(Params(text), CALLER)
    answer = execute_sync(SCHEMA, parse(text))
    assert not answer.errors
    assert _held(answer.data) <= prepared.weight.cost * FOR_ONE


@pytest.mark.parametrize("name", DEAR)
def test_what_asks_for_the_schema_over_and_over_is_refused(name: str):
    with uncollected():
        began = time.process_time()
        with pytest.raises((DocumentTooCostly, DocumentTooLarge)):
            engine().prepare(Params(DEAR[name]), CALLER)
        assert time.process_time() - began < 0.3


async def test_one_question_at_a_time_until_its_thread_ends(monkeypatch: pytest.MonkeyPatch):
    """Whoever was told that it takes too long leaves a thread behind; no other begins beside it."""
    running, most, gate = 0, 0, threading.Event()

    def slow(_: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        gate.wait(60)
        running -= 1
        return execute_sync(SCHEMA, parse("{ __typename }"))

    monkeypatch.setattr("api.graphql.engine.execute_root_selection_set", slow)
    asked = engine(seconds=0.5)
    prepared = [asked.prepare(Params(PARTS[name]), CALLER) for name in ("one type", "types")]
    for each in prepared:
        with pytest.raises(TimedOut):
            await asked.run(each, CALLER)
    assert most == running == 1
    gate.set()
    asked._seconds = 10.0
    async with asyncio.timeout(5):
        while running:
            await asyncio.sleep(0.01)
    assert (await asked.run(prepared[1], CALLER))["data"]
    assert most == 1


async def test_a_thread_ends_when_its_time_is_over():
    asked = engine(Bounds(cost=10**9), seconds=0.05)
    prepared = asked.prepare(Params(DEAR["aliases"]), CALLER)
    with pytest.raises(TimedOut):
        await asked.run(prepared, CALLER)
    async with asyncio.timeout(20):
        async with asked._introspecting:
            pass
