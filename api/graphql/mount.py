"""The graph at /graphql: over HTTP, as a stream of events, and over WebSockets."""

from functools import partial

from graphql import GraphQLSchema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute, request_response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from api.bootstrap import House
from api.graphql.calls import Caller
from api.graphql.census import Bounds
from api.graphql.context import Context
from api.graphql.documents import Documents, read_trusted
from api.graphql.door import GraphDoor, spend
from api.graphql.engine import Engine
from api.graphql.fast import FastExecutor
from api.graphql.hub import Hub
from api.graphql.schema import build_schema
from api.settings import Settings
from domain.access import Principal


def open_graph(house: House) -> GraphDoor:
    """The door of the graph of a house. Raises ValueError for a list of documents that is none."""
    settings = house.settings
    schema = build_schema()._schema
    hub = Hub(
        house.happenings,
        most=settings.graphql_subscriptions,
        most_of_one=settings.graphql_subscriptions_each,
    )

    def context(caller: Caller) -> Context:
        return Context(
            house=house,
            principal=caller.principal,
            language=caller.voice.language,
            at=house.now(),
            request_id=caller.voice.request_id,
            key=caller.key,
            stream=door.stream(caller),
        )

    def who(context: Context) -> Principal | None:
        return context.principal

    engine = Engine(
        schema,
        make_documents(schema, settings),
        context=context,
        who=who,
        executor=FastExecutor,
        seconds=settings.graphql_seconds,
        budget=settings.graphql_budget,
        public_budget=settings.graphql_public_budget,
        pay=partial(spend, house),
    )
    door = GraphDoor(house, engine, hub)
    return door


def make_documents(schema: GraphQLSchema, settings: Settings) -> Documents:
    """What judges documents, by the city's settings. Raises ValueError."""
    path = settings.graphql_documents
    return Documents(
        schema,
        Bounds(cost=settings.graphql_cost),
        introspection=settings.graphql_introspection,
        trusted=read_trusted(path) if path is not None else None,
        trusted_only=settings.graphql_trusted_only,
    )


async def _graphql(request: Request) -> Response:
    door: GraphDoor = request.app.state.graph
    return await door.handle(request)


class _Http:
    """All methods: the door says which there are."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await request_response(_graphql)(scope, receive, send)


async def _socket(websocket: WebSocket) -> None:
    door: GraphDoor = websocket.app.state.graph
    await door.socket(websocket)


ROUTES: tuple[BaseRoute, ...] = (
    Route("/graphql", _Http(), methods=None, include_in_schema=False),
    WebSocketRoute("/graphql", _socket),
)
