"""What a document costs is told before anything runs, in time linear in the document."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import DocumentTooCostly
from api.graphql.census import Bounds
from api.graphql.documents import Documents
from api.graphql.schema import build_schema
from api.graphql.weighing import PRICES, SEARCH
from api.settings import Settings
from tests.api.graphql.toy import GRAPH

WIDE = Bounds(depth=10_000, cost=10**9)


def weight(text: str, bounds: Bounds = WIDE, **variables: Any) -> tuple[int, int]:
    documents = Documents(GRAPH, bounds)
    document = documents.find(text)
    found = documents.weigh(document, document.operation(None), variables)
    return found.cost, found.depth


def test_plain_fields_cost_nothing_and_what_leads_to_objects_costs_one():
    assert weight("{ appeal { number text } }") == (1, 2)
    assert weight("{ appeal { number service { code } } }") == (2, 3)
    assert weight("{ dear }") == (7, 1)


def test_what_stands_under_a_list_counts_once_for_each_entry_that_it_may_have():
    # The page itself, ten nodes, and the service of each.
    assert weight("{ appeals(first: 10) { nodes { service { code } } } }") == (1 + 10 + 10, 4)
    assert weight("{ appeals { nodes { number } } }") == (1 + 20, 3)
    # A list of which nobody says how long it is counts for five.
    assert weight("{ appeal { service { kin { kin { code } } } } }") == (1 + 1 + 5 * (1 + 5), 5)


def test_the_length_of_a_list_may_come_in_a_variable():
    text = "query($n: Int = 7) { appeals(first: $n) { nodes { number } } }"
    documents = Documents(GRAPH, WIDE)
    document = documents.find(text)
    operation = document.operation(None)
    costs = {
        n: documents.weigh(document, operation, variables).cost
        for n, variables in {3: {"n": 3}, 7: {}, 90: {"n": 90}}.items()
    }
    assert costs == {3: 4, 7: 8, 90: 91}
    # And again, from what is remembered.
    assert documents.weigh(document, operation, {"n": 90}).cost == 91


def test_a_length_with_a_point_costs_as_much_as_without():
    """GraphQL takes 100.0 for 100, and the list is as long."""
    text = "query($n: Int) { appeals(first: $n) { nodes { number } } }"
    assert weight(text, n=100.0) == weight(text, n=100) == (101, 3)


@given(value=st.one_of(st.booleans(), st.text(), st.none(), st.integers(max_value=0)))
def test_no_value_of_a_length_makes_an_operation_free(value: Any):
    text = "query($n: Int) { appeals(first: $n) { nodes { number } } }"
    assert weight(text, n=value)[0] >= 2


def test_whoever_names_things_one_by_one_pays_for_each():
    text = "query($ids: [ID!]!) { named(ids: $ids) { number } }"
    documents = Documents(GRAPH, WIDE)
    document = documents.find(text)
    for many in (1, 80, 3):
        weighed = documents.weigh(document, document.operation(None), {"ids": ["x"] * many})
        assert weighed.cost == many
    assert weight('{ named(ids: ["a", "b"]) { number } }')[0] == 2


SEARCHES: dict[str, Any] = {"text": "люк", "within": {"south": 1}, "around": {"metres": 5}}


@pytest.mark.parametrize("by", SEARCHES)
def test_what_searches_the_register_costs_more_however_the_filter_comes(by: str):
    text = "query($f: AppealFilter) { appeals(first: 1, filter: $f) { nodes { number } } }"
    schema = build_schema()._schema
    documents = Documents(schema, WIDE)
    document = documents.find(text)
    operation = document.operation(None)
    plain = documents.weigh(document, operation, {"f": {"district": "centre"}}).cost
    searching = documents.weigh(document, operation, {"f": {by: SEARCHES[by]}}).cost
    assert searching == plain + SEARCH
    # And by what is remembered, in either order.
    assert documents.weigh(document, operation, {"f": {by: None}}).cost == plain
    written = documents.find(
        text.replace("filter: $f", 'filter: {text: "a"}').replace("($f: AppealFilter)", "")
    )
    assert documents.weigh(written, written.operation(None), {}).cost == searching


def test_every_price_is_of_a_field_that_there_is():
    schema = build_schema()._schema
    for kind, field in PRICES:
        assert field in schema.type_map[kind].fields  # type: ignore[attr-defined]


def test_residents_are_read_in_the_clear_no_faster_than_over_rest():
    """Aliases and batches are no way to more people than requests of their own would be."""
    settings = Settings()
    for field in ("applicantInTheClear", "searchApplicants"):
        price = PRICES["Query", field]
        assert settings.graphql_budget / price <= settings.rate_limit


def test_a_refusal_names_the_fields_that_cost_most():
    text = "{ appeal { number } appeals(first: 50) { nodes { similar(first: 100) { text } } } }"
    with pytest.raises(DocumentTooCostly) as refused:
        weight(text, Bounds())
    assert refused.value.params["cost"] == 1 + 1 + 50 * (1 + 100)
    assert refused.value.params["limit"] == 2000
    assert refused.value.params["fields"] == [
        {"path": "appeals", "cost": 5051},
        {"path": "appeals.nodes", "cost": 5050},
        {"path": "appeals.nodes.similar", "cost": 5000},
    ]
