"""Reading bodies off the wire, never more of them than is allowed."""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from hashlib import sha256

from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.errors import TooLarge, UnsupportedMediaType
from api.rest.decode import escaped
from api.rest.operation import malformed
from domain.errors import Fault, Invalid

_LENGTH = re.compile(r"[0-9]{1,18}")

OVERHEAD = 64 * 1024
"""Bytes that multipart may take besides the file."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """An uploaded file as it came: not yet judged."""

    content: bytes
    filename: str
    declared: str | None

    def fingerprint(self) -> bytes:
        """What tells two uploads apart; boundaries of multipart differ between repeats."""
        return sha256(self.filename.encode() + b"\0" + self.content).digest()


async def read_limited(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is over the limit. Raises TooLarge, Malformed."""
    declared = request.headers.get("content-length", "")
    if _LENGTH.fullmatch(declared) and int(declared) > limit:
        raise TooLarge(limit=limit)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge(limit=limit)
        parts.append(part)
    return b"".join(parts)


async def read_upload(request: Request, limit: int) -> ReadFile:
    """The one `file` of a multipart/form-data body.

    Raises UnsupportedMediaType, TooLarge, Malformed, or Invalid without a file.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data" or "content-encoding" in request.headers:
        raise UnsupportedMediaType(expected="multipart/form-data")
    raw = await read_limited(request, limit + OVERHEAD)
    parser = MultiPartParser(
        request.headers, _once(raw), max_files=1, max_fields=4, max_part_size=4096
    )
    try:
        form = await parser.parse()
    except (MultiPartException, MultipartParseError, KeyError, UnicodeDecodeError) as error:
        raise malformed("multipart", "/file", "format") from error
    try:
        file = form.get("file")
        if unknown := sorted(form.keys() - {"file"}):
            raise Invalid([Fault(f"/{escaped(name)}", "unknown", {}) for name in unknown])
        if not isinstance(file, UploadFile):
            raise Invalid.at("/file", "required")
        content = await file.read()
    finally:
        await form.close()
    if len(content) > limit:
        raise TooLarge(limit=limit)
    return ReadFile(content, file.filename or "", file.content_type)


async def _once(raw: bytes) -> AsyncGenerator[bytes, None]:
    yield raw
