"""Many appeals from one history: other ids, another time, place and applicant, true hashes.

What varies is cut out of an event's canonical bytes once; a stamp fills the gaps, and binds the
chain anew. Where every clock of a history runs around the clock its times may be moved as one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any, get_type_hints
from uuid import UUID

from benchmarks.histories import CITIZEN, Life, executor_id
from domain.appeals.model import Appeal, Applicant, Assignment, Change, Place, Route
from domain.appeals.places import seal_answers, seal_place
from domain.appeals.verdicts import Verdict, is_done, verdict_of
from domain.events import Event
from domain.organisations.routing import RouteReason
from domain.ports import Keyring
from domain.register.canonical import commitment, leaf_hash
from domain.register.chain import Head
from integrations.postgres import rows
from integrations.postgres import tables as t
from integrations.postgres.cards import card_row

TABLES = (t.appeal, t.card, t.clock, t.assignment, t.completion, t.event, t.event_personal)
"""What a stamp writes, in the order that foreign keys want."""

_UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_INSTANT = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
_REASONS = "|".join(RouteReason).encode()
_PLACED = rb'"(?:district|route|responsibility)":(?:null|"[^"]*")|"reason":"(?:' + _REASONS + rb')"'
_GAPS = re.compile(rb"(" + _PLACED + rb"|" + _UUID + rb"|" + _INSTANT + rb"|[0-9a-f]{64})")
_AROUND = "around-the-clock"

Row = Mapping[str, Any]
Rows = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Variation:
    """What a stamp puts in the place of the history's own."""

    at: datetime
    id: UUID
    number: str
    place: Place
    route: Route
    organisation: UUID | None
    text: str
    answers: Mapping[str, object]
    name: str
    phone: str
    citizen: UUID


Gap = str | timedelta
"""What is filled in: by name, or a time so long after the registration."""


@dataclass(frozen=True, slots=True)
class _Form:
    """An event with gaps: its bytes with a `%b` for each of them, and what is personal in it."""

    bytes: bytes
    gaps: tuple[Gap, ...]
    type: str
    after: timedelta
    internal: bool
    personal: Mapping[str, str]


class Stamp:
    """One history, ready to be stamped."""

    def __init__(self, life: Life, keyring: Keyring) -> None:
        first = life.changes[0]
        self.at = first.appeal.registered_at
        self.routed = life.routed
        self.city = first.appeal.city
        self.text = first.appeal.text
        self.keyring = keyring
        self._changes = life.changes
        self.assignments = _assignments(life.changes)
        self._ends = [change.appeal.updated_at - self.at for change in life.changes]
        self._number = first.appeal.number.encode()
        self._known = self._names(first.appeal.id)
        self._forms = [self._form(event) for change in life.changes for event in change.events]
        self._sealed: dict[str, bytes] = {}
        clocks = first.appeal.clocks + tuple(k for change in life.changes for k in change.clocks)
        self.by_hand = {one.organisation for one in self.assignments.values()} - {life.routed}
        self.movable = all(clock.calendar == _AROUND for clock in clocks)

    def fits(self, organisation: UUID | None) -> bool:
        """Whether it can be told of another moment and place, where the rules find this one."""
        same = (organisation is None) is (self.routed is None)
        return self.movable and same and organisation not in self.by_hand

    def seal(self, text: str) -> bytes:
        """What every appeal of this history says alike is sealed once."""
        sealed = self._sealed.get(text)
        if sealed is None:
            sealed = self._sealed[text] = self.keyring.seal(text.encode())
        return sealed

    def _names(self, appeal: UUID) -> dict[str, str]:
        """The gaps that ids stand for."""
        known: dict[UUID, str] = {appeal: "appeal", CITIZEN: "citizen"}
        if self.routed is not None:
            known |= {self.routed: "organisation", executor_id(self.routed): "executor"}
        known |= {assignment: str(assignment) for assignment in self.assignments}
        known |= {event.id: "event" for change in self._changes for event in change.events}
        return {str(one): name for one, name in known.items()}

    def _form(self, event: Event) -> _Form:
        commitments = {commitment(s.value, s.salt): n for n, s in event.personal.items()}
        form, gaps = bytearray(), list[Gap]()
        for place, piece in enumerate(_GAPS.split(event.canonical)):
            gap = self._gap(piece.decode(), commitments) if place % 2 else None
            if gap is not None:
                form += b"%b"
                gaps.append(gap)
                continue
            fixed = piece.replace(b"%", b"%%")
            gaps += ["number"] * fixed.count(self._number)
            form += fixed.replace(self._number, b"%b")
        personal = {name: one.value for name, one in event.personal.items()}
        after = event.at - self.at
        return _Form(bytes(form), tuple(gaps), str(event.type), after, event.internal, personal)

    def _gap(self, said: str, personal: Mapping[str, str]) -> Gap | None:
        """What a piece stands for; None where it is the same in every appeal."""
        if said.startswith('"'):
            return said.split('"')[1]
        if len(said) == 64:
            return f"personal:{personal[said]}" if said in personal else "previous"
        if said.endswith("Z"):
            return datetime.fromisoformat(said) - self.at
        return self._known.get(said)

    def press(self, said: Variation, until: datetime, random: Random) -> Rows:
        """The rows of one appeal as it stands at `until`."""
        count = sum(1 for end in self._ends if said.at + end <= until)
        press = _Press(self, said, random)
        events = sum(len(change.events) for change in self._changes[:count])
        found: Rows = {table.name: [] for table in TABLES}
        head = press.events(self._forms[:events], found)
        last = self._changes[count - 1]
        appeal = press.appeal(last.appeal, head)
        change = Change(appeal, ())
        found["appeal"] = [rows.appeal_row(appeal, self.keyring)]
        found["clock"] = [rows.clock_row(clock, change) for clock in appeal.clocks]
        given = [press.assignment(one) for one in _assignments(self._changes[:count]).values()]
        found["assignment"] = [rows.assignment_row(one, change) for one in given]
        found["card"] = [card_row(replace(change, assignments=tuple(given)))]
        found["completion"] = list(press.completions(self._changes[:count]))
        return found


class _Fill(dict[Gap, bytes]):
    """What goes into the gaps of one appeal's events; its times as they are asked for."""

    def __init__(self, at: datetime, names: Mapping[str, str]) -> None:
        super().__init__((name, said.encode()) for name, said in names.items())
        self._at = at

    def __missing__(self, gap: Gap) -> bytes:
        if not isinstance(gap, timedelta):
            raise KeyError(gap)
        moment = (self._at + gap).isoformat(timespec="microseconds")
        found = self[gap] = moment.replace("+00:00", "Z").encode()
        return found


class _Press:
    """One stamping."""

    def __init__(self, stamp: Stamp, said: Variation, random: Random) -> None:
        self._said = said
        self._random = random
        self._keyring, self._seal = stamp.keyring, stamp.seal
        self._routed, self._city, self._written = stamp.routed, stamp.city, stamp.text
        self._by = said.at - stamp.at
        self._ids = {one: new_id(said.at, random) for one in stamp.assignments}
        district, route = said.place.district, said.route
        names = {
            "district": f'"district":"{district}"' if district else '"district":null',
            "route": f'"route":"{route.reason}"',
            "reason": f'"reason":"{route.reason}"',
            "responsibility": f'"responsibility":"{route.responsibility}"',
            "appeal": str(said.id),
            "number": said.number,
            "citizen": str(said.citizen),
            "organisation": str(said.organisation),
            "executor": str(executor_id(said.organisation)) if said.organisation else "",
            **{str(one): str(mine) for one, mine in self._ids.items()},
        }
        self._fill = _Fill(said.at, names)

    def events(self, forms: Iterable[_Form], found: Rows) -> Head:
        """Fill the gaps of every event, link by link; the rows into `found`, the head back."""
        head = Head()
        for form in forms:
            head = self._event(form, head, found)
        return head

    def _event(self, form: _Form, head: Head, found: Rows) -> Head:
        said, fill, at = self._said, self._fill, self._said.at + form.after
        own = new_id(at, self._random)
        fill["event"], fill["previous"] = str(own).encode(), head.hash.hex().encode()
        salts = {name: self._random.randbytes(16) for name in form.personal}
        for name, written in form.personal.items():
            text, sealed = self._text(name, written)
            fill[f"personal:{name}"] = commitment(text, salts[name]).encode()
            found["event_personal"].append(
                {"event_id": own, "field": name, "salt": salts[name], "sealed": sealed}
            )
        canonical = form.bytes % tuple(map(fill.__getitem__, form.gaps))
        hash = leaf_hash(canonical)
        found["event"].append(
            {"id": own, "city_id": self._city, "appeal_id": said.id, "sequence": head.sequence + 1,
             "type": form.type, "at": at, "internal": form.internal, "canonical": canonical,
             "hash": hash}
        )  # fmt: skip
        return Head(head.sequence + 1, hash)

    def _text(self, name: str, text: str) -> tuple[str, bytes]:
        """A personal text of this appeal, sealed."""
        said = self._said
        own = {"name": said.name, "phone": said.phone}.get(name)
        if name == "place":
            own = seal_place(said.place)
        elif name == "answers":
            own = seal_answers(said.answers)
        elif name == "text" and text == self._written:
            own = said.text
        return (text, self._seal(text)) if own is None else (own, self._keyring.seal(own.encode()))

    def appeal(self, appeal: Appeal, head: Head) -> Appeal:
        """The appeal as its last event left it."""
        said = self._said
        applicant = appeal.applicant
        if applicant is not None and applicant.name is not None:
            citizen = said.citizen if applicant.citizen else None
            applicant = Applicant(citizen, said.name, said.phone)
        standing = appeal.assignment
        # One copy and no more: an appeal has many fields.
        moved: Appeal = _moved(
            appeal, self._by,
            id=said.id, number=said.number, text=said.text, answers=said.answers,
            place=said.place, route=said.route, applicant=applicant, head=head,
            assignment=self.assignment(standing) if standing else None,
            clocks=tuple(_moved(clock, self._by) for clock in appeal.clocks),
            pause=_moved(appeal.pause, self._by) if appeal.pause else None,
            confirmation=self._confirmation(appeal),
        )  # fmt: skip
        return moved

    def _confirmation(self, appeal: Appeal) -> Any:
        word = appeal.confirmation
        if word is None:
            return None
        by = self._said.citizen if word.by == CITIZEN else word.by
        return _moved(word, self._by, by=by)

    def assignment(self, given: Assignment) -> Assignment:
        """An assignment of this appeal."""
        theirs = given.organisation
        if theirs == self._routed and self._said.organisation is not None:
            theirs = self._said.organisation
        moved: Assignment = _moved(given, self._by, id=self._ids[given.id], organisation=theirs)
        return moved

    def completions(self, changes: Iterable[Change]) -> Sequence[Row]:
        """What became of each 'done', as statements.py writes it."""
        found: list[dict[str, Any]] = []
        for change in changes:
            judged = {
                "verdict": verdict_of(change),
                "judged_at": change.appeal.updated_at + self._by,
            }
            for row in found:
                if judged["verdict"] and row["verdict"] in (None, Verdict.CONFIRMED):
                    row |= judged
            standing, place = change.appeal.assignment, self._said.place
            if standing is not None and is_done(change):
                mine = replace(change.appeal, assignment=self.assignment(standing), place=place)
                (row,) = rows.completion_rows(replace(change, appeal=mine))
                own = {"appeal_id": self._said.id, "number": len(found) + 1}
                found.append({**row, **own, "verdict": None, "judged_at": None})
        return found


def _assignments(changes: Iterable[Change]) -> dict[UUID, Assignment]:
    return {one.id: one for change in changes for one in change.assignments}


def _moved(value: Any, by: timedelta, /, **other: Any) -> Any:
    """A frozen value with every time of its own moved, and with what else is other."""
    kind: Any = type(value)
    for name in _timed(kind):
        said = getattr(value, name)
        if said is not None:
            other[name] = said + by
    return replace(value, **other)


@cache
def _timed(kind: Any) -> tuple[str, ...]:
    """The fields of a kind that hold a time, or may."""
    hints = get_type_hints(kind)
    return tuple(one.name for one in fields(kind) if hints[one.name] in (datetime, datetime | None))


def new_id(at: datetime, random: Random) -> UUID:
    """A UUIDv7 of a moment, from given chances, so that the same seed gives the same ids."""
    milliseconds = int(at.astimezone(UTC).timestamp() * 1000)
    chance = random.getrandbits(74)
    return UUID(
        int=milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (2**62 - 1)
    )
