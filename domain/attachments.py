"""Attachments of appeals: the photo of the manhole, the letter, the voice message.

What a resident sends is never kept as it came. A `Cleaner` makes a new file of it,
free of hidden places, names and programs; the register keeps the hash of the original.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import quote

from domain.errors import Invalid

MEGABYTE = 1024 * 1024


class MediaKind(StrEnum):
    """The kinds of file that an appeal may carry."""

    IMAGE = "image"
    PDF = "pdf"
    AUDIO = "audio"


class FileRule(StrEnum):
    """Why a file is refused; the stable `rule` of the fault at `/file`."""

    EMPTY = "empty"
    TOO_LARGE = "too-large"
    UNSUPPORTED_TYPE = "unsupported-type"
    HEIC = "heic"
    TYPE_MISMATCH = "type-mismatch"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too-many-pixels"
    ANIMATED = "animated"
    ACTIVE_CONTENT = "active-content"


MAX_BYTES = {
    MediaKind.IMAGE: 15 * MEGABYTE,
    MediaKind.PDF: 20 * MEGABYTE,
    MediaKind.AUDIO: 20 * MEGABYTE,
}
MAX_PIXELS = 40_000_000
MAX_FRAMES = 1
MAX_SIDE = 4096
"""The long side of a kept picture, in pixels; larger ones are made smaller."""

ACCEPTED = {
    MediaKind.IMAGE: ("image/jpeg", "image/png", "image/webp"),
    MediaKind.PDF: ("application/pdf",),
    MediaKind.AUDIO: (
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/mp4",
        "audio/aac",
        "audio/amr",
        "audio/webm",
    ),
}

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/webm": "weba",
}


@dataclass(frozen=True, slots=True)
class CleanFile:
    """A file that is safe to keep and to show.

    `content` is what is kept; `original_sha256` is the hex digest of what came in,
    so that the sender can prove what was sent. `width` and `height` are pixels of
    the kept picture, None for a PDF or audio.
    """

    kind: MediaKind
    media_type: str
    content: bytes
    original_sha256: str
    width: int | None
    height: int | None


class Cleaner(Protocol):
    """Makes a safe file of whatever somebody sent."""

    async def clean(self, content: bytes, declared: str | None) -> CleanFile:
        """The safe file; `declared` is the Content-Type that the sender claimed.

        Raises Invalid at `/file` with a `FileRule`, and Unavailable when files
        cannot be examined for now.
        """


class FileStore(Protocol):
    """Where kept files lie, each under a key that is never given to another file."""

    async def put(self, key: str, content: bytes, media_type: str) -> None:
        """Keep the file; the same file again is fine, another one is a Conflict."""

    async def get(self, key: str) -> bytes:
        """The file's bytes. Raises NotFound."""

    async def delete(self, key: str) -> None:
        """Forget the file, after a lawful erasure; one that is not there is fine."""

    async def healthy(self) -> bool:
        """Whether a file could be kept now."""


def refused(rule: FileRule, **params: object) -> Invalid:
    """The refusal of a file by one rule."""
    return Invalid.at("/file", rule.value, **params)


def check_size(kind: MediaKind, size: int) -> None:
    """Raises Invalid `too-large` when `size` bytes are more than the kind may have."""
    if size > MAX_BYTES[kind]:
        raise refused(FileRule.TOO_LARGE, size=size, maximum=MAX_BYTES[kind], kind=kind.value)


MAX_NAME_BYTES = 150
FALLBACK_NAME = "file"
_FORBIDDEN = re.compile(r'[<>:"|?*;%\\/\s]+')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)")


def safe_filename(name: str, media_type: str | None = None) -> str:
    """A name that is safe to show, to store and to send, at most 150 bytes of UTF-8.

    Folders, control and direction characters, device names of Windows and the signs
    that a shell, a header or a file system reads as its own are gone; Kazakh and
    Russian letters stay. With a `media_type` the extension becomes that type's own,
    so that no picture is called `.exe`.
    """
    visible = "".join(c for c in unicodedata.normalize("NFKC", name) if _is_visible(c))
    last = re.split(r"[\\/]", visible)[-1]
    tidy = _FORBIDDEN.sub("_", last).strip("._- ~$'`") or FALLBACK_NAME
    tidy = _DEVICES.sub(r"_\1", tidy)
    extension = EXTENSIONS.get(media_type or "")
    if extension is None:
        return _shortened(*_split(tidy))
    stem, found = _split(tidy)
    return _shortened(stem if found else tidy, f".{extension}")


def content_disposition(name: str, media_type: str, *, inline: bool = False) -> str:
    """The header of RFC 6266, with the name in ASCII and in the UTF-8 form of RFC 8187."""
    safe = safe_filename(name, media_type)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", safe).lstrip(".")
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def _is_visible(character: str) -> bool:
    # A tab or newline parts words; every other control, direction or private sign only hides.
    return character in "\t\n\r" or unicodedata.category(character)[0] != "C"


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if stem and extension.isascii() and extension.isalnum() and len(extension) <= 5:
        return stem, dot + extension
    return name, ""


def _shortened(stem: str, extension: str) -> str:
    room = MAX_NAME_BYTES - len(extension.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + extension
