"""What stands and what does not, as this machine sees it."""

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import text

from api.bootstrap import read_now
from api.commands.authorities import require_authorities
from api.commands.console import Failure, Reported, table
from api.commands.database import (
    Office,
    open_office,
    require_newest,
    revision_of,
    some_database,
    unable,
)
from api.commands.environment import read_settings
from api.commands.exchanges import judged
from api.commands.providers import codes
from api.settings import Settings
from api.worker.broker import BROKERS
from integrations.postgres.doors import ROLES
from integrations.postgres.engine import APP_ROLE
from integrations.postgres.open_tables import OPEN_TABLES
from integrations.postgres.tables import metadata
from integrations.storage.objects import open_store

TOO_FULL = 1_000_000_000
"""Bytes that must be free where the register stands."""
PATIENCE = 3
"""Seconds that a broker may take to answer."""
SKEW = 1.0
"""Seconds by which machine and database may differ: clocks are due by the second."""

PORTS = {
    "amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379, "postgres": 5432,
    "postgresql": 5432,
}  # fmt: skip
"""Where each kind of broker listens, unless BROKER_URL says."""

Finding = tuple[str, bool, str]


def doctor() -> None:
    """Look at everything that the platform stands on; fail where anything is wrong."""
    with some_database(read_settings()) as settings:
        findings = [*_schema(settings)]
        if findings[-1][1]:
            findings += _of_role(settings) or asyncio.run(_connected(settings))
        findings += [_broker(settings), _disk(settings.home), _providers(settings)]
        findings.append(_authorities(settings))
        findings += _exchange(settings)
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


def _of_role(settings: Settings) -> list[Finding]:
    """Without the role nothing else of the database can be looked at."""
    failure = unable(settings)
    return [("role", False, f"{failure.sentence} {failure.mend}")] if failure else []


async def _connected(settings: Settings) -> list[Finding]:
    asked: tuple[tuple[str, Callable[[Office], Awaitable[Finding]]], ...] = (
        ("role", _role),
        ("walls", _walls),
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
    """Law 1: the roles that the platform runs under own nothing that they could drop."""
    statement = text(
        "SELECT coalesce(bool_or(r.rolsuper OR r.rolbypassrls), true),"
        " coalesce(sum((SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid)), 0),"
        " bool_or(has_table_privilege(r.oid, 'event', 'UPDATE, DELETE, TRUNCATE'))"
        " FROM pg_roles r WHERE r.rolname = ANY(:roles)"
    )
    async with at.engine.connect() as connection:
        found = await connection.execute(statement, {"roles": [APP_ROLE, *ROLES]})
        powerful, owned, forgetful = found.one()
    sound = not (powerful or owned or forgetful)
    seen = f"{APP_ROLE}, owns {owned} tables, {'may' if forgetful else 'cannot'} forget"
    return "role", sound, f"{seen}{', bypasses every wall' if powerful else ''}"


async def _walls(at: Office) -> Finding:
    """Law 5: whatever is somebody's stands behind a wall, and is entered by a door alone."""
    walled = sorted(table.name for table in metadata.sorted_tables if table.name not in OPEN_TABLES)
    statement = text(
        "SELECT ARRAY(SELECT t FROM unnest(CAST(:walled AS text[])) t WHERE NOT EXISTS (SELECT"
        "   FROM pg_class c WHERE c.oid = to_regclass('public.' || t)"
        "    AND c.relrowsecurity AND c.relforcerowsecurity)),"
        " ARRAY(SELECT r FROM unnest(CAST(:roles AS text[])) r"
        "        WHERE pg_has_role(:application, r, 'USAGE'))"
    )
    told = {"walled": walled, "roles": list(ROLES), "application": APP_ROLE}
    async with at.engine.connect() as connection:
        torn, inherited = (await connection.execute(statement, told)).one()
    if torn:
        return "walls", False, f"torn down: {', '.join(torn)}"
    if inherited:
        return "walls", False, f"{APP_ROLE} inherits {', '.join(inherited)}: no door is closed"
    return "walls", True, f"{len(walled)} tables"


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
    # RabbitMQ may be named by several URLs, of which the platform takes whichever answers.
    told = [_answers(url) for url in settings.broker_url.split(";")]
    return "broker", any(ok for ok, _ in told), "; ".join(seen for _, seen in told)


def _answers(url: str) -> tuple[bool, str]:
    """Whether something listens where a BROKER_URL points, and what was seen."""
    try:
        address = urlsplit(url)
        port = address.port or PORTS.get(address.scheme, 0)
    except ValueError as error:
        return False, f"BROKER_URL is wrong: {error}"
    if address.scheme not in BROKERS:
        return False, f"BROKER_URL begins with none of {', '.join(BROKERS)}"
    if BROKERS[address.scheme] is BROKERS["postgresql"]:
        return _database_answers(url)
    place = address.path if address.scheme == "unix" else f"{address.hostname}:{port}"
    try:
        _knock(address.path if address.scheme == "unix" else (address.hostname or "", port))
    except OSError as error:
        return False, f"{place} does not answer: {error}"
    return True, f"{address.scheme}, {place} answers"


def _providers(settings: Settings) -> Finding:
    try:
        return "login", True, ", ".join(codes(settings)) or "nobody logs in through others"
    except Failure as failure:
        return "login", False, failure.sentence


def _authorities(settings: Settings) -> Finding:
    try:
        every, own = require_authorities(settings)
    except Failure as failure:
        return "authorities", False, failure.sentence
    return "authorities", every > 0, f"{every} for webhooks, {own} of them the city's own"


def _exchange(settings: Settings) -> list[Finding]:
    if settings.eotinish is None:
        return []
    try:
        cities, _, _ = judged(settings.eotinish)
    except Failure as failure:
        return [("e-otinish", False, failure.sentence)]
    return [("e-otinish", True, ", ".join(cities))]


def _knock(place: str | tuple[str, int]) -> None:
    if isinstance(place, tuple):
        socket.create_connection(place, timeout=PATIENCE).close()
        return
    with socket.socket(socket.AF_UNIX) as there:
        there.settimeout(PATIENCE)
        there.connect(place)


def _database_answers(url: str) -> tuple[bool, str]:
    """Of a broker in PostgreSQL the URL may name a socket, a service or several hosts."""
    try:
        with psycopg.connect(url, connect_timeout=PATIENCE) as connection:
            return True, f"postgresql, {connection.info.host}:{connection.info.port} answers"
    except psycopg.Error as error:
        return False, f"PostgreSQL does not answer: {' '.join(str(error).split())}"


def _disk(home: Path) -> Finding:
    place = next(path for path in (home.resolve(), *home.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    return "disk", free > TOO_FULL, f"{free / 1e9:.1f} GB free at {place}"
