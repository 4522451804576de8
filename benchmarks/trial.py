"""How long drafts are tried on a million appeals, beside plainly reading the same rows.

    python -m benchmarks.trial [--appeals 1000000] [--processes 2]

IKOMEK_BENCH_DATABASE names a database (its owner's URL) that is migrated and holds the demo city
with some appeals; without it a server of its own gets the city and appeals of the generator.
Where there are fewer appeals than wanted, those that are there are copied by the server with all
that belongs to them, so many times over; their chains are then no chains, which a trial does not
look at. Every promise is halved, and then the routing changed as well, so that each clock is
counted anew and each way asked twice.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import yaml
from psycopg import sql

from benchmarks.generator import Wanted, fill
from benchmarks.stage import ROOT, SETTINGS
from domain.sla.durations import format_duration, parse_duration
from integrations.postgres import tables as t
from integrations.postgres.embedded import EmbeddedPostgres

SEED = 20_000
"""Appeals that the generator makes where there is none to be copied."""
COPY = "COPY"
"""What the numbers of copied appeals begin with."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    said = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ikomek-trial-") as folder,
        database(Path(folder)) as url,
    ):
        grow(url, said.appeals)
        measure(url, Path(folder), said.processes)


@contextmanager
def database(home: Path) -> Iterator[str]:
    """The URL of a database with a city and some appeals."""
    if given := os.environ.get("IKOMEK_BENCH_DATABASE"):
        yield given
        return
    with EmbeddedPostgres(home / "postgres", SETTINGS) as server:
        url = server.url("postgres")
        os.environ |= {"DATABASE_URL": url, "IKOMEK_HOME": str(home)}
        for command in (("migrate",), ("demo", "load")):
            ikomek(url, *command)
        fill(Wanted(url, SEED))
        yield url


def ikomek(url: str, *arguments: str) -> str:
    """What a command answers."""
    command = [sys.executable, "-m", "api.cli", *arguments]
    environment = os.environ | {"DATABASE_URL": url}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def grow(url: str, wanted: int) -> None:
    """Copy the appeals that are there until there are as many as wanted."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE number NOT LIKE %s) FROM appeal", [f"{COPY}%"]
        ).fetchone()
        found, originals = row or (0, 0)
        first = found // max(originals, 1)
        # Keys were checked when the originals were written.
        connection.execute("SET session_replication_role = replica")
        for turn in range(first, -(-wanted // max(originals, 1))):
            for statement in copies(turn):
                connection.execute(statement)
            print(f"  {(turn + 1) * originals} appeals", flush=True)
        connection.execute("VACUUM (ANALYZE) appeal, clock, assignment, event")


def copies(turn: int) -> Iterator[sql.Composed]:
    """Statements that copy every original once: new ids beside the old ones, in their order."""

    def renamed(column: str) -> str:
        return f"(left({column}::text, 24) || left(md5({column}::text || '{turn}'), 12))::uuid"

    for table in (t.appeal, t.clock, t.assignment, t.event):
        names = [column.name for column in table.columns if column.name != "xid"]
        changed = {name: renamed(f"x.{name}") for name in ("appeal_id", "assignment_id")}
        changed["number"] = f"'{COPY}{turn}-' || x.number"
        if table is not t.clock:
            changed["id"] = renamed("x.id")
        values = [changed.get(name, f"x.{name}") for name in names]
        of = "x.id" if table is t.appeal else "x.appeal_id"
        yield sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {table} AS x WHERE {of} IN "
            "(SELECT id FROM appeal WHERE number NOT LIKE {copied})"
        ).format(
            table=sql.Identifier(table.name),
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            values=sql.SQL(", ".join(values)),
            of=sql.SQL(of),
            copied=sql.Literal(f"{COPY}%"),
        )


def drafts(url: str, folder: Path) -> tuple[Path, Path]:
    """Every promise halved, and the routing without its first rule for a whole sphere."""
    document = yaml.safe_load((ROOT / "catalogues" / "starter" / "policies.yaml").read_text())
    for policy in document["policies"]:
        for stage in policy["stages"]:
            stage["within"] = format_duration(parse_duration(stage["within"]) / 2)
    policies, organisations = folder / "policies.yaml", folder / "organisations.yaml"
    policies.write_text(yaml.safe_dump(document, allow_unicode=True))
    ikomek(url, "organisations", "export", str(organisations))
    agreed = yaml.safe_load(organisations.read_text())
    rules = agreed["responsibilities"]
    rules.remove(next(rule for rule in rules if "." not in rule["selector"]))
    organisations.write_text(yaml.safe_dump(agreed, allow_unicode=True))
    return policies, organisations


def measure(url: str, folder: Path, processes: int) -> None:
    """Time both trials, beside reading the same rows."""
    policies, organisations = drafts(url, folder)
    plain = reading(url)
    print(f"reading appeals, clocks and assignments alone: {plain:.1f} s")
    tried = {
        "promises": ["--policies", str(policies)],
        "promises and routing": ["--policies", str(policies), "--organisations",
                                 str(organisations)],
    }  # fmt: skip
    for name, arguments in tried.items():
        common = ("--days", "3660", "--json", "--processes", str(processes))
        begun = time.monotonic()
        report = json.loads(ikomek(url, "trial", *arguments, *common))
        spent = time.monotonic() - begun
        total, check = report["total"], report["check"]
        print(
            f"{name}: {report['appeals']} appeals, {total['draft']['clocks']} clocks in "
            f"{spent:.1f} s, {report['appeals'] / spent:.0f} appeals a second, "
            f"{spent / plain:.1f} times the reading; {report['replayed']} replayed one by one, "
            f"{check['alike']} clocks as stored, {check['unlike']} not"
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"the largest process held {peak:.0f} MB, of {processes + 1}")


def reading(url: str) -> float:
    """Seconds to copy the rows out and do nothing with them."""
    begun = time.monotonic()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in ("appeal", "clock", "assignment"):
            query = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
            with cursor.copy(query) as copy:
                for _ in copy:
                    pass
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
