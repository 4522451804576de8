"""An honest export, made of a few appeals, to be tampered with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest import mock
from uuid import UUID

import orjson

from domain.events import Actor, EventType, Fact
from domain.register.audit import Audit
from domain.register.canonical import leaf_hash
from domain.register.chain import Head, extend
from domain.register.checkpoint import Checkpoint, Key
from domain.register.export import Leaf, Standing, Stated, footer, header, line, read
from domain.register.findings import Finding
from domain.register.tree import Frontier
from integrations.vault.signer import Signer, verify
from tests.support.register import cosign

CITY = UUID(int=109)
ORIGIN = "ikomek109/kishi"
SIGNER, FORGER = Signer(bytes(range(32))), Signer(bytes(32))
AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


@dataclass
class Register:
    """What a register holds; `export` tells it, in whatever state somebody left it.

    A minute lies between two events. Checkpoints of `witnessed` leaves were cosigned.
    """

    events: list[bytes]
    sizes: list[int]
    standings: list[Standing]
    signer: Signer = SIGNER
    witnessed: Sequence[int] = ()

    def export(self) -> list[bytes]:
        """The lines of its export, with checkpoints that fit what it holds."""
        told = minute(len(self.events))
        lines = [header(ORIGIN, CITY, [str(self.signer.key(ORIGIN))], told)]
        frontier, signed = Frontier(), 0
        for index, canonical in enumerate(self.events):
            leaf = leaf_hash(canonical)
            frontier.append(leaf)
            lines.append(line(Leaf(index, leaf, canonical)))
            if frontier.size in self.sizes:
                note = self._signed(frontier)
                lines.append(line(Stated(str(note), minute(frontier.size))))
                signed += 1
        lines += map(line, self.standings)
        return [*lines, footer(len(self.events), signed, len(self.standings))]

    def beginning(self, count: int) -> "Register":
        """The register as it was after so many events."""
        stands: dict[str, Standing] = {}
        for canonical in self.events[:count]:
            event = orjson.loads(canonical)
            head = leaf_hash(canonical)
            stands[event["appeal"]] = Standing(UUID(event["appeal"]), event["sequence"], head)
        sizes = [size for size in self.sizes if size < count]
        return replace(
            self, events=self.events[:count], sizes=[*sizes, count], standings=list(stands.values())
        )

    def note(self, size: int) -> str:
        """The checkpoint of a size, as somebody outside kept it."""
        frontier = Frontier()
        for canonical in self.events[:size]:
            frontier.append(leaf_hash(canonical))
        return str(self._signed(frontier))

    def _signed(self, frontier: Frontier) -> Checkpoint:
        note = self.signer.sign(Checkpoint(ORIGIN, frontier.size, frontier.root()))
        if frontier.size not in self.witnessed:
            return note
        return note.with_signatures([cosign(note, int(minute(frontier.size).timestamp()))])


def minute(number: int) -> datetime:
    """When the event of that number was written."""
    return AT + timedelta(minutes=number)


def new_id(number: int) -> UUID:
    """The id of an event of that minute (UUIDv7)."""
    return UUID(int=int(minute(number).timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | number)


def make_register(*, appeals: int = 4, events: int = 20, every: int = 5, seed: int = 1) -> Register:
    """Events of a few appeals, as they come in a city: one after the other, mixed."""
    chance = Random(seed)
    heads = {UUID(int=1000 + number): Head() for number in range(appeals)}
    written = []
    for number in range(events):
        appeal = chance.choice(list(heads))
        with mock.patch("domain.register.chain.new_id", lambda at=number: new_id(at)):
            heads[appeal], (event,) = extend(
                heads[appeal],
                [Fact(EventType.COMMENTED, {"n": number, "said": "Жол"}, {"text": f"{number}"})],
                city=CITY,
                appeal=appeal,
                about={"number": f"KIS-2026-{appeal.int:06}", "status": "assigned"},
                actor=Actor("operator", UUID(int=7)),
                at=minute(number),
            )
        written.append(event.canonical)
    standings = [
        Standing(appeal, head.sequence, head.hash)
        for appeal, head in sorted(heads.items())
        if head.sequence
    ]
    sizes = [*range(every, events, every), events]
    return Register(written, sizes, standings)


def audit(lines: list[bytes], **believed: Any) -> list[Finding]:
    """The findings of an audit of an export."""
    return audited(lines, **believed).finish()


def audited(
    lines: list[bytes], *, keys: list[Key] | None = None, kept: Sequence[str] = (), **watched: Any
) -> Audit:
    """An audit that took every line and is not finished."""
    head = orjson.loads(lines[0])
    at = datetime.fromisoformat(head["at"])
    found = Audit(head["origin"], keys or [SIGNER.key(ORIGIN)], verify, at, kept, **watched)
    found.take(read(lines[1:], head["city"]))
    return found


def kinds(findings: list[Finding]) -> set[str]:
    """Of which kinds they are."""
    return {str(finding.kind) for finding in findings}


def mended(lines: list[bytes], **counts: int) -> list[bytes]:
    """The lines with a last one that counts what is there now."""
    end = orjson.loads(lines[-1])["end"] | counts
    return [*lines[:-1], footer(**end)]


def without(lines: list[bytes], word: bytes) -> list[bytes]:
    """The lines that do not hold a word."""
    return [text for text in lines if word not in text]


def has_successor(register: Register, at: int) -> bool:
    """Whether an event names the one of that number as the one before it."""
    head = leaf_hash(register.events[at]).hex()
    return any(orjson.loads(event)["previous"] == head for event in register.events)
