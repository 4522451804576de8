"""Reads one PDF or recording, inside the cell: a scan holds the interpreter while it lasts."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Started by path in isolated mode, so the project has to be named.
sys.path.insert(0, str(Path(__file__).parents[2]))

from domain.errors import Invalid
from integrations.media.audio import CLEANERS, clean_audio
from integrations.media.pdf import check_pdf


def _pdf(content: bytes) -> bytes:
    check_pdf(content)
    return content


def _road(media_type: str) -> Callable[[bytes], bytes]:
    if media_type in CLEANERS:
        return lambda content: clean_audio(content, media_type)
    return {"application/pdf": _pdf}[media_type]


def work(asked: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        return {}, _road(asked["media_type"])(content)
    except Invalid as refusal:
        fault = refusal.faults[0]
        return {"fault": fault.rule, "params": dict(fault.params)}, b""
