"""Checkpoints as files: a folder that others copy, mount or watch.

<folder>/<city>/<day>/<leaves, twelve digits>.txt   every checkpoint, by the city's day
<folder>/<city>/latest.txt                          the newest once more
"""

import os
import secrets
from datetime import date
from pathlib import Path

from domain.register.checkpoint import NotACheckpoint, parse_checkpoint


class NoteFolder:
    """Writes notes so that each file appears whole; what stands there already is not changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, city: str) -> int:
        """The leaves of the newest checkpoint written for a city; 0 before the first."""
        try:
            return parse_checkpoint((self._folder / city / "latest.txt").read_text()).size
        except (FileNotFoundError, NotACheckpoint):
            return 0

    def write(self, city: str, day: date, size: int, note: str) -> None:
        """One checkpoint, and the newest once more; on the disk when this returns."""
        place = self._folder / city
        dated = place / day.isoformat() / f"{size:012}.txt"
        dated.parent.mkdir(parents=True, exist_ok=True)
        if not dated.exists():
            _put(dated, note)
        _put(place / "latest.txt", note)


def _put(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("x") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
