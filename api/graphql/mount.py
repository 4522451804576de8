"""The graph at POST /graphql, in the plainest way."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.auth import Authenticator
from api.bootstrap import House
from api.graphql.context import Context
from api.graphql.documents import Documents
from api.graphql.running import run
from api.graphql.schema import build_schema
from api.languages import preferred


class GraphDoor:
    """What every request of the graph passes through."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._schema = build_schema()
        self._documents = Documents(self._schema._schema)
        self._authenticator = Authenticator(house.tokens.find, house.trust, house.references)

    async def context(self, request: Request) -> Context:
        """Who asks, when, in which language. Raises Unauthenticated for a token that is none."""
        header, at = request.headers.get("authorization"), self._house.now()
        principal = None
        if header is not None:
            principal = await self._authenticator.principal(header, at)
            request.state.who = str(principal.id)
        return Context(
            house=self._house,
            principal=principal,
            language=preferred(request.headers.get("accept-language")),
            at=at,
            request_id=request.state.request_id,
            key=request.headers.get("idempotency-key"),
        )

    async def answer(self, request: Request) -> Response:
        """The answer to one request."""
        context = await self.context(request)
        said: dict[str, Any] = orjson.loads(await request.body())
        found = await run(
            self._schema,
            self._documents,
            context,
            said["query"],
            said.get("variables"),
            said.get("operationName"),
        )
        body = orjson.dumps(found, default=str, option=orjson.OPT_UTC_Z)
        return Response(body, media_type="application/json")


async def _graphql(request: Request) -> Response:
    request.state.route = "graphql"
    door: GraphDoor = request.app.state.graph
    return await door.answer(request)


ROUTES = [Route("/graphql", _graphql, methods=["POST"])]
