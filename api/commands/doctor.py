"""What stands and what does not, as this machine sees it."""

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import text

from api.bootstrap import read_now
from api.commands.console import Failure, Reported, table
from api.commands.database import (
    Office,
    open_office,
    require_newest,
    revision_of,
    some_database,
)
from api.commands.environment import read_settings
from api.settings import Settings
from integrations.postgres.engine import APP_ROLE
from integrations.storage.objects import open_store

TOO_FULL = 1_000_000_000
"""Bytes that must be free where the register stands."""
SKEW = 1.0
"""Seconds by which machine and database may differ: clocks are due by the second."""

BROKERS = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}
"""Schemes of BROKER_URL and their ports."""

Finding = tuple[str, bool, str]


def doctor() -> None:
    """Look at everything that the platform stands on; fail where anything is wrong."""
    with some_database(read_settings()) as settings:
        findings = [*_schema(settings)]
        if findings[-1][1]:
            findings += asyncio.run(_connected(settings))
        findings += [_broker(settings), _disk(settings.home)]
    table(("what", "state", "seen"), [(what, "ok" if ok else "WRONG", seen)
                                      for what, ok, seen in findings])  # fmt: skip
    if not all(ok for _, ok, _ in findings):
        raise Reported


def _schema(settings: Settings) -> Iterator[Finding]:
    try:
        revision = revision_of(settings)
        yield "database", True, "answers"
        require_newest(settings)
        yield "migrations", True, f"at {revision}"
    except Failure as failure:
        yield "database", False, f"{failure.sentence} {failure.mend}"


async def _connected(settings: Settings) -> list[Finding]:
    asked: tuple[tuple[str, Callable[[Office], Awaitable[Finding]]], ...] = (
        ("role", _role),
        ("clock", _clock),
        ("storage", _storage),
    )
    findings = []
    async with open_office(settings) as office:
        for what, look in asked:
            try:
                findings.append(await look(office))
            except Exception as error:
                findings.append((what, False, f"{type(error).__name__}: {error}"))
    return findings


async def _role(at: Office) -> Finding:
    """Law 1: the role that the platform runs under owns nothing that it could drop."""
    statement = text(
        "SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),"
        " (SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
        "   WHERE r.rolname = current_user),"
        " has_table_privilege('event', 'UPDATE') OR has_table_privilege('event', 'DELETE')"
        " OR has_table_privilege('event', 'TRUNCATE')"
    )
    async with at.engine.connect() as connection:
        name, powerful, owned, forgetful = (await connection.execute(statement)).one()
    sound = name == APP_ROLE and not (powerful or owned or forgetful)
    return "role", sound, f"{name}, owns {owned} tables, {'may' if forgetful else 'cannot'} forget"


async def _clock(at: Office) -> Finding:
    before = datetime.now(UTC)
    async with at.engine.connect() as connection:
        there = await connection.scalar(text("SELECT clock_timestamp()"))
    after = datetime.now(UTC)
    skew = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    shown = read_now(at.settings)()
    return "clock", skew < SKEW, f"{skew:.3f} s from the database; the city's is {shown:%F %T} UTC"


async def _storage(at: Office) -> Finding:
    healthy = await open_store(at.settings.storage).healthy()
    return "storage", healthy, at.settings.storage.partition("?")[0]


def _broker(settings: Settings) -> Finding:
    if settings.broker_url is None:
        return "broker", True, "embedded, in the database"
    address = urlsplit(settings.broker_url)
    if address.scheme not in BROKERS or address.hostname is None:
        return "broker", False, f"BROKER_URL begins with none of {', '.join(BROKERS)}"
    port = address.port or BROKERS[address.scheme]
    try:
        socket.create_connection((address.hostname, port), timeout=3).close()
    except OSError as error:
        return "broker", False, f"{address.hostname}:{port} does not answer: {error}"
    return "broker", True, f"{address.scheme}, {address.hostname}:{port} answers"


def _disk(home: Path) -> Finding:
    place = next(path for path in (home.resolve(), *home.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    return "disk", free > TOO_FULL, f"{free / 1e9:.1f} GB free at {place}"
