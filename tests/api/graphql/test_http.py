"""GraphQL over HTTP: forms, statuses, documents by hash, batches, prices, what is never said."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256
from typing import Any

import httpx2
import pytest
import structlog
from structlog.testing import capture_logs

from api.graphql import answers
from api.graphql.census import Bounds
from api.graphql.documents import KEPT_CHARACTERS, OVERHEAD, Documents, Unreadable, read_trusted
from api.graphql.http import JSON, RESPONSE
from tests.api.graphql.serving import engine_of, served
from tests.api.graphql.toy import GRAPH, RAN


def client_of(**options: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=served(**options))
    return httpx2.AsyncClient(transport=transport, base_url="http://toy.example")


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(engine=engine_of(budget=0)) as opened:
        yield opened


async def ask(
    client: httpx2.AsyncClient, query: str | None = None, accept: str = RESPONSE, **rest: Any
) -> httpx2.Response:
    said = rest if query is None else {"query": query, **rest}
    return await client.post("/graphql", json=said, headers={"accept": accept})


@pytest.mark.parametrize(
    ("accept", "kind", "status"),
    [
        (RESPONSE, RESPONSE, 400),
        (JSON, JSON, 200),
        ("*/*", JSON, 200),
        (f"{JSON};q=0.5, {RESPONSE}", RESPONSE, 400),
        (f"{JSON}, {RESPONSE};q=0.1", JSON, 200),
    ],
)
async def test_what_cannot_run_is_told_in_the_form_and_by_the_status_that_the_caller_takes(
    client: httpx2.AsyncClient, accept: str, kind: str, status: int
):
    response = await ask(client, "{ nothing }", accept)
    assert response.status_code == status
    assert response.headers["content-type"] == f"{kind}; charset=utf-8"
    assert "data" not in response.json()
    [error] = response.json()["errors"]
    assert error["message"] == "Cannot query field 'nothing' on type 'Query'."
    assert error["extensions"]["code"] == "bad-request"
    assert error["extensions"]["request_id"] == response.headers["x-request-id"]
    assert error["locations"] == [{"line": 1, "column": 3}]


async def test_forms_that_are_not_spoken_are_refused(client: httpx2.AsyncClient):
    assert (await ask(client, "{ dear }", "application/xml")).status_code == 406
    for kind in ("text/plain", "application/json; charset=utf-16", "multipart/form-data"):
        said = await client.post("/graphql", content=b"{}", headers={"content-type": kind})
        assert said.status_code == 415
    assert (await client.put("/graphql", json={"query": "{ dear }"})).status_code == 405


async def test_a_get_asks_and_changes_nothing(client: httpx2.AsyncClient):
    RAN.clear()
    asked = await client.get("/graphql", params={"query": "{ dear }"})
    assert asked.json()["data"] == {"dear": "dear"}
    variables = json.dumps({"n": "7"})
    query = "query($n: String!) { appeal(number: $n) { number } }"
    with_variables = await client.get("/graphql", params={"query": query, "variables": variables})
    assert with_variables.status_code == 200
    RAN.clear()
    changed = await client.get("/graphql", params={"query": 'mutation { touch(number: "1") }'})
    assert changed.status_code == 405
    assert changed.headers["allow"] == "POST"
    assert RAN == []


async def test_our_faults_are_masked_and_traced_by_the_request_alone(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    # A logger that was used before keeps the way that others gave it.
    monkeypatch.setattr(answers, "log", structlog.get_logger())
    with capture_logs() as logged:
        response = await ask(client, '{ broken appeal(number: "900101300123") { number } }')
    assert response.status_code == 200
    said = response.json()
    assert said["data"] == {"broken": None, "appeal": {"number": "1"}}
    [error] = said["errors"]
    assert error["path"] == ["broken"]
    assert error["extensions"]["code"] == "internal"
    id = response.headers["x-request-id"]
    assert error["extensions"]["request_id"] == id
    assert id in error["message"]
    assert "somebody" not in response.text
    assert "Traceback" not in response.text
    assert id in {line["request_id"] for line in logged if line["event"] == "unexpected"}
    # Neither the document nor its values reach the log (law 6).
    assert "900101300123" not in str(logged)
    assert "appeal(number" not in str(logged)


async def test_suggestions_tell_nothing_of_the_schema(client: httpx2.AsyncClient):
    for query in (
        "{ appea }",
        "{ appeal(numbre: 1) { number } }",
        '{ appeals(filter: {numbr: "1"}) { nodes { text } } }',
        "{ appeal { ... on Appea { text } } }",
    ):
        response = await ask(client, query)
        assert response.status_code == 400
        assert "Did you mean" not in response.text


async def test_a_document_is_sent_once_and_named_by_its_hash_from_then_on():
    async with client_of() as client:
        text = "{ dear }"
        hash = sha256(text.encode()).hexdigest()
        named = {"persistedQuery": {"version": 1, "sha256Hash": hash}}
        unknown = await ask(client, extensions=named, accept=JSON)
        assert unknown.status_code == 200
        assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
        assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        sent = await ask(client, text, extensions=named)
        assert sent.json()["data"] == {"dear": "dear"}
        again = await ask(client, extensions=named)
        assert again.json()["data"] == {"dear": "dear"}
        by_get = await client.get("/graphql", params={"extensions": json.dumps(named)})
        assert by_get.json()["data"] == {"dear": "dear"}
        lie = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
        assert (await ask(client, text, extensions=lie)).status_code == 400


async def test_what_was_refused_is_not_kept_as_a_document():
    async with client_of() as client:
        text = "{ nothing }"
        named = {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}
        assert (await ask(client, text, extensions=named)).status_code == 400
        assert (await ask(client, extensions=named)).status_code == 404


def test_the_memory_of_documents_is_bounded():
    documents = Documents(GRAPH, kept_characters=10_000)
    for n in range(2_000):
        documents.find(f"query Q{n} {{ dear }}")
        assert documents.characters <= 10_000
    first = sha256(b"query Q0 { dear }").hexdigest()
    last = sha256(b"query Q1999 { dear }").hexdigest()
    assert documents.find(None, last).hash == last
    with pytest.raises(Exception, match="document-unknown"):
        documents.find(None, first)


def test_tiny_documents_are_not_kept_by_the_ten_thousand():
    """Each, refused ones too, keeps a tree and its errors, kilobytes beside its five letters."""
    documents = Documents(GRAPH)
    for n in range(6_000):
        with suppress(Unreadable):
            documents.find(f"{{a{n:x}}}")
    assert len(documents._kept) <= KEPT_CHARACTERS / OVERHEAD


async def test_a_city_may_run_its_own_documents_alone(tmp_path: Any):
    listed = tmp_path / "documents.json"
    listed.write_text(json.dumps({"dear": "{ dear }"}))
    documents = Documents(GRAPH, trusted=read_trusted(listed), trusted_only=True)
    async with client_of(engine=engine_of(documents=documents)) as client:
        RAN.clear()
        assert (await ask(client, "{ appeal { number } }")).status_code == 403
        assert RAN == []
        assert (await ask(client, documentId="dear")).json()["data"] == {"dear": "dear"}
        hash = sha256(b"{ dear }").hexdigest()
        assert (await ask(client, documentId=f"sha256:{hash}")).json()["data"]["dear"] == "dear"
        assert (await ask(client, "{ dear }")).json()["data"] == {"dear": "dear"}
        assert (await ask(client, documentId="other")).status_code == 404
        named = {"persistedQuery": {"version": 1, "sha256Hash": hash}}
        assert (await ask(client, extensions=named)).json()["data"] == {"dear": "dear"}


def test_a_list_of_documents_is_read_as_a_map_or_as_apollos_manifest(tmp_path: Any):
    file = tmp_path / "documents.json"
    manifest = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": "a1", "name": "Dear", "type": "query", "body": "{ dear }"}],
    }
    file.write_text(json.dumps(manifest))
    assert read_trusted(file)["a1"] == "{ dear }"
    file.write_text("[]")
    with pytest.raises(ValueError, match="no list"):
        read_trusted(file)


async def test_introspection_is_a_setting():
    hidden = Documents(GRAPH, introspection=False)
    async with client_of(engine=engine_of(documents=hidden)) as client:
        for query in ("{ __schema { types { name } } }", '{ __type(name: "Query") { name } }'):
            assert (await ask(client, query)).status_code == 400
        assert (await ask(client, "{ __typename dear }")).json()["data"]["__typename"] == "Query"


async def test_introspection_comes_alone_and_is_remembered(client: httpx2.AsyncClient):
    mixed = await ask(client, "{ dear ...S } fragment S on Query { __schema { types { name } } }")
    assert mixed.status_code == 400
    assert "alone" in mixed.json()["errors"][0]["message"]
    query = "query T($n: String!) { __type(name: $n) { name } }"
    for name in ("Appeal", "Service", "Appeal"):
        said = (await ask(client, query, variables={"n": name})).json()
        assert said["data"] == {"__type": {"name": name}}


async def test_a_batch_is_answered_in_order_and_is_short(client: httpx2.AsyncClient):
    batch = [{"query": "{ dear }"}, {"query": "{ nothing }"}, {"query": "{ appeal { number } }"}]
    response = await client.post("/graphql", json=batch, headers={"accept": RESPONSE})
    assert response.status_code == 200
    first, second, third = response.json()
    assert first["data"] == {"dear": "dear"}
    assert "data" not in second
    assert third["data"] == {"appeal": {"number": "1"}}
    RAN.clear()
    assert (await client.post("/graphql", json=batch * 2)).status_code == 400
    assert (await client.post("/graphql", json=[])).status_code == 400
    assert RAN == []


async def test_a_batch_that_is_told_to_be_malformed_has_done_nothing(client: httpx2.AsyncClient):
    RAN.clear()
    response = await client.post("/graphql", json=[{"query": "{ dear }"}, {"query": 5}])
    assert response.status_code == 400
    assert RAN == []


async def test_a_price_is_told_and_the_budget_ends():
    async with client_of(engine=engine_of(budget=100, public_budget=20)) as client:
        first = await ask(client, "{ dear }")
        cost = first.json()["extensions"]["cost"]
        assert (cost["requested"], cost["limit"]) == (7, Bounds().cost)
        assert (cost["budget"], cost["remaining"]) == (20, 13)
        assert 0 < cost["resetsIn"] <= 60
        assert first.headers["ratelimit-policy"] == '"graph";q=20;w=60'
        assert first.headers["ratelimit"].startswith('"graph";r=13;t=')
        await ask(client, "{ dear }")
        RAN.clear()
        refused = await ask(client, "{ dear }")
        assert refused.status_code == 429
        [error] = refused.json()["errors"]
        assert error["extensions"]["code"] == "rate-limited"
        assert error["extensions"]["retryAfter"] > 0
        assert RAN == []


async def test_what_was_refused_tells_the_price_and_the_budget_as_well():
    async with client_of(engine=engine_of(budget=100, public_budget=20)) as client:
        await ask(client, "{ dear }")
        for said in ({"query": "{ nothing }"}, {"query": 5}, {"query": "{"}, {"documentId": "x"}):
            answer = (await client.post("/graphql", json=said)).json()
            cost = answer["extensions"]["cost"]
            assert "data" not in answer
            assert (cost["requested"], cost["budget"], cost["remaining"]) == (None, 20, 13)
        many = "{ appeals(first: 90) { nodes { similar(first: 50) { text } } } }"
        cost = (await ask(client, many)).json()["extensions"]["cost"]
        assert cost["requested"] == 1 + 90 * 51
        assert cost["limit"] == Bounds().cost


async def test_the_methods_that_are_named_are_those_that_are_answered(client: httpx2.AsyncClient):
    named = (await client.put("/graphql", json={})).headers["allow"]
    for method in ("GET", "HEAD", "POST", "PUT"):
        answer = await client.request(method, "/graphql")
        assert (answer.status_code == 405) is (method not in named.split(", ")), method


async def test_who_asks_for_too_much_is_told_which_field_costs_what(client: httpx2.AsyncClient):
    query = "{ appeal { number } appeals(first: 90) { nodes { similar(first: 50) { text } } } }"
    response = await ask(client, query)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "document-too-costly"
    cost = error["extensions"]["cost"]
    assert cost["requested"] == 1 + 1 + 90 * 51
    assert cost["fields"][-1] == {"path": "appeals.nodes.similar", "cost": 4500}


async def test_an_operation_has_a_time():
    async with client_of(engine=engine_of(seconds=0.05)) as client:
        response = await ask(client, "{ slow }")
        assert response.status_code == 503
        assert response.json()["errors"][0]["extensions"]["code"] == "timed-out"


async def test_an_operation_is_named_where_there_are_several(client: httpx2.AsyncClient):
    both = "query A { dear } query B { appeal { number } }"
    assert (await ask(client, both)).status_code == 400
    assert (await ask(client, both, operationName="C")).status_code == 400
    assert (await ask(client, both, operationName="A")).json()["data"] == {"dear": "dear"}


async def test_variables_that_do_not_fit_begin_nothing(client: httpx2.AsyncClient):
    RAN.clear()
    query = "query($n: Int!) { appeals(first: $n) { nodes { text } } }"
    for value in ("x", None, 1.5, [1]):
        response = await ask(client, query, variables={"n": value})
        assert response.status_code == 400, response.text
        assert "data" not in response.json()
    assert RAN == []


async def test_one_broken_field_of_many_rows_is_told_a_few_times(client: httpx2.AsyncClient):
    fields = " ".join(f"b{n}: broken" for n in range(35))
    response = await ask(client, f"{{ {fields} }}")
    assert len(response.json()["errors"]) == 20


async def test_queries_may_come_as_events_and_a_subscription_only_so(client: httpx2.AsyncClient):
    response = await ask(client, "{ dear }", "text/event-stream")
    assert response.headers["content-type"].startswith("text/event-stream")
    parts = [part for part in response.text.split("\n\n") if part and part != ":"]
    assert [part.split("\n")[0] for part in parts] == ["event: next", "event: complete"]
    assert json.loads(parts[0].split("data: ")[1])["data"] == {"dear": "dear"}
    told = await ask(client, "subscription { ticks }", "text/event-stream")
    assert told.text.count("event: next") == 3
    refused = await ask(client, "subscription { ticks }")
    assert refused.status_code == 406
