"""A PDF that only shows: no program, no attached file, nothing hidden (ISO 32000-2).

The scan reads bytes, not objects, and refuses when in doubt: a reader of PDFs is
lenient, so a check that parses as strictly as the standard would miss what it runs.
"""

import re
import zlib
from itertools import islice

from domain.attachments import MEGABYTE, FileRule, refused
from domain.errors import Invalid
from integrations.media.polyglots import check_single

TAIL_BYTES = 2048
MAX_OBJECT_STREAM = 8 * MEGABYTE
MAX_ALL_OBJECT_STREAMS = 48 * MEGABYTE

_GAP = rb"[\s\0]*+"
_END = rb"(?![A-Za-z0-9_.+-])"
# Long names cannot occur in compressed data by chance.
FORBIDDEN_NAMES = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|SubmitForm|ImportData|RichMedia|Rendition|GoToE|GoToR"
    rb"|Movie|Encrypt)" + _END
)
# Short ones can, so they count only together with a value (or a comment that may hide one).
FORBIDDEN_ENTRIES = re.compile(
    rb"/(JS)" + _GAP + rb"(?:[(<%]|\d{1,10}\s+\d{1,5}\s+R)"
    rb"|/(AA|XFA|EF)" + _GAP + rb"(?:<<|\[|%|\d{1,10}\s+\d{1,5}\s+R)"
)
OPEN_ACTION = re.compile(
    rb"/OpenAction" + _END + _GAP + rb"(?:(\[|null)|(\d{1,10})\s+(\d{1,5})\s+R|)"
)
ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
STREAM = re.compile(rb"(?<!end)stream\r?\n")
OBJECT_STREAM = re.compile(rb"/ObjStm" + _END)
MAX_DICTIONARY = 4096
MAX_STREAMS = 50_000
MAX_OPEN_ACTIONS = 8
MAX_ESCAPES = 200_000


def check_pdf(content: bytes) -> None:
    """Raises Invalid: `damaged` for what is no whole PDF, else `active-content`.

    The fault names what was `found`: a name of PDF, `archive`, `page`, `Encrypt`,
    or `unreadable-objects` when objects are packed in a way that cannot be examined.
    """
    _check_frame(content)
    check_single(content)
    plain = unescaped(content)
    _check_text(plain)
    for objects in _object_streams(content):
        _check_text(unescaped(objects))


def unescaped(content: bytes) -> bytes:
    """The bytes with the #-escapes of names (7.3.5) written out, up to a sane number."""
    plain, count = ESCAPE.subn(lambda found: bytes([int(found[1], 16)]), content, count=MAX_ESCAPES)
    if count == MAX_ESCAPES:
        raise _unreadable()
    return plain


def _check_frame(content: bytes) -> None:
    tail = content[-TAIL_BYTES:]
    _, end, rest = tail.rpartition(b"%%EOF")
    if not end or b"startxref" not in tail or b" obj" not in content:
        raise refused(FileRule.DAMAGED, reason="incomplete")
    if rest.strip(b"\0 \t\r\n\f"):
        raise refused(FileRule.ACTIVE_CONTENT, found="trailing-data")


def _check_text(text: bytes) -> None:
    for pattern in (FORBIDDEN_NAMES, FORBIDDEN_ENTRIES):
        if found := pattern.search(text):
            name = next(group for group in found.groups() if group)
            raise refused(FileRule.ACTIVE_CONTENT, found=name.decode())
    openings = list(islice(OPEN_ACTION.finditer(text), MAX_OPEN_ACTIONS + 1))
    if len(openings) > MAX_OPEN_ACTIONS or any(_acts(opening, text) for opening in openings):
        raise refused(FileRule.ACTIVE_CONTENT, found="OpenAction")


def _acts(opening: re.Match[bytes], text: bytes) -> bool:
    """Whether the document does something when opened, beyond showing one of its pages."""
    destination, number, generation = opening.groups()
    if destination:
        return False
    if number is None:
        return True
    bodies = re.findall(rb"(?<!\d)%s\s+%s\s+obj%s(.)" % (number, generation, _GAP), text, re.DOTALL)
    return not bodies or any(body != b"[" for body in bodies)


def _object_streams(content: bytes) -> list[bytes]:
    """The unpacked object streams (7.5.7), each of them or a refusal."""
    streams: list[bytes] = []
    room = MAX_ALL_OBJECT_STREAMS
    for count, begin in enumerate(STREAM.finditer(content)):
        if count >= MAX_STREAMS:
            raise _unreadable()
        dictionary = _dictionary_before(content, begin.start())
        if OBJECT_STREAM.search(dictionary):
            streams.append(
                _unpacked(content, begin.end(), dictionary, min(room, MAX_OBJECT_STREAM))
            )
            room -= len(streams[-1])
    # A mention that belongs to no stream we read would be one that only a reader finds.
    if len(streams) != len(OBJECT_STREAM.findall(unescaped(content))):
        raise _unreadable()
    return streams


def _dictionary_before(content: bytes, end: int) -> bytes:
    start = max(0, end - MAX_DICTIONARY)
    return unescaped(content[max(start, content.rfind(b"obj", start, end)) : end])


def _unpacked(content: bytes, begin: int, dictionary: bytes, room: int) -> bytes:
    end = content.find(b"endstream", begin)
    if b"/Filter" not in dictionary and end >= 0:
        return content[begin:end][:room]
    filters = re.findall(rb"/\w*Decode\b", dictionary)
    if filters != [b"/FlateDecode"] or b"/DecodeParms" in dictionary or end < 0 or room <= 0:
        raise _unreadable()
    unpacker = zlib.decompressobj()
    try:
        objects = unpacker.decompress(content[begin:end], room)
    except zlib.error:
        raise _unreadable() from None
    if not unpacker.eof:
        raise _unreadable()
    return objects


def _unreadable() -> Invalid:
    return refused(FileRule.ACTIVE_CONTENT, found="unreadable-objects")
