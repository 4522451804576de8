"""What must be true after everything was killed: laws 1, 2 and 4, and webhooks' promises.

The receiver's book and what the reader of the feed read are held against what callers were told,
and all of it against the register. Nothing here asks the platform's own code what it thinks of
itself, but for two commands that cities have.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.callers import Heard
from benchmarks.reader import Reader
from benchmarks.receiver import Arrival, Book


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint: the path by which the receiver knows it, and every secret that signs for it."""

    path: str
    secrets: tuple[str, ...]


NOTICES = ["endpoint.failing", "endpoint.disabled", "endpoint.recovered", "delivery.exhausted"]


@dataclass(frozen=True, slots=True)
class Ears:
    """Where an organisation listens: two endpoints that hear of all that happens, one that hears of
    notices, and the id of one at which nobody answers, so that there are any.
    """

    places: tuple[Place, ...]
    notices: Place
    dead: str

    def secrets(self) -> dict[str, tuple[str, ...]]:
        """Those that sign for each path."""
        return {place.path: place.secrets for place in (*self.places, self.notices)}


def subscribe(port: int, token: str, hooks: int, nobody: int) -> Ears:
    """Four endpoints of one organisation, the second amid a rotation: it has two secrets. Nobody
    listens on the port `nobody`.
    """
    first = _post(port, token, "/v1/webhook-endpoints", {"url": f"http://127.0.0.1:{hooks}/one"})
    second = _post(port, token, "/v1/webhook-endpoints", {"url": f"http://127.0.0.1:{hooks}/two"})
    path = f"/v1/webhook-endpoints/{second['id']}/rotate-secret"
    rotated = _post(port, token, path, {})
    told = {"url": f"http://127.0.0.1:{hooks}/notices", "event_types": NOTICES}
    third = _post(port, token, "/v1/webhook-endpoints", told)
    dead = {"url": f"http://127.0.0.1:{nobody}/", "event_types": ["appeal.registered"]}
    fourth = _post(port, token, "/v1/webhook-endpoints", dead)
    return Ears(
        (
            Place("/one", (first["secret"],)),
            Place("/two", (rotated["secret"], second["secret"])),
        ),
        Place("/notices", (third["secret"],)),
        fourth["id"],
    )


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


def hurry(url: str, dead: str) -> None:
    """Let the minute that leases last go by; who never answers is not asked more often for it."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("UPDATE delivery_lease SET until = until - interval '1 hour'")
        owner.execute(
            "UPDATE delivery SET next_attempt_at = next_attempt_at - interval '1 hour'"
            " WHERE state = 'pending' AND endpoint_id <> %s",
            (dead,),
        )


Ask = Callable[[Sequence[Sequence[str]]], list[tuple[int, str]]]
"""Runs the platform's own commands: the exit code of each, and what it said."""


@dataclass(slots=True)
class Evidence:
    """What arrived so far, and what is asked of it at the end."""

    url: str
    ask: Ask
    book: Book
    ears: Ears
    heard: Heard
    feed: Reader
    arrived: int = 0
    unsigned: int = 0
    bodies: dict[tuple[str, str], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """What came under each webhook-id, endpoint by endpoint: they may share the id of an event."""
    ids: dict[tuple[str, str, int], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    """The ids under which each fact came: endpoint's path, number of the appeal or id of the
    incident, place in its history.
    """
    noticed: set[str] = field(default_factory=set)
    """The ids of notices that came."""

    def gather(self) -> None:
        """Take in what came since the last time: often enough for the verifiers' five minutes."""
        secrets = self.ears.secrets()
        for arrival in self.book.fresh():
            self.arrived += 1
            self.unsigned += not arrival.verified(secrets[arrival.path])
            self._file(arrival)

    def _file(self, arrival: Arrival) -> None:
        self.bodies[arrival.path, arrival.id].add(arrival.body)
        if arrival.path == self.ears.notices.path:
            self.noticed.add(arrival.id)
            return
        self.ids[arrival.path, *_fact(arrival.said()["data"])][arrival.id] += 1

    @property
    def repeated(self) -> int:
        """Messages that came again under an id that had come."""
        return self.arrived - len(self.bodies)

    def quiet(self) -> bool:
        """Whether nothing is on its way any more."""
        with psycopg.connect(self.url) as owner:
            row = owner.execute(
                "SELECT (SELECT count(*) FROM outbox)"
                " + (SELECT count(*) FROM incident_message WHERE NOT told)"
                " + (SELECT count(*) FROM notice WHERE NOT fed)"
                " + (SELECT count(*) FROM delivery WHERE state = 'pending' AND endpoint_id <> %s)",
                (self.ears.dead,),
            ).fetchone()
        return row == (0,)

    def broken(self) -> list[str]:
        """Every promise that was broken."""
        with psycopg.connect(self.url) as owner:
            found = [
                *self._calls(owner), *self._works(owner), *self._messages(owner),
                *self._notices(owner), *self._fed(owner), *_attempts(owner, self.ears.dead),
            ]  # fmt: skip
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
        """Every fact of appeals and incidents arrived at both endpoints, under one id, signed."""
        facts = owner.execute(
            "SELECT a.number, e.sequence FROM event e JOIN appeal a ON a.id = e.appeal_id"
            " UNION ALL SELECT incident_id::text, sequence FROM incident_event"
        ).fetchall()
        if not facts:
            yield "nothing happened: there is nothing to check"
        wanted = {
            (place.path, number, place_) for place in self.ears.places for number, place_ in facts
        }
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

    def _works(self, owner: psycopg.Connection) -> Iterator[str]:
        """Of planned works too: acknowledged is kept, and one key is one of them."""
        told = [id for ids in self.heard.incidents.values() for id in ids]
        if not told:
            yield "no planned works were published: there is nothing to check"
        for key, ids in self.heard.incidents.items():
            if len(ids) != 1:
                yield f"the key {key} became {len(ids)} incidents: {sorted(ids)}"
        kept = {row[0] for row in owner.execute("SELECT id::text FROM incident")}
        if kept != set(told):
            yield f"incidents kept and told of differ: {sorted(kept ^ set(told))}"
        over = Counter(
            row[0]
            for row in owner.execute(
                "SELECT incident_id::text FROM incident_event WHERE type = 'incident.cancelled'"
            )
        )
        if lost := self.heard.cancelled - set(over):
            yield f"works whose cancelling was acknowledged and lost: {sorted(lost)}"
        if twice := [id for id, count in over.items() if count > 1]:
            yield f"works cancelled twice: {twice}"

    def _notices(self, owner: psycopg.Connection) -> Iterator[str]:
        """Of the endpoint at which nobody answers its organisation was told, at the other one."""
        made = {row[0] for row in owner.execute("SELECT id::text FROM notice")}
        if not made:
            yield "nobody was told of the endpoint that never answers"
        if made != self.noticed:
            yield f"notices made and arrived differ: {sorted(made ^ self.noticed)}"

    def _fed(self, owner: psycopg.Connection) -> Iterator[str]:
        """The feed told all of it once, each history in its order, in the bytes of the webhooks."""
        yield from self.feed.faults
        made = {
            row[0]
            for row in owner.execute(
                "SELECT id::text FROM event UNION ALL SELECT id::text FROM incident_message"
                " UNION ALL SELECT id::text FROM notice"
            )
        }
        told = Counter(id for id, _ in self.feed.items)
        if missing := made - set(told):
            yield f"the feed passed over {len(missing)} of {len(made)}: {sorted(missing)[:5]}"
        if strange := set(told) - made:
            yield f"the feed told what never happened: {sorted(strange)[:5]}"
        if twice := [id for id, count in told.items() if count > 1]:
            yield f"a reader that goes on by its cursor was told twice: {twice[:5]}"
        last: dict[str, int] = {}
        for id, body in self.feed.items:
            paths = (self.ears.places[0].path, self.ears.notices.path)
            if body not in set().union(*(self.bodies.get((path, id), ()) for path in paths)):
                yield f"the feed and a webhook say different things under {id}"
            about = json.loads(body)["data"]
            if "sequence" not in about:
                continue
            whose, sequence = _fact(about)
            if sequence != last.get(whose, 0) + 1:
                yield f"the feed tells {sequence} of {whose} after {last.get(whose, 0)}"
            last[whose] = sequence

    def _commands(self) -> Iterator[str]:
        commands = (("clocks", "check"), ("register", "verify"))
        for command, (code, said) in zip(commands, self.ask(commands), strict=True):
            if code:
                yield f"ikomek {' '.join(command)}: {said[-1000:]}"


def _fact(about: Mapping[str, Any]) -> tuple[str, int]:
    """What a message tells of: a number or an incident's id, and the place in its history."""
    return str(about.get("number") or about["id"]), int(about["sequence"])


def _attempts(owner: psycopg.Connection, dead: str) -> Iterator[str]:
    """Each delivery ended delivered, but where nobody answers, and each of its attempts was counted
    and written down once.
    """
    rows = owner.execute(
        "SELECT d.id::text, d.endpoint_id::text, d.state, d.attempts, count(a.number),"
        " coalesce(max(a.number), 0)"
        " FROM delivery d LEFT JOIN delivery_attempt a ON a.delivery_id = d.id GROUP BY d.id"
    ).fetchall()
    if not rows:
        yield "no delivery was made"
    for id, endpoint, state, counted, written, highest in rows:
        if state != "delivered" and endpoint != dead:
            yield f"the delivery {id} is {state} after {counted} attempts"
        if not counted == written == highest:
            yield f"the delivery {id} counts {counted} attempts and lists {written}"
