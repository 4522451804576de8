"""The cleaner of attachments: detection, then the one road that fits the kind."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Self

from domain.attachments import (
    MAX_BYTES,
    MAX_FRAMES,
    MAX_PIXELS,
    MAX_SIDE,
    CleanFile,
    FileRule,
    MediaKind,
    check_size,
    refused,
)
from integrations.media.audio import clean_audio
from integrations.media.kinds import Detected, check_claim, detect
from integrations.media.pdf import check_pdf
from integrations.media.sandbox import Answer, Died, Sandbox

IMAGE_WORKER = Path(__file__).with_name("image_worker.py")
FAULTS = {
    "too-many-pixels": FileRule.TOO_MANY_PIXELS,
    "animated": FileRule.ANIMATED,
    "out-of-memory": FileRule.TOO_MANY_PIXELS,
}
FACTS: dict[FileRule, dict[str, object]] = {
    FileRule.TOO_MANY_PIXELS: {"maximum": MAX_PIXELS},
    FileRule.ANIMATED: {"maximum": MAX_FRAMES},
}
# What a redrawn picture begins with; the worker met the hostile file, so it is not believed.
DRAWN = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}


class MediaCleaner:
    """A Cleaner that redraws pictures in a sandbox and reads PDF and sound as bytes.

    Use it as an async context manager, or call `close` when the process ends.
    """

    def __init__(self, sandbox: Sandbox | None = None, *, at_once: int = 2) -> None:
        self._sandbox = sandbox or Sandbox(IMAGE_WORKER, at_once=at_once)
        self._scans = asyncio.Semaphore(at_once)

    async def __aenter__(self) -> Self:
        await self._sandbox.warm()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the processes that wait for pictures."""
        await self._sandbox.close()

    async def clean(self, content: bytes, declared: str | None) -> CleanFile:
        """See domain.attachments.Cleaner."""
        if len(content) > max(MAX_BYTES.values()):
            raise refused(FileRule.TOO_LARGE, size=len(content), maximum=max(MAX_BYTES.values()))
        detected = detect(content)
        check_claim(declared, detected)
        check_size(detected.kind, len(content))
        original = hashlib.sha256(content).hexdigest()
        if detected.kind is MediaKind.IMAGE:
            return await self._redraw(content, detected, original)
        kept = await self._scanned(content, detected)
        return CleanFile(detected.kind, detected.media_type, kept, original, None, None)

    async def _redraw(self, content: bytes, detected: Detected, original: str) -> CleanFile:
        asked = {
            "media_type": detected.media_type,
            "max_pixels": MAX_PIXELS,
            "max_frames": MAX_FRAMES,
            "max_side": MAX_SIDE,
        }
        try:
            answer = await self._sandbox.run(asked, content)
        except Died as death:
            raise refused(FileRule.DAMAGED, reason=death.reason) from None
        return _picture(answer, original)

    async def _scanned(self, content: bytes, detected: Detected) -> bytes:
        async with self._scans:
            return await asyncio.to_thread(_road(detected), content)


def _road(detected: Detected) -> Callable[[bytes], bytes]:
    if detected.kind is MediaKind.PDF:
        return _checked_pdf
    return lambda content: clean_audio(content, detected.media_type)


def _checked_pdf(content: bytes) -> bytes:
    check_pdf(content)
    return content


def _picture(answer: Answer, original: str) -> CleanFile:
    said = answer.header
    if "fault" in said:
        rule = FAULTS.get(str(said["fault"]), FileRule.DAMAGED)
        raise refused(rule, **FACTS.get(rule, {"reason": "unreadable"}))
    media_type, width, height = said.get("media_type"), said.get("width"), said.get("height")
    sound = (
        isinstance(media_type, str)
        and media_type in DRAWN
        and answer.body.startswith(DRAWN[media_type])
        and all(isinstance(side, int) and 0 < side <= MAX_SIDE for side in (width, height))
    )
    if not sound:
        raise refused(FileRule.DAMAGED, reason="unreadable")
    return CleanFile(MediaKind.IMAGE, str(media_type), answer.body, original, width, height)
