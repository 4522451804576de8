"""Parameters off the wire, as strictly as RFC 6749 has them: each once, printable, not empty."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from starlette.requests import Request

MOST = 16 * 1024
"""Bytes of a form, or of a query: a client assertion is the longest thing in one."""
MOST_FIELDS = 40
FORM = "application/x-www-form-urlencoded"

# Every parameter of RFC 6749 is made of these (appendix A), and every other that we read.
_PRINTABLE = re.compile(r"[\x20-\x7e]*")


def read_query(request: Request) -> dict[str, str]:
    """The parameters of a query. Raises InvalidRequestError."""
    return _parsed(request.scope["query_string"])


async def read_form(request: Request) -> dict[str, str]:
    """The parameters of a form. Raises InvalidRequestError for anything else than one."""
    kinds = request.headers.getlist("content-type")
    kind, _, rest = (kinds[0] if kinds else "").partition(";")
    charset = rest.strip().lower()
    if len(kinds) != 1 or kind.strip().lower() != FORM or charset not in ("", "charset=utf-8"):
        raise InvalidRequestError(f"The body must be {FORM}.")
    if "content-encoding" in request.headers:
        raise InvalidRequestError("The body must not be compressed.")
    # What stands in an address is written down on the way; credentials never belong there.
    if request.scope["query_string"]:
        raise InvalidRequestError("Parameters belong in the body.")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST:
            raise InvalidRequestError("The body is too large.")
        parts.append(part)
    return _parsed(b"".join(parts))


def _parsed(raw: bytes) -> dict[str, str]:
    if len(raw) > MOST:
        raise InvalidRequestError("The query is too large.")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise InvalidRequestError("The parameters cannot be read.") from None
    said: dict[str, str] = {}
    for name, value in pairs:
        if not (_PRINTABLE.fullmatch(name) and _PRINTABLE.fullmatch(value)):
            raise InvalidRequestError("A parameter has signs that none may have.")
        if name in said:
            raise InvalidRequestError("A parameter is repeated.")
        said[name] = value
    # A parameter without a value is one that was not sent (RFC 6749 §3.1, §3.2).
    return {name: value for name, value in said.items() if value}


def header_once(request: Request, name: str) -> Mapping[str, str]:
    """A header as authlib reads it. Raises InvalidRequestError where it came twice."""
    lines = request.headers.getlist(name)
    if len(lines) > 1:
        raise InvalidRequestError("A header is repeated.")
    return {name.title(): lines[0]} if lines else {}
