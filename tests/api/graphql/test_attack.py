"""Documents made to hurt: each is answered soon, no resolver runs, and the next caller feels
nothing of it.
"""

import itertools
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from api.graphql.schema import build_schema
from tests.api.graphql import toy
from tests.api.graphql.serving import engine_of, served
from tests.support.cost import uncollected

SOON = 0.050
NEXT = 0.020
"""Seconds of this process's own time: a busy machine beside it is no fault of ours."""
NORMAL = "{ appeal { number text service { code name } } }"


def bomb(spreads: int) -> str:
    """Each fragment spreads the next one twice, at different places."""
    parts = [
        f"fragment F{n} on Appeal {{ a: similar {{ ...F{n + 1} }} b: similar {{ ...F{n + 1} }} }}"
        for n in range(spreads)
    ]
    return f"{{ appeal {{ ...F0 }} }} {' '.join(parts)} fragment F{spreads} on Appeal {{ text }}"


def flat_bomb(spreads: int) -> str:
    """The bomb that hangs strawberry's own limiters: spreads of spreads at one place."""
    parts = [f"fragment F{n} on Appeal {{ ...F{n + 1} ...F{n + 1} }}" for n in range(spreads)]
    return f"{{ appeal {{ ...F0 }} }} {' '.join(parts)} fragment F{spreads} on Appeal {{ text }}"


def wide_bomb(spreads: int) -> str:
    """Spreads of spreads at one place, at every level two fields beside them."""
    parts = [
        f"fragment F{n} on Appeal {{ number text ...F{n + 1} ...F{n + 1} }}" for n in range(spreads)
    ]
    return f"{{ appeal {{ ...F0 }} }} {' '.join(parts)} fragment F{spreads} on Appeal {{ text }}"


def deep(levels: int) -> str:
    return "{ appeal " + "{ similar " * levels + "{ text }" + " }" * levels + " }"


def inner(levels: int) -> Any:
    return None if not levels else {"inner": inner(levels - 1)}


ATTACKS: dict[str, Any] = {
    "deep nesting": deep(40),
    "nesting beyond recursion": "{ appeal " + "{ similar " * 900,
    "open braces": "{" * 20_000,
    "alias overload": "{ " + " ".join(f"a{n}: appeal {{ text }}" for n in range(300)) + " }",
    "alias overload within": "{ appeal { " + " ".join(f"a{n}: text" for n in range(600)) + " } }",
    "circular fragments": "{ appeal { ...A } } fragment A on Appeal { ...B }"
    " fragment B on Appeal { ...A }",
    "a fragment of itself": "{ appeal { ...A } } fragment A on Appeal { similar { ...A } }",
    "fragment bomb": bomb(25),
    "flat fragment bomb": flat_bomb(25),
    "flat fragment bomb, twice as long": flat_bomb(39),
    "fragment bomb with fields": wide_bomb(30),
    "field duplication": "{ " + "appeal { text } " * 400 + "}",
    "field duplication within": "{ appeal { " + "text " * 1500 + "} }",
    "overlapping inline fragments": "{ appeal { " + "... on Appeal { text } " * 380 + "} }",
    "unknown fields": "{ " + " ".join(f"appeel{n}" for n in range(450)) + " }",
    "a thousand different unknown fields": "{ " + " ".join(f"f{n}" for n in range(1900)) + " }",
    "directive flood": "{ appeal { text " + "@include(if: true) " * 300 + "} }",
    "unknown directives": "{ appeal { text " + "@a " * 900 + "} }",
    "500 operations": " ".join(f"query Q{n} {{ dear }}" for n in range(500)),
    "many fragments": "{ appeal { text } } "
    + " ".join(f"fragment F{n} on Appeal {{ text }}" for n in range(280)),
    "huge string": '{ appeal(number: "' + "A" * 150_000 + '") { text } }',
    "huge block string": '{ appeal(number: """' + "A\\n" * 50_000 + '""") { text } }',
    "huge number": "{ appeals(first: " + "9" * 19_000 + ") { nodes { text } } }",
    "huge name": "{ " + "a" * 19_000 + " }",
    "deep list": "{ appeals(filter: {numbers: " + "[" * 900 + "]" * 900 + "}) { nodes { text } } }",
    "deep input": "{ appeals(filter: "
    + "{inner: " * 300
    + "null"
    + "}" * 300
    + ") { nodes { text } } }",
    "long list": "{ appeals(filter: {numbers: [" + '"1" ' * 1900 + "]}) { nodes { text } } }",
    "comments": "#" * 199_000 + "\n{ dear }",
    "commas": "{ dear " + "," * 150_000 + " }",
    "many variables": "query(" + " ".join(f"$v{n}: Int" for n in range(400)) + ") { dear }",
    "introspection abuse": "{ __schema { types { fields { type { fields { type { fields {"
    " type { fields { name } } } } } } } } } }",
    "introspection aliased": "{ "
    + " ".join(f"s{n}: __schema {{ types {{ name fields {{ name }} }} }}" for n in range(40))
    + " }",
    "a page too long": "{ appeals(first: 1000000) { nodes { text } } }",
    "pages of pages": "{ appeals(first: 100) { nodes { similar(first: 100) { similar(first: 100)"
    " { text } } } } }",
}
BODIES: dict[str, bytes] = {
    "10 MiB": json.dumps({"query": "{ dear }" + " " * 10_485_760}).encode(),
    "no JSON": b'{"query": "{ dear }"',
    "deep JSON": b'{"query": "{ dear }", "variables": {"a": '
    + b"[" * 90_000
    + b"]" * 90_000
    + b"}}",
    "variable bomb": json.dumps(
        {"query": "query($f: Filter) { appeals(filter: $f) { nodes { text } } }",
         "variables": {"f": inner(200)}}
    ).encode(),
    "wide variables": json.dumps(
        {"query": "query($f: Filter) { appeals(filter: $f) { nodes { text } } }",
         "variables": {"f": {"numbers": ["1"] * 30_000}}}
    ).encode(),
    "long variable for a page": json.dumps(
        {"query": "query($n: Int) { appeals(first: $n) { nodes { text } } }",
         "variables": {"n": 10**15}}
    ).encode(),
    "batching": json.dumps([{"query": "{ dear }"}] * 100).encode(),
    "batch of batches": json.dumps([[{"query": "{ dear }"}]] * 3).encode(),
    "hash that lies": json.dumps(
        {"query": "{ dear }",
         "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
    ).encode(),
}  # fmt: skip


def linked(count: int, body: str) -> str:
    """Fragments on organisations, each of which names the next one as `body` has it."""
    parts = [
        f"fragment F{n} on Organisation {{ {body.replace('NEXT', f'...F{n + 1}')} }}"
        for n in range(count)
    ]
    return (
        "{ organisations { nodes { ...F0 } } } "
        + " ".join(parts)
        + f" fragment F{count} on Organisation {{ code }}"
    )


REAL = {
    "fragment bomb": linked(25, "parent { NEXT } children { NEXT }"),
    "flat fragment bomb": linked(25, "NEXT NEXT"),
    "flat fragment bomb, twice as long": linked(39, "NEXT NEXT"),
    "flat fragment bomb with fields": linked(39, "code uuid NEXT NEXT"),
    "circle": linked(1, "parent { ...F0 }"),
    "field duplication": "{ " + "viewer { role } " * 300 + "}",
    "field duplication within": "{ viewer { " + "role " * 900 + "} }",
    "overlapping inline fragments": "{ viewer { " + "... on Me { role } " * 180 + "} }",
    "aliases": "{ " + " ".join(f"a{n}: viewer {{ role }}" for n in range(140)) + " }",
    "unknown fields": "{ " + " ".join(f"vieweer{n}" for n in range(450)) + " }",
    "deep nesting": "{ organisations { nodes " + "{ parent " * 40 + "{ code }" + " }" * 42,
    "there and back": "{ organisations { nodes { children { parent { children { parent { children"
    " { code } } } } } } } }",
    "lists that lead back": '{ public { service(code: "a") { category { services { category {'
    " services { category { services { name } } } } } } } } }",
    "pages of everything": "{ appeals(first: 100) { nodes { events(first: 100) { type }"
    " organisation { children(first: 100) { children(first: 100) { code } } } } } }",
    "huge string": '{ appeals(filter: {text: "' + "A" * 19_000 + '"}) { nodes { number } } }',
    "huge number": "{ appeals(first: " + "9" * 900 + ") { nodes { number } } }",
    "long list": "{ appeals(filter: {status: [" + "ASSIGNED " * 900 + "]}) { nodes { number } } }",
    "introspection within itself": "{ __schema { types { fields { type { fields { type { fields {"
    " name } } } } } } } }",
    "introspection over and over": "{ __schema { "
    + " ".join(f"a{n}: types {{ ...T }}" for n in range(39))
    + " } } fragment T on __Type { name fields { name args { name } type { name } } }",
    "introspection, root by root": "{ "
    + " ".join(f"a{n}: __schema {{ types {{ name fields {{ name }} }} }}" for n in range(39))
    + " }",
}
"""Attacks in the words of the city's own schema, so that more than an unknown name is judged."""
NAMES = (*ATTACKS, *BODIES)
REAL_NAMES = (*(f"real: {name}" for name in REAL), *NAMES)
_turns = itertools.count()


def another(name: str) -> bytes:
    """An attack in words that nobody has sent before. The same text is remembered, and its second
    answer tells nothing of the first.
    """
    mark = f"#{next(_turns)}\n"
    text = REAL.get(name.removeprefix("real: ")) if name.startswith("real: ") else ATTACKS.get(name)
    if text is not None:
        return json.dumps({"query": mark + text}).encode()
    return BODIES[name].replace(b'"query": "', b'"query": "' + mark.replace("\n", "\\n").encode())


def test_every_round_of_every_attack_is_a_document_of_its_own():
    for name in REAL_NAMES:
        rounds = {another(name) for _ in range(3)}
        assert len(rounds) == 3, name


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=served())
    async with httpx2.AsyncClient(transport=transport, base_url="http://toy.example") as opened:
        await ask(opened, json.dumps({"query": NORMAL}).encode())
        yield opened


@pytest.fixture(scope="module")
async def real() -> AsyncIterator[httpx2.AsyncClient]:
    """The city's own schema, ten times as large; what is refused needs no city behind it."""
    app = served(engine_of(build_schema()._schema))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://toy.example") as opened:
        await ask(opened, json.dumps({"query": "{ __typename }"}).encode())
        yield opened


async def ask(client: httpx2.AsyncClient, body: bytes) -> httpx2.Response:
    headers = {"content-type": "application/json", "accept": "application/graphql-response+json"}
    return await client.post("/graphql", content=body, headers=headers)


async def timed(client: httpx2.AsyncClient, body: bytes) -> tuple[float, httpx2.Response]:
    with uncollected():
        started = time.process_time()
        response = await ask(client, body)
        return time.process_time() - started, response


async def attacked(client: httpx2.AsyncClient, name: str) -> float:
    """The least of three times that it took to answer; each time in other words, so that a busy
    machine does not judge.
    """
    times = []
    for _ in range(3):
        spent, response = await timed(client, another(name))
        times.append(spent)
        assert 400 <= response.status_code < 500, response.text
        said = response.json()
        assert said["errors"] if "errors" in said else said["code"], said
        assert "data" not in said
        assert len(response.content) < 5_000
    return min(times)


@pytest.mark.parametrize("name", NAMES)
async def test_an_attack_is_answered_soon_and_runs_nothing(client: httpx2.AsyncClient, name: str):
    toy.RAN.clear()
    spent = await attacked(client, name)
    assert toy.RAN == []
    assert spent < SOON, f"{spent * 1000:.0f} ms"
    spent, response = min(
        [await timed(client, json.dumps({"query": NORMAL}).encode()) for _ in range(3)],
        key=lambda each: each[0],
    )
    assert response.json()["data"]["appeal"]["number"] == "1"
    assert spent < NEXT, f"{spent * 1000:.0f} ms"


@pytest.mark.parametrize("name", REAL_NAMES)
async def test_the_citys_own_schema_stands_it_too(real: httpx2.AsyncClient, name: str):
    spent = await attacked(real, name)
    assert spent < SOON, f"{spent * 1000:.0f} ms"


@pytest.mark.parametrize(("spreads", "runs"), [(3, True), (10, True), (25, False), (39, False)])
async def test_a_bomb_of_fragments_costs_what_it_has_lines(
    client: httpx2.AsyncClient, spreads: int, runs: bool
):
    spent, response = await timed(client, json.dumps({"query": flat_bomb(spreads)}).encode())
    assert spent < 2 * SOON
    assert ("data" in response.json()) is runs
