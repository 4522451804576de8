"""What a browser sends to the login, read without trust: queries, forms, its cookie."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from domain.identity.attempts import new_secret

LONGEST = 4096
"""Characters of a parameter; codes of some providers are long."""
FORM = 16_384
"""Bytes of a form."""
COOKIE = "ikomek-login"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
LASTS = 1800
"""Seconds that a browser keeps its cookie: as long as every step of a login together."""


class Unreadable(ValueError):
    """The query or the form is not one that our pages or a provider make."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookie that binds a login to its browser. With TLS its name lets no other host or path
    set it (RFC 6265bis §4.1.3.2), so that nobody can plant theirs.
    """

    secure: bool

    @property
    def name(self) -> str:
        """Of the cookie."""
        return f"__Host-{COOKIE}" if self.secure else COOKIE

    def read(self, request: Request) -> str | None:
        """The browser's secret; None where it has none of ours."""
        found = request.cookies.get(self.name, "")
        return found if _SECRET.fullmatch(found) else None

    def ensure(self, request: Request) -> str:
        """The browser's secret, a new one where it has none: several tabs share it."""
        return self.read(request) or new_secret()

    def write(self, response: Response, secret: str) -> None:
        """Let the browser keep it. Lax: it comes along when a provider sends the browser back."""
        response.set_cookie(
            self.name, secret, max_age=LASTS, path="/", secure=self.secure, httponly=True,
            samesite="lax",
        )  # fmt: skip


def read_query(request: Request) -> dict[str, str]:
    """The query, each name once. Raises Unreadable."""
    return _once(request.query_params.multi_items())


async def read_form(request: Request) -> dict[str, str]:
    """The form, each name once, sent by a page of ours. Raises Unreadable."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Unreadable("not a form")
    # What a browser says of where a form stood; Origin is `null` under our Referrer-Policy.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Unreadable("a form of another site")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > FORM:
            raise Unreadable("too long")
    try:
        return _once(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise Unreadable("not a form") from None


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    said = dict(pairs)
    if len(said) != len(pairs) or any(len(value) > LONGEST for value in said.values()):
        raise Unreadable("repeated or too long")
    return said
