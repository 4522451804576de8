"""The real transport and engine over the toy schema, without a database."""

from typing import Any

from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.errors import Asked, problem
from api.graphql.answers import Voice
from api.graphql.calls import Caller
from api.graphql.census import Bounds
from api.graphql.documents import Documents
from api.graphql.engine import Engine
from api.graphql.http import Transport
from api.middleware import RequestRecord
from domain.errors import Refusal
from tests.api.graphql.toy import GRAPH


def engine_of(schema: GraphQLSchema = GRAPH, **options: Any) -> Engine:
    documents = options.pop("documents", None) or Documents(schema, options.pop("bounds", Bounds()))
    return Engine(
        schema,
        documents,
        context=lambda caller: {"caller": caller},
        executor=StrawberryGraphQLCoreExecutionContext,
        **options,
    )


def served(engine: Engine | None = None, *, batch: int = 5, max_body: int = 200_000) -> Starlette:
    """An application that answers the public at /graphql."""
    transport = Transport(engine or engine_of(), max_body=max_body, batch=batch)

    async def graphql(request: Request) -> Response:
        voice = Voice(request.headers.get("accept-language", "en"), request.state.request_id)
        return await transport.answer(request, Caller(None, voice, address="here"))

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return problem(error, Asked("/graphql", "en", request.state.request_id))

    return Starlette(
        routes=[Route("/graphql", graphql, methods=["GET", "POST", "PUT"])],
        middleware=[Middleware(RequestRecord)],
        exception_handlers={Refusal: refused, HTTPException: refused},
    )
