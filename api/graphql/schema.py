"""The schema of the graph, and how a document is run against it."""

from functools import lru_cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.graphql.explaining import explain
from api.graphql.fast import FastExecutor, value_of
from api.graphql.mutation import Mutation
from api.graphql.query import Query
from api.graphql.scalars import OVERRIDES
from api.graphql.subscriptions import Subscription


@lru_cache(maxsize=1)
def build_schema() -> strawberry.Schema:
    """The schema; made once, since types are derived once."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        execution_context_class=FastExecutor,
        scalar_overrides=OVERRIDES,
        config=StrawberryConfig(
            default_resolver=value_of,
            disable_field_suggestions=True,
        ),
    )
    explain(schema._schema)
    return schema
