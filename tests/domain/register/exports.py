"""An honest export, made of a few appeals, to be tampered with."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import orjson

from domain.events import Actor, EventType, Fact
from domain.register.audit import Audit, Finding
from domain.register.canonical import leaf_hash
from domain.register.chain import Head, extend
from domain.register.checkpoint import Checkpoint, Key
from domain.register.export import Leaf, Standing, Stated, footer, header, line, read
from domain.register.tree import Frontier
from integrations.vault.signer import Signer, verify

CITY = UUID(int=109)
ORIGIN = "ikomek109/kishi"
SIGNER, FORGER = Signer(bytes(range(32))), Signer(bytes(32))
AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


@dataclass
class Register:
    """What a register holds; `export` tells it, in whatever state somebody left it."""

    events: list[bytes]
    sizes: list[int]
    standings: list[Standing]
    signer: Signer = SIGNER

    def export(self) -> list[bytes]:
        """The lines of its export, with checkpoints that fit what it holds."""
        lines = [header(ORIGIN, CITY, [str(self.signer.key(ORIGIN))])]
        frontier, signed = Frontier(), 0
        for index, canonical in enumerate(self.events):
            leaf = leaf_hash(canonical)
            frontier.append(leaf)
            lines.append(line(Leaf(index, leaf, canonical)))
            if frontier.size in self.sizes:
                note = self.signer.sign(Checkpoint(ORIGIN, frontier.size, frontier.root()))
                lines.append(line(Stated(str(note), AT)))
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
        return Register(self.events[:count], [*sizes, count], list(stands.values()), self.signer)

    def note(self, size: int) -> str:
        """The checkpoint of a size, as somebody outside kept it."""
        frontier = Frontier()
        for canonical in self.events[:size]:
            frontier.append(leaf_hash(canonical))
        return str(self.signer.sign(Checkpoint(ORIGIN, size, frontier.root())))


def make_register(*, appeals: int = 4, events: int = 20, every: int = 5, seed: int = 1) -> Register:
    """Events of a few appeals, as they come in a city: one after the other, mixed."""
    chance = Random(seed)
    heads = {UUID(int=1000 + number): Head() for number in range(appeals)}
    written = []
    for number in range(events):
        appeal = chance.choice(list(heads))
        heads[appeal], (event,) = extend(
            heads[appeal],
            [Fact(EventType.COMMENTED, {"n": number, "said": "Жол"}, {"text": f"{number}"})],
            city=CITY,
            appeal=appeal,
            about={"number": "KIS-2026-000001", "status": "assigned"},
            actor=Actor("operator", UUID(int=7)),
            at=AT + timedelta(minutes=number),
        )
        written.append(event.canonical)
    standings = [
        Standing(appeal, head.sequence, head.hash)
        for appeal, head in sorted(heads.items())
        if head.sequence
    ]
    sizes = [*range(every, events, every), events]
    return Register(written, sizes, standings)


def audit(lines: list[bytes], *, keys: list[Key] | None = None, kept: tuple[str, ...] = ()):
    """The findings of an audit of an export."""
    return audited(lines, keys=keys, kept=kept).finish()


def audited(lines: list[bytes], *, keys: list[Key] | None = None, kept: tuple[str, ...] = ()):
    """An audit that took every line and is not finished."""
    head = orjson.loads(lines[0])
    found = Audit(head["origin"], keys or [SIGNER.key(ORIGIN)], verify, kept)
    found.take(read(lines[1:], head["city"]))
    return found


def kinds(findings: list[Finding]) -> set[str]:
    """Of which kinds they are."""
    return {str(finding.kind) for finding in findings}
