"""The register's proofs at size: sealing, receipts, and the audit of an export.

    python -m benchmarks.register_verify [--events 1000000] [--processes 2] [--audit-only]

The audit is held against a yardstick of the same run: one core that reads the same file, parses
its lines and hashes them, and judges nothing. Events of the export are those of the register in
form and length; those that are sealed in the database are shorter, since nobody reads them there.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from uuid import UUID

import orjson
import psycopg

from api.commands.audits import Believed, audit_file
from benchmarks.client import get, saturate
from benchmarks.intake import intake
from benchmarks.stage import Stage, open_stage
from domain.events import Actor, EventType, Fact
from domain.register.chain import Head, extend
from domain.register.checkpoint import Checkpoint, origin_of
from domain.register.export import Leaf, Standing, Stated, footer, header, line
from domain.register.tree import Frontier
from integrations.postgres.checkpoints import Checkpoints
from integrations.postgres.engine import open_engine
from integrations.postgres.sealer import Sealer
from integrations.vault.signer import Signer

CITY, SIGNER = UUID(int=109), Signer(bytes(range(32)))
ORIGIN = origin_of("bench")
PER_APPEAL, PER_CHECKPOINT = 8, 80
"""About what a day of 14,000 appeals brings in a minute."""

_AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
_ABOUT = {
    "organisation": str(CITY), "service": "manholes.open-in-yard",
    "status": "in_progress",
}  # fmt: skip
_ACTOR = Actor("executor", CITY, CITY)
_FACT = Fact(
    EventType.ACCEPTED, {"organisation": str(CITY), "reason": "selector", "seconds": 86400},
    {"text": "Во дворе открыт люк, рядом играют дети"},
)  # fmt: skip

_STREW = """
INSERT INTO event (id, city_id, appeal_id, sequence, type, at, internal, canonical, hash)
SELECT ('01a2053c-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, a.city_id, a.id, 1000 + n,
       'appeal.commented', now(), true, '\\x7b7d',
       sha256(convert_to(n::text, 'UTF8'))
  FROM (SELECT * FROM appeal ORDER BY number DESC LIMIT 1) a, generate_series(%s, %s) n
"""


def main() -> None:
    """Run and print."""
    wanted = _arguments()
    print(f"cores {os.cpu_count()}, events {wanted.events}, processes {wanted.processes}")
    with tempfile.TemporaryDirectory(prefix="ikomek-bench-") as folder:
        _audit(Path(folder) / "register.jsonl", wanted.events, wanted.processes)
    if not wanted.audit_only:
        with open_stage(1) as stage:
            asyncio.run(_seal(stage, wanted.events))
            asyncio.run(_receipts(stage))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--audit-only", action="store_true")
    return parser.parse_args()


def _audit(export: Path, events: int, processes: int) -> None:
    with export.open("wb") as file:
        file.writelines(_export(events))
    print(f"export {export.stat().st_size / 1e6:.0f} MB")
    yardstick = _timed(lambda: _hash_all(export))
    seconds = _timed(lambda: _whole(export, processes))
    print(
        f"audit {seconds:.1f} s, {events / seconds:,.0f} events/s"
        f"   (aim 60 s; {seconds / yardstick:.2f} of one core that only parses and hashes)"
    )


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _hash_all(export: Path) -> None:
    with export.open("rb") as file:
        for text in file:
            said = orjson.loads(text)
            if canonical := said.get("canonical"):
                sha256(b"\0" + canonical.encode()).digest()
                orjson.loads(canonical)


def _whole(export: Path, processes: int) -> None:
    audit = asyncio.run(audit_file(export, Believed(), lambda _: None, processes=processes))
    findings = audit.finish()
    if findings:
        raise RuntimeError(findings[0])


def _export(events: int) -> Iterator[bytes]:
    """An honest export: appeals of PER_APPEAL events, a hundred of them at a time."""
    chance, frontier = Random(109), Frontier()
    yield header(ORIGIN, CITY, [str(SIGNER.key(ORIGIN))], _AT)
    open_: list[tuple[UUID, Head]] = []
    ended: list[Standing] = []
    appeals = checkpoints = 0
    for index in range(events):
        if len(open_) < 100:
            appeals += 1
            open_.append((UUID(int=appeals), Head()))
        at = chance.randrange(len(open_))
        appeal, head = open_[at]
        head, canonical, leaf = _event(appeal, head)
        open_[at] = (appeal, head)
        if head.sequence == PER_APPEAL:
            open_.pop(at)
            ended.append(Standing(appeal, head.sequence, head.hash))
        frontier.append(leaf)
        yield line(Leaf(index, leaf, canonical))
        if frontier.size % PER_CHECKPOINT == 0 or frontier.size == events:
            checkpoints += 1
            signed = SIGNER.sign(Checkpoint(ORIGIN, frontier.size, frontier.root()))
            yield line(Stated(str(signed), _AT))
    ended += [Standing(appeal, head.sequence, head.hash) for appeal, head in open_ if head.sequence]
    yield from map(line, ended)
    yield footer(events, checkpoints, len(ended))


def _event(appeal: UUID, head: Head) -> tuple[Head, bytes, bytes]:
    head, (event,) = extend(
        head,
        [_FACT],
        city=CITY,
        appeal=appeal,
        about={**_ABOUT, "number": f"SEM-{appeal.int}"},
        actor=_ACTOR,
        at=_AT,
    )
    return head, event.canonical, event.hash


async def _seal(stage: Stage, events: int) -> None:
    """Register some appeals, strew events, seal everything and sign it as the scheduler does."""
    request = intake(stage.tokens["operator"])
    await saturate(stage.port, request, lines=4, seconds=3, good=201)
    with psycopg.connect(stage.url, autocommit=True) as connection:
        for begin in range(0, events, 50_000):
            connection.execute(_STREW, (begin, min(events, begin + 50_000) - 1))
        row = connection.execute("SELECT id, code FROM city").fetchone()
    if row is None:
        raise RuntimeError("the stage has no city")
    engine = open_engine(stage.url, pool_size=2)
    sealer, sealed, begun = Sealer(engine), 0, time.perf_counter()
    while count := await sealer.seal():
        sealed += count
    seconds = time.perf_counter() - begun
    print(f"sealing {sealed / seconds:,.0f} events/s   (aim 1,000)")
    begun = time.perf_counter()
    await Checkpoints(engine).sign(row[0], origin_of(row[1]), SIGNER, _AT)
    print(f"checkpoint of {sealed} leaves {(time.perf_counter() - begun) * 1000:.1f} ms")
    await engine.dispose()


async def _receipts(stage: Stage) -> None:
    with psycopg.connect(stage.url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        rows = connection.execute(
            "SELECT a.number FROM appeal a WHERE EXISTS (SELECT FROM event e WHERE"
            " e.appeal_id = a.id AND e.sequence = 1) ORDER BY number LIMIT 200"
        ).fetchall()
    numbers = [row[0] for row in rows]
    chance, token = Random(109), stage.tokens["inspector"]
    for name in ("receipt", "appeal"):
        tail = "/receipt" if name == "receipt" else ""

        def ask(tail: str = tail) -> bytes:
            return get(f"/v1/appeals/{chance.choice(numbers)}{tail}", token)

        tally = await saturate(stage.port, ask, lines=1, seconds=8, good=200)
        print(
            f"{name:8} p50 {tally.quantile(0.5):6.1f} ms   p99 {tally.quantile(0.99):6.1f} ms"
            f"   failed {tally.failed}" + ("   (aim 20 ms)" if tail else "   (for comparison)")
        )


if __name__ == "__main__":
    main()
