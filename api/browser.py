"""What binds a waiting request for authorization to the browser that brought it.

The handle travels in an address, and addresses can be handed to others; the cookie cannot. A
login that starts without it was begun by somebody else, who would get this person's code.
`secure`: whether the world reaches us over TLS; without it no cookie may say so.
"""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from domain.identity.tokens import REQUEST_LASTS

COOKIE = "ikomek-request"


def bind(response: Response, handle: str, *, secure: bool) -> None:
    """Give the browser the cookie of a handle."""
    response.set_cookie(
        _name(handle, secure), _value(handle), max_age=int(REQUEST_LASTS.total_seconds()),
        path="/", secure=secure, httponly=True, samesite="lax",
    )  # fmt: skip


def bound(request: Request, handle: str, *, secure: bool) -> bool:
    """Whether the browser is the one that brought the request of a handle."""
    return request.cookies.get(_name(handle, secure)) == _value(handle)


def _name(handle: str, secure: bool) -> str:
    """One for each request, since several may wait in one browser. `__Host-`: no other host and
    no other path can have set it (RFC 6265bis §4.1.3.2).
    """
    return f"{'__Host-' if secure else ''}{COOKIE}-{sha256(handle.encode()).hexdigest()[:16]}"


def _value(handle: str) -> str:
    return sha256(b"browser " + handle.encode()).hexdigest()
