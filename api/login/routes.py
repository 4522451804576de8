"""The addresses of the login. The door stands in `app.state.login` while the platform serves."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.errors import MethodNotAllowed
from api.login.door import LoginDoor
from api.login.mobile import MobileDoor
from domain.errors import NotFound

Act = Callable[[LoginDoor, Request], Awaitable[Response]]


class Endpoint:
    """One address and what its methods do. No HEAD: what a login takes, it takes once."""

    def __init__(self, acts: Mapping[str, Act]) -> None:
        self._acts = acts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        act = self._acts.get(request.method)
        if act is None:
            raise MethodNotAllowed(allowed=", ".join(sorted(self._acts)))
        request.state.route = f"login.{act.__name__}"
        door: LoginDoor | None = getattr(request.app.state, "login", None)
        if door is None:
            raise NotFound(kind="path", id=request.url.path)
        response = await act(door, request)
        await response(scope, receive, send)


def _told_on_a_page(act: Act) -> Act:
    """The act, with its refusals as pages: a person reads them."""

    @wraps(act)
    async def told(door: LoginDoor, request: Request) -> Response:
        return await door.answer(lambda asked: act(door, asked), request)

    return told


def _mobile(act: Callable[[MobileDoor, Request], Awaitable[Response]]) -> Act:
    """An act of the signing; there is none where the city has set up none."""

    @wraps(act)
    async def found(door: LoginDoor, request: Request) -> Response:
        door.spend(" ".join(request.path_params.values()))
        if door.mobile is None:
            raise NotFound(kind="path", id=request.url.path)
        return await act(door.mobile, request)

    return found


def _route(path: str, **acts: Act) -> Route:
    return Route(path, Endpoint(acts), methods=None, include_in_schema=False)


ROUTES = (
    _route("/login", GET=_told_on_a_page(LoginDoor.begin)),
    _route("/login/callback/{provider}", GET=_told_on_a_page(LoginDoor.callback)),
    _route("/login/consent", POST=_told_on_a_page(LoginDoor.decide)),
    _route("/login/leave", POST=_told_on_a_page(LoginDoor.leave)),
    _route("/invitation/{token}", GET=_told_on_a_page(LoginDoor.invitation)),
    _route("/login/waiting/{page}", GET=_told_on_a_page(_mobile(MobileDoor.waiting))),
    _route("/login/mobile/{telephone}", GET=_mobile(MobileDoor.about)),
    _route(
        "/login/mobile/{telephone}/document",
        GET=_mobile(MobileDoor.document),
        PUT=_mobile(MobileDoor.sign),
    ),
)
