"""Files that hold a secret: readable by their owner only, there whole or not at all."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def secret_file(path: Path, make: Callable[[], str]) -> str:
    """The text of a file, made on first use.

    Of two processes that start together, both use the same.
    """
    if not path.exists():
        _write(path, make())
    return path.read_text()


def replace_secret(path: Path, text: str) -> None:
    """Put another text into a file, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    _write(fresh, text)
    fresh.replace(path)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
