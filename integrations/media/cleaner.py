"""The cleaner of attachments: detection, then the one road that fits the kind."""

import asyncio
import hashlib
from collections.abc import Mapping
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
from domain.errors import Invalid
from integrations.media.kinds import Detected, check_claim, detect
from integrations.media.sandbox import Answer, Died, Sandbox

IMAGE_WORKER = Path(__file__).with_name("image_worker.py")
SCAN_WORKER = Path(__file__).with_name("scan_worker.py")
LIMITS = {"max_pixels": MAX_PIXELS, "max_frames": MAX_FRAMES, "max_side": MAX_SIDE}
# What a redrawn picture begins with; the worker met the hostile file, so it is not believed.
DRAWN = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}


class MediaCleaner:
    """A Cleaner whose every file is read in a process of its own, at most `at_once` of a sort.

    `pictures` and `scans` are the sandboxes, when they are not the usual ones. Use it as
    an async context manager, or call `close` before the event loop ends.
    """

    def __init__(
        self, pictures: Sandbox | None = None, scans: Sandbox | None = None, *, at_once: int = 2
    ) -> None:
        self._pictures = pictures or Sandbox(IMAGE_WORKER, at_once=at_once)
        self._scans = scans or Sandbox(SCAN_WORKER, at_once=at_once)

    async def __aenter__(self) -> Self:
        await self._pictures.warm()
        await self._scans.warm()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the processes that wait for files."""
        await self._pictures.close()
        await self._scans.close()

    async def clean(self, content: bytes, declared: str | None) -> CleanFile:
        """See domain.attachments.Cleaner."""
        if len(content) > max(MAX_BYTES.values()):
            raise refused(FileRule.TOO_LARGE, size=len(content), maximum=max(MAX_BYTES.values()))
        detected = detect(content)
        check_claim(declared, detected)
        check_size(detected.kind, len(content))
        digest = await asyncio.to_thread(hashlib.sha256, content)
        if detected.kind is MediaKind.IMAGE:
            asked = {"media_type": detected.media_type, **LIMITS}
            return _picture(await _asked(self._pictures, asked, content), digest.hexdigest())
        answer = await _asked(self._scans, {"media_type": detected.media_type}, content)
        return _scanned(answer, detected, content, digest.hexdigest())


async def _asked(sandbox: Sandbox, asked: Mapping[str, object], content: bytes) -> Answer:
    try:
        answer = await sandbox.run(asked, content)
    except Died as death:
        raise refused(FileRule.DAMAGED, reason=death.reason) from None
    if "fault" in answer.header:
        raise _refusal(answer.header)
    return answer


def _refusal(said: Mapping[str, object]) -> Invalid:
    """The refusal that a worker named, or `damaged` for whatever else went wrong there."""
    fault, params = said["fault"], said.get("params")
    if fault not in list(FileRule):
        return refused(FileRule.DAMAGED, reason="unreadable")
    named = {str(name): value for name, value in params.items()} if isinstance(params, dict) else {}
    return refused(FileRule(str(fault)), **named)


def _scanned(answer: Answer, detected: Detected, content: bytes, original: str) -> CleanFile:
    # A PDF passes as it is; of a recording the notes are gone.
    kept = content if detected.kind is MediaKind.PDF else answer.body
    if not kept or len(kept) > len(content) + 1:
        raise refused(FileRule.DAMAGED, reason="unreadable")
    return CleanFile(detected.kind, detected.media_type, kept, original, None, None)


def _picture(answer: Answer, original: str) -> CleanFile:
    said = answer.header
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
