"""The addresses of the login. The door stands in `app.state.login` while the platform serves."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.errors import MethodNotAllowed
from api.login.door import LoginDoor
from domain.errors import NotFound

Act = Callable[[LoginDoor, Request], Awaitable[Response]]


class Endpoint:
    """One address, one method. No HEAD: what a login takes, it takes once."""

    def __init__(self, method: str, act: Act) -> None:
        self._method = method
        self._act = act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        if request.method != self._method:
            raise MethodNotAllowed(allowed=self._method)
        request.state.route = f"login.{self._act.__name__}"
        door: LoginDoor | None = getattr(request.app.state, "login", None)
        if door is None:
            raise NotFound(kind="path", id=request.url.path)

        async def act(asked: Request) -> Response:
            return await self._act(door, asked)

        response = await door.answer(act, request)
        await response(scope, receive, send)


def _route(path: str, method: str, act: Act) -> Route:
    return Route(path, Endpoint(method, act), methods=None, include_in_schema=False)


ROUTES = (
    _route("/login", "GET", LoginDoor.begin),
    _route("/login/callback/{provider}", "GET", LoginDoor.callback),
    _route("/login/consent", "POST", LoginDoor.decide),
    _route("/login/leave", "POST", LoginDoor.leave),
    _route("/invitation/{token}", "GET", LoginDoor.invitation),
)
