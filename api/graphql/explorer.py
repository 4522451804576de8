"""GraphiQL at /graphiql, whole without a network, with the worked examples of docs/graphql.md."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from api.pages import ForReading, reading

FOLDER = Path(__file__).parents[1] / "graphiql"
EXAMPLES = FOLDER / "examples"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none';"
    " base-uri 'none'; form-action 'none'"
)
"""'unsafe-inline' for styles alone: CodeMirror sets them on its elements."""


def read_examples() -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """The worked examples in their order: name, document, variables."""
    for file in sorted(EXAMPLES.glob("*.graphql")):
        beside = file.with_suffix(".json")
        variables = orjson.loads(beside.read_bytes()) if beside.exists() else None
        yield file.stem, file.read_text(), variables


@cache
def _examples() -> bytes:
    return orjson.dumps(
        [
            {"name": name, "query": query, "variables": variables}
            for name, query, variables in read_examples()
        ]
    )


async def _page(_: Request) -> Response:
    page = FileResponse(FOLDER / "index.html", media_type="text/html; charset=utf-8")
    page.headers["content-security-policy"] = POLICY
    return page


async def _told(_: Request) -> Response:
    return Response(_examples(), media_type="application/json")


ROUTES = (
    reading("/graphiql", _page),
    reading("/graphiql/examples.json", _told),
    Mount("/graphiql", ForReading(StaticFiles(directory=FOLDER))),
)
