"""What binds a waiting request for authorization to the browser that brought it.

The handle travels in an address, and addresses can be handed to others; the cookie cannot. A
login that starts without it was begun by somebody else, who would get this person's code.
"""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from domain.identity.tokens import REQUEST_LASTS

PREFIX = "__Host-ikomek-request-"
"""`__Host-`: set by this host alone, over TLS, for every path (RFC 6265bis §4.1.3.2)."""


def bind(response: Response, handle: str) -> None:
    """Give the browser the cookie of a handle."""
    response.set_cookie(
        _name(handle), _value(handle), max_age=int(REQUEST_LASTS.total_seconds()),
        path="/", secure=True, httponly=True, samesite="lax",
    )  # fmt: skip


def bound(request: Request, handle: str) -> bool:
    """Whether the browser is the one that brought the request of a handle."""
    return request.cookies.get(_name(handle)) == _value(handle)


def unbind(response: Response, handle: str) -> None:
    """Take the cookie back, once the request is answered."""
    response.delete_cookie(_name(handle), path="/", secure=True, httponly=True, samesite="lax")


def _name(handle: str) -> str:
    return PREFIX + sha256(handle.encode()).hexdigest()[:16]


def _value(handle: str) -> str:
    return sha256(b"browser " + handle.encode()).hexdigest()
