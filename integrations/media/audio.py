"""A voice message: sound alone, without the notes that a phone adds (place, name, cover).

Ogg and WebM pass as they are: recorders of voice write no place into them.
Sound is not decoded here; its container is walked far enough to know that it is whole
in its outline, that no film is inside, and where the notes are.
"""

import functools
import re
from collections.abc import Callable, Iterator

from domain.attachments import FileRule, refused
from domain.errors import Invalid
from integrations.media.kinds import unsupported
from integrations.media.polyglots import check_single

# ISO 14496-12: the handler of a track says what the track is.
SOUND_TRACK = re.compile(rb"hdlr.{8}soun", re.DOTALL)
FILM_TRACK = re.compile(rb"hdlr.{8}(vide|subt|text|meta)", re.DOTALL)
CONTAINERS = frozenset({b"moov", b"trak"})
NOTES = frozenset({b"udta", b"meta", b"uuid"})
MAX_BOXES = 10_000
MAX_TAGS = 3
MAX_AMR_FRAMES = 360_000  # two hours

WEBM_SOUND = re.compile(rb"A_(OPUS|VORBIS)")
WEBM_OTHER = re.compile(rb"V_(VP8|VP9|AV1|MPEG|THEORA|UNCOMPRESSED)|S_TEXT")
OGG_SOUND = re.compile(rb"OpusHead|\x01vorbis|Speex   ")
OGG_FILM = re.compile(rb"OggS\0\x02.{20}.{1,8}(\x80theora|fishead|BBCD|OVP80)", re.DOTALL)

RATES = (
    # kbit/s of layer III: MPEG 1, then MPEG 2 and 2.5
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
FREQUENCIES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
AMR_FRAMES = {  # bytes of a frame by its type, RFC 4867 §5.3; header byte included
    b"#!AMR\n": (13, 14, 16, 18, 20, 21, 27, 32, 6),
    b"#!AMR-WB\n": (18, 24, 33, 37, 41, 47, 51, 59, 61, 6),
}


def clean_audio(content: bytes, media_type: str) -> bytes:
    """The sound without its notes.

    Raises Invalid: `damaged`, `unsupported-type` for a film, `active-content`.
    """
    cleaned = CLEANERS[media_type](content)
    check_single(cleaned)
    return cleaned


def _damaged() -> Invalid:
    return refused(FileRule.DAMAGED, reason="incomplete")


def _clean_mpeg(content: bytes) -> bytes:
    return _clean_frames(content, _mp3_frame)


def _clean_aac(content: bytes) -> bytes:
    return _clean_frames(content, _adts_frame)


def _clean_frames(content: bytes, frame: Callable[[bytes], int]) -> bytes:
    bare = _without_id3(content)
    first = frame(bare[:8])
    # Two frames in a row: a lone sync word stands in every second picture.
    if not first or not frame(bare[first : first + 8]):
        raise _damaged()
    return bare


def _without_id3(content: bytes) -> bytes:
    """ID3v2 in front (its size is in four bytes of seven bits) and ID3v1 at the end are cut."""
    for _ in range(MAX_TAGS):
        if content[:3] != b"ID3" or len(content) <= 10:
            break
        size = functools.reduce(lambda sum_, byte: sum_ << 7 | byte & 127, content[6:10], 0)
        content = content[10 + size + (10 if content[5] & 16 else 0) :].lstrip(b"\0")
    return content[:-128] if content[-128:-125] == b"TAG" else content


def _mp3_frame(header: bytes) -> int:
    """Bytes of the layer III frame that begins here (ISO 11172-3 §2.4.3), 0 when none does."""
    if len(header) < 4 or header[0] != 255 or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate, frequency = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version not in FREQUENCIES or rate in (0, 15) or frequency == 3:
        return 0
    samples = 144 if version == 3 else 72
    kilobits = RATES[0 if version == 3 else 1][rate]
    return samples * kilobits * 1000 // FREQUENCIES[version][frequency] + (header[2] >> 1 & 1)


def _adts_frame(header: bytes) -> int:
    """Bytes of the ADTS frame that begins here (ISO 14496-3 §1.A.2.2), 0 when none does."""
    if len(header) < 7 or header[0] != 255 or header[1] & 0xF6 != 0xF0:
        return 0
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size > 7 else 0


def _clean_amr(content: bytes) -> bytes:
    magic = content[: content.index(b"\n") + 1]
    sizes, at, frames = AMR_FRAMES[magic], len(magic), 0
    while at < len(content):
        kind = content[at] >> 3 & 15
        if content[at] & 0x83 or (kind >= len(sizes) and kind != 15):
            raise _damaged()
        at, frames = at + (1 if kind == 15 else sizes[kind]), frames + 1
        if frames > MAX_AMR_FRAMES:
            raise _damaged()
    # A phone that ran out of battery leaves half a frame at the end: that is still a message.
    if not frames:
        raise _damaged()
    return content


def _clean_wav(content: bytes) -> bytes:
    """Only the chunks that sound: format, count of samples, samples."""
    kept = [chunk for name, chunk in _riff_chunks(content) if name in (b"fmt ", b"fact", b"data")]
    if not any(chunk[:4] == b"fmt " for chunk in kept) or kept[-1][:4] != b"data":
        raise _damaged()
    body = b"WAVE" + b"".join(kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _riff_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, count = 12, 0
    while at + 8 <= len(content) and count < MAX_BOXES:
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if at + 8 + size > len(content):
            raise _damaged()
        yield content[at : at + 4], content[at : at + 8 + size] + b"\0" * (size % 2)
        at, count = at + 8 + size + size % 2, count + 1


def _clean_mp4(content: bytes) -> bytes:
    if FILM_TRACK.search(content):
        raise unsupported("video/mp4")
    if not SOUND_TRACK.search(content):
        raise _damaged()
    blank = bytearray(content)
    for name, start, inside, end in _boxes(content):
        if name in NOTES:
            # Blanked in place: tracks point at their samples by offset in the file.
            blank[start + 4 : start + 8] = b"free"
            blank[inside:end] = bytes(end - inside)
    return bytes(blank)


def _boxes(content: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    """Every box of a file and its containers: name, begin, inside, end (ISO 14496-12 §4.2)."""
    waiting, count = [(0, len(content))], 0
    while waiting:
        at, stop = waiting.pop()
        while at < stop:
            count += 1
            inside, end = _box_at(content, at, stop)
            if count > MAX_BOXES:
                raise _damaged()
            name = content[at + 4 : at + 8]
            yield name, at, inside, end
            if name in CONTAINERS:
                waiting.append((inside, end))
            at = end


def _box_at(content: bytes, at: int, stop: int) -> tuple[int, int]:
    size, head = int.from_bytes(content[at : at + 4], "big"), 8
    if size == 1:
        size, head = int.from_bytes(content[at + 8 : at + 16], "big"), 16
    size = size or stop - at
    if size < head or at + size > stop:
        raise _damaged()
    return at + head, at + size


def _clean_ogg(content: bytes) -> bytes:
    if OGG_FILM.search(content):
        raise unsupported("video/ogg")
    if not OGG_SOUND.search(content, 0, 512):
        raise unsupported("application/ogg")
    return content


def _clean_webm(content: bytes) -> bytes:
    if WEBM_OTHER.search(content[:65536]):
        raise unsupported("video/webm")
    if not WEBM_SOUND.search(content[:65536]):
        raise _damaged()
    return content


CLEANERS: dict[str, Callable[[bytes], bytes]] = {
    "audio/mpeg": _clean_mpeg,
    "audio/aac": _clean_aac,
    "audio/amr": _clean_amr,
    "audio/wav": _clean_wav,
    "audio/mp4": _clean_mp4,
    "audio/ogg": _clean_ogg,
    "audio/webm": _clean_webm,
}
