"""The scene of benchmarks of webhooks: a city, its receiver, endpoints and what waits for them."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import orjson
import psycopg

from api.bootstrap import read_keyring
from api.settings import Settings
from benchmarks.messages import SECRET, bodies
from benchmarks.receiver import Book, receiving
from benchmarks.stage import environment_of, free_port, prepare
from demo.semey.geography import ident
from domain.values import new_id
from integrations.postgres.embedded import EmbeddedPostgres

# Nothing is tuned but what tells us when a transaction was committed.
SETTINGS = {"max_connections": "200", "track_commit_timestamp": "on"}
WATER = ident("organisation", "water")
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Scene:
    """The city, its database, its receiver, and who is at work."""

    url: str
    home: Path
    environment: dict[str, str]
    postgres: int
    hooks: int
    book: Book
    pids: dict[str, int] = field(default_factory=dict)

    def owner(self) -> psycopg.Connection:
        """A session of the owner, past every adapter."""
        return psycopg.connect(self.url, autocommit=True)


@contextmanager
def scene() -> Iterator[Scene]:
    """Everything but the programs of the platform."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ikomek-bench-")))
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres", SETTINGS))
        url = postgres.url("postgres")
        prepare(url, folder, 0)
        hooks, book = free_port(), folder / "arrivals"
        stack.enter_context(receiving(hooks, book))
        yield Scene(url, folder, environment_of(url, folder), postgres.pid or 0, hooks, Book(book))


def houses(scene: Scene, count: int) -> list[UUID]:
    """So many organisations of the city that are not the water utility."""
    with scene.owner() as owner:
        found = owner.execute(
            "SELECT id FROM organisation WHERE active AND id <> %s ORDER BY id LIMIT %s",
            [WATER, count],
        ).fetchall()
    if len(found) < count:
        raise RuntimeError(f"the city has {len(found)} other organisations")
    return [row[0] for row in found]


def add_endpoints(
    scene: Scene, urls: Sequence[str], types: str = "{}", owners: Sequence[UUID] = (WATER,)
) -> list[UUID]:
    """Endpoints that hear of these types (all), straight into the table: the `owners`' in turn."""
    keyring = read_keyring(Settings(home=scene.home, keys=None))
    secrets = keyring.seal(orjson.dumps([SECRET]))
    ids = [new_id() for _ in urls]
    rows = [
        (id, url, types, secrets, owners[place % len(owners)])
        for place, (id, url) in enumerate(zip(ids, urls, strict=True))
    ]
    with scene.owner() as owner:
        owner.cursor().executemany(
            "INSERT INTO webhook_endpoint (id, city_id, organisation_id, url, event_types,"
            " description, enabled, secrets, created_at)"
            " SELECT %s, city_id, id, %s, %s, '', true, %s, now()"
            " FROM organisation WHERE id = %s",
            rows,
        )
    return ids


def add_deliveries(
    scene: Scene, endpoints: Sequence[UUID], each: int, kind: str = "appeal.assigned"
) -> int:
    """So many deliveries that are due, for each endpoint; how many in all."""
    rows = [
        (new_id(), endpoints[place % len(endpoints)], body)
        for place, body in enumerate(bodies(each * len(endpoints)))
    ]
    with scene.owner() as owner, owner.transaction(), owner.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE made (id uuid, endpoint uuid, body bytea)")
        with cursor.copy("COPY made FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO delivery (id, city_id, endpoint_id, type, payload, state, created_at,"
            " next_attempt_at) SELECT m.id, w.city_id, w.id, %s, m.body, 'pending',"
            " now(), now() FROM made m JOIN webhook_endpoint w ON w.id = m.endpoint",
            [kind],
        )
        cursor.execute("DROP TABLE made")
    return len(rows)


def used(root: int) -> float:
    """CPU seconds that a process and all below it have used, those that ended too."""
    parents: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            said = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(folder.name)
        parents.setdefault(int(said[1]), []).append(pid)
        spent[pid] = sum(map(int, said[11:15])) / TICK
    found, stack = 0.0, [root]
    while stack:
        pid = stack.pop()
        found += spent.get(pid, 0.0)
        stack += parents.get(pid, [])
    return found
