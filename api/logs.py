"""Logs: one JSON object a line on standard error, static event names, data in fields.

No personal data (law 6): what is logged is ids, codes, counts and times.
"""

import logging
import sys
import traceback

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

QUIET = (
    "dramatiq", "dramatiq_postgres", "pika", "psycopg.pool", "aiohttp.access", "uvicorn.access",
    "alembic", "httpx2", "httpcore2",
)  # fmt: skip
"""Libraries that tell much, some of them queries and addresses with what stands in them: only
their warnings are kept."""


def summary(error: BaseException) -> str:
    """An error in one line: its kind, and the first line of what it says.

    Databases tell the failing row in the lines after the first, and a row holds personal data.
    """
    said = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _traceback(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Where an error arose, as places in the code: no values of variables."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["error"] = summary(error)
        event["traceback"] = [f"{f.filename}:{f.lineno} {f.name}" for f in frames]
        if error.__cause__ is not None:
            event["cause"] = summary(error.__cause__)
    return event


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _traceback,
)


def configure(level: str) -> None:
    """Write the program's and its libraries' logs as JSON lines from this level on."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not isinstance(h, _Lines)] + [_Lines()]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Ours: known again when `configure` is called a second time."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[_foreign, *_SHARED],
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _line],
            )
        )


def _foreign(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's sentence under one static name, its text as a field."""
    record = event["_record"]
    said = {"event": "library", "logger": record.name, "message": event["event"]}
    return {**event, **said}


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
