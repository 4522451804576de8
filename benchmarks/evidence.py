"""What must be true after everything was killed: laws 1, 2 and 4, and webhooks' promises.

The receiver's book is held against what callers were told, and both against the register. Nothing
here asks the platform's own code what it thinks of itself, but for two commands that cities have.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from uuid import uuid4

import psycopg

from benchmarks.callers import Heard
from benchmarks.receiver import Arrival, Book


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint: the path by which the receiver knows it, and every secret that signs for it."""

    path: str
    secrets: tuple[str, ...]


def subscribe(port: int, token: str, hooks: int) -> list[Place]:
    """Two endpoints of one organisation, the second amid a rotation: it has two secrets."""
    first = _post(port, token, "/v1/webhook-endpoints", {"url": f"http://127.0.0.1:{hooks}/one"})
    second = _post(port, token, "/v1/webhook-endpoints", {"url": f"http://127.0.0.1:{hooks}/two"})
    path = f"/v1/webhook-endpoints/{second['id']}/rotate-secret"
    rotated = _post(port, token, path, {})
    return [
        Place("/one", (first["secret"],)),
        Place("/two", (rotated["secret"], second["secret"])),
    ]


def _post(port: int, token: str, path: str, body: object) -> dict[str, str]:
    line = HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4()),
               "Content-Type": "application/json"}  # fmt: skip
    line.request("POST", path, json.dumps(body), headers)
    answer = line.getresponse()
    said = answer.read()
    line.close()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{path} {answer.status} {said!r}")
    found: dict[str, str] = json.loads(said)
    return found


def hurry(url: str) -> None:
    """Let the minute that leases last go by."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("UPDATE delivery_lease SET until = until - interval '1 hour'")
        owner.execute(
            "UPDATE delivery SET next_attempt_at = next_attempt_at - interval '1 hour'"
            " WHERE state = 'pending'"
        )


Ask = Callable[[Sequence[Sequence[str]]], list[tuple[int, str]]]
"""Runs the platform's own commands: the exit code of each, and what it said."""


@dataclass(slots=True)
class Evidence:
    """What arrived so far, and what is asked of it at the end."""

    url: str
    ask: Ask
    book: Book
    places: list[Place]
    heard: Heard
    arrived: int = 0
    unsigned: int = 0
    bodies: dict[tuple[str, str], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """What came under each webhook-id, endpoint by endpoint: they may share the id of an event."""
    ids: dict[tuple[str, str, int], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    """The ids under which each fact came: endpoint's path, number, place in the appeal's chain."""

    def gather(self) -> None:
        """Take in what came since the last time: often enough for the verifiers' five minutes."""
        secrets = {place.path: place.secrets for place in self.places}
        for arrival in self.book.fresh():
            self.arrived += 1
            self.unsigned += not arrival.verified(secrets[arrival.path])
            self._file(arrival)

    def _file(self, arrival: Arrival) -> None:
        self.bodies[arrival.path, arrival.id].add(arrival.body)
        about = arrival.said()["data"]
        if "sequence" in about:
            fact = (arrival.path, str(about["number"]), int(about["sequence"]))
            self.ids[fact][arrival.id] += 1

    @property
    def repeated(self) -> int:
        """Messages that came again under an id that had come."""
        return self.arrived - len(self.bodies)

    def quiet(self) -> bool:
        """Whether nothing is on its way any more."""
        with psycopg.connect(self.url) as owner:
            row = owner.execute(
                "SELECT (SELECT count(*) FROM outbox)"
                " + (SELECT count(*) FROM delivery WHERE state = 'pending')"
            ).fetchone()
        return row == (0,)

    def broken(self) -> list[str]:
        """Every promise that was broken."""
        with psycopg.connect(self.url) as owner:
            found = [*self._calls(owner), *self._messages(owner), *_attempts(owner)]
        return [*found, *self._commands()]

    def _calls(self, owner: psycopg.Connection) -> Iterator[str]:
        """Acknowledged is kept, and one key is one appeal."""
        yield from self.heard.faults
        kept = {row[0] for row in owner.execute("SELECT number FROM appeal")}
        told = [number for numbers in self.heard.numbers.values() for number in numbers]
        for key, numbers in self.heard.numbers.items():
            if len(numbers) != 1:
                yield f"the key {key} became {len(numbers)} appeals: {sorted(numbers)}"
        if lost := set(told) - kept:
            yield f"acknowledged and lost: {sorted(lost)}"
        if extra := kept - set(told):
            yield f"appeals that nobody was told of: {sorted(extra)}"
        if len(told) != len(set(told)):
            yield "one number was given to two keys"
        accepted = Counter(
            row[0]
            for row in owner.execute(
                "SELECT a.number FROM event e JOIN appeal a ON a.id = e.appeal_id"
                " WHERE e.type = 'appeal.accepted'"
            )
        )
        if self.heard.accepted - set(accepted):
            yield f"acts acknowledged and lost: {sorted(self.heard.accepted - set(accepted))}"
        if twice := [number for number, count in accepted.items() if count > 1]:
            yield f"acts done twice: {twice}"

    def _messages(self, owner: psycopg.Connection) -> Iterator[str]:
        """Every fact of the register arrived at both endpoints, under one id, signed."""
        facts = owner.execute(
            "SELECT a.number, e.sequence FROM event e JOIN appeal a ON a.id = e.appeal_id"
        ).fetchall()
        if not facts:
            yield "nothing happened: there is nothing to check"
        wanted = {(place.path, number, place_) for place in self.places for number, place_ in facts}
        if missing := wanted - set(self.ids):
            yield f"{len(missing)} of {len(wanted)} messages never arrived: {sorted(missing)[:5]}"
        if strange := set(self.ids) - wanted:
            yield f"messages about what never happened: {sorted(strange)[:5]}"
        if split := [fact for fact, ids in self.ids.items() if len(ids) > 1]:
            yield f"facts that came under several ids: {split[:5]}"
        if changed := [id for id, bodies in self.bodies.items() if len(bodies) > 1]:
            yield f"ids under which different things came: {changed[:5]}"
        if self.unsigned:
            yield f"{self.unsigned} of {self.arrived} messages were not signed with every secret"

    def _commands(self) -> Iterator[str]:
        commands = (("clocks", "check"), ("register", "verify"))
        for command, (code, said) in zip(commands, self.ask(commands), strict=True):
            if code:
                yield f"ikomek {' '.join(command)}: {said[-1000:]}"


def _attempts(owner: psycopg.Connection) -> Iterator[str]:
    """Each delivery ended delivered, and each of its attempts was counted and written down once."""
    rows = owner.execute(
        "SELECT d.id::text, d.state, d.attempts, count(a.number), max(a.number)"
        " FROM delivery d LEFT JOIN delivery_attempt a ON a.delivery_id = d.id GROUP BY d.id"
    ).fetchall()
    if not rows:
        yield "no delivery was made"
    for id, state, counted, written, highest in rows:
        if state != "delivered":
            yield f"the delivery {id} is {state} after {counted} attempts"
        if not counted == written == highest:
            yield f"the delivery {id} counts {counted} attempts and lists {written}"
