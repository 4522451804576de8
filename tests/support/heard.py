"""What is logged while somebody listens."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Heard(logging.Handler):
    """The lines of this process."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.msg, dict):
            self.lines.append(record.msg)

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """Those about who was refused."""
        return [line for line in self.lines if line["event"] == "refused"]


@contextmanager
def listening() -> Iterator[Heard]:
    """Hear what is logged from now on."""
    handler = Heard()
    logging.getLogger().addHandler(handler)
    try:
        yield handler
    finally:
        logging.getLogger().removeHandler(handler)
