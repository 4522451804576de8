"""Pages for people: the API reference, whole without a network, and one page per problem."""

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route, request_response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import STATUS, MethodNotAllowed
from api.languages import preferred
from api.texts import DETAILS, TITLES
from domain.errors import NotFound
from domain.values import Language

FOLDER = Path(__file__).parent / "reference"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


async def _reference(_: Request) -> Response:
    page = FileResponse(FOLDER / "index.html", media_type="text/html; charset=utf-8")
    page.headers["content-security-policy"] = _POLICY
    return page


async def _problem(request: Request) -> Response:
    """What a problem means and how to mend it, in three languages, the caller's own first."""
    code = request.path_params["code"]
    if code not in TITLES:
        raise NotFound(kind="problem", id=code)
    first = preferred(request.headers.get("accept-language"))
    languages = sorted(Language, key=lambda language: language != first)
    status = next(int(s) for refusal, s in STATUS.items() if refusal.code == code)
    parts = "".join(
        f"<section lang={language}><h2>{escape(TITLES[code][language])}</h2>"
        f"<p>{escape(DETAILS[code][language])}</p></section>"
        for language in languages
    )
    return HTMLResponse(
        f"<!doctype html><html lang={first}><meta charset=utf-8><title>{escape(code)}</title>"
        f"<h1>{status} {escape(code)}</h1>{parts}</html>",
        headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


class ForReading:
    """The endpoint of a page: whoever wants more than to read it is told so."""

    def __init__(self, page: ASGIApp) -> None:
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            await self._page(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"allow": _ALLOWED})(scope, receive, send)
        else:
            raise MethodNotAllowed(allowed=_ALLOWED)


_ALLOWED = "GET, HEAD, OPTIONS"


def reading(path: str, page: Callable[[Request], Awaitable[Response]]) -> Route:
    """The route of a page."""
    return Route(path, ForReading(request_response(page)))


ROUTES = (
    reading("/reference", _reference),
    Mount("/reference", ForReading(StaticFiles(directory=FOLDER))),
    reading("/problems/{code}", _problem),
)
