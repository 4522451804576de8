"""What a file really is, read from its own bytes; no name and no claim is believed."""

import re
from dataclasses import dataclass

import filetype

from domain.attachments import ACCEPTED, FileRule, MediaKind, refused
from domain.errors import Invalid

HEAD_BYTES = 4096

SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), media_type)
    for pattern, media_type in (
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"RIFF....WEBP", "image/webp"),
        (rb"%PDF-[12]\.\d", "application/pdf"),
        (rb"RIFF....WAVE", "audio/wav"),
        (rb"OggS\0", "audio/ogg"),
        (rb"#!AMR(-WB)?\n", "audio/amr"),
        (rb"\x1a\x45\xdf\xa3.{0,60}webm", "audio/webm"),
        # The photo formats that share MP4's box come before it.
        (rb"....ftyp(heic|heix|hevc|heim|heis|mif1|msf1)", "image/heic"),
        (rb"....ftyp(avif|avis)", "image/avif"),
        (rb"....ftyp(M4A |M4B |mp4[12]|isom|iso[2-9]|3gp[4-9]|3gr|dash|MSNV)", "audio/mp4"),
        # Layer bits 00 mean AAC's ADTS, 01 the layer III that is MP3.
        (rb"\xff[\xf0\xf1\xf8\xf9]", "audio/aac"),
        (rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "audio/mpeg"),
    )
)
TEXTS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), media_type)
    for pattern, media_type in (
        (rb"<svg[\s>]|<!doctype\s+svg", "image/svg+xml"),
        (rb"<(!doctype\s+html|html|head|body|script|iframe)[\s>]", "text/html"),
        (rb"^\s*<\?xml|<!DOCTYPE|<!ENTITY", "application/xml"),
    )
)
KINDS = {media_type: kind for kind, types in ACCEPTED.items() for media_type in types}

# Browsers and phones name recordings after the container, which may be a video's.
DECLARED_KINDS = {
    "application/pdf": MediaKind.PDF,
    "application/x-pdf": MediaKind.PDF,
    "application/ogg": MediaKind.AUDIO,
    "video/webm": MediaKind.AUDIO,
    "video/ogg": MediaKind.AUDIO,
    "video/mp4": MediaKind.AUDIO,
    "video/3gpp": MediaKind.AUDIO,
}
NO_CLAIM = frozenset({"", "application/octet-stream", "binary/octet-stream", "*/*"})


@dataclass(frozen=True, slots=True)
class Detected:
    """The kind and media type that the first bytes show."""

    kind: MediaKind
    media_type: str


def detect(content: bytes) -> Detected:
    """The kind of a file. Raises Invalid `empty` or `unsupported-type`.

    The fault of an unsupported type names what was `found` (None when unknown) and
    what is `accepted`.
    """
    if not content:
        raise refused(FileRule.EMPTY)
    head = content[:HEAD_BYTES]
    found = next((name for sign, name in SIGNATURES if sign.match(head)), None)
    if found not in KINDS:
        raise unsupported(found or _named(head))
    return Detected(KINDS[found], found)


def unsupported(found: str | None) -> Invalid:
    """The refusal of a type that the city does not take.

    What iPhones take unless told otherwise has a refusal of its own, which says how to mend it:
    Pillow reads no HEIC.
    """
    rule = FileRule.HEIC if found == "image/heic" else FileRule.UNSUPPORTED_TYPE
    return refused(rule, found=found, accepted=tuple(KINDS))


def check_claim(declared: str | None, detected: Detected) -> None:
    """Raises Invalid `type-mismatch` when the sender claimed another kind of file."""
    claim = (declared or "").partition(";")[0].strip().lower()
    if claim in NO_CLAIM:
        return
    if _declared_kind(claim) is not detected.kind:
        raise refused(FileRule.TYPE_MISMATCH, declared=claim[:100], found=detected.media_type)


def _declared_kind(claim: str) -> MediaKind | None:
    if claim in DECLARED_KINDS:
        return DECLARED_KINDS[claim]
    family = claim.partition("/")[0]
    if family == "image" and "svg" not in claim:
        return MediaKind.IMAGE
    return MediaKind.AUDIO if family == "audio" else None


def _named(head: bytes) -> str | None:
    if named := next((name for sign, name in TEXTS if sign.search(head)), None):
        return named
    guess = filetype.guess(head)
    return str(guess.mime) if guess else None
