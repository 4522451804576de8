"""Both registers held against each other: by number and by state, each difference with what may
be done about it safely. Safe is to ask again and to send again: both end in what the other side
said itself, since repeats are known by their ids. Nothing is invented, and nothing is put right on
either side by the other's word alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.appeals.model import SAME_DAY
from domain.appeals.workflow import Status
from domain.eotinish.agreements import Agreements
from domain.eotinish.model import MessageState

PORTION = 500
GRACE = timedelta(hours=1)
"""A difference that is younger may be a message on its way."""


class Lack(StrEnum):
    """In what the registers differ."""

    UNNUMBERED = "unnumbered"
    """We handed an appeal in and have no number for it."""
    UNKNOWN_THERE = "unknown-there"
    """We have a number that the state does not list."""
    UNKNOWN_HERE = "unknown-here"
    """The state lists a case of ours that we do not have."""
    BEHIND_HERE = "behind-here"
    """The state has told more of a case than was applied here."""
    BEHIND_THERE = "behind-there"
    """We have told more of a case than the state took."""
    STATE = "state"
    """Both know all that was told, and still say different things."""
    QUARANTINED = "quarantined"
    """A message of the case waits for an inspector."""
    NUMBER = "number"
    """Both have the appeal, each under another number."""
    DEADLINE = "deadline"
    """The state has another last day for the case than it told, and than the law's here."""
    DROPPED = "dropped"
    """The state lists a case whose assignment an inspector dropped here."""


class Repair(StrEnum):
    """What may be done by itself; NONE waits for people."""

    SEND_AGAIN = "send-again"
    ASK_AGAIN = "ask-again"
    NONE = "none"


REPAIRS: Mapping[Lack, Repair] = {
    Lack.UNNUMBERED: Repair.SEND_AGAIN,
    Lack.UNKNOWN_THERE: Repair.SEND_AGAIN,
    Lack.UNKNOWN_HERE: Repair.ASK_AGAIN,
    Lack.BEHIND_HERE: Repair.ASK_AGAIN,
    Lack.BEHIND_THERE: Repair.SEND_AGAIN,
    Lack.STATE: Repair.NONE,
    Lack.QUARANTINED: Repair.NONE,
    Lack.NUMBER: Repair.NONE,
    Lack.DEADLINE: Repair.NONE,
    Lack.DROPPED: Repair.NONE,
}

ASIDE: Mapping[MessageState, Lack] = {
    MessageState.QUARANTINED: Lack.QUARANTINED,
    MessageState.DROPPED: Lack.DROPPED,
}
"""What an assignment that began no case here is reported as; to ask for it again would put one more
of it before the inspectors each night."""


@dataclass(frozen=True, slots=True)
class OurCase:
    """A case as it stands here. `sent` is the sequence of the last event that the state took,
    `waiting_since` since when the oldest message of it has been on its way, in or out, `moved_at`
    when the last one was taken; `forwarded` says that the appeal stands with a body outside the
    city. `deadlines` are the days that the state may have for it: the one that it told last, and
    that of the law's clock here, while it counts.
    """

    appeal: UUID
    own_number: str
    number: str | None
    status: Status
    version: int
    sent: int
    own: bool
    waiting_since: datetime | None = None
    quarantined: int = 0
    moved_at: datetime | None = None
    forwarded: bool = False
    deadlines: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class TheirCase:
    """A case as the state lists it: `sequence` is that of the last message that it took,
    `deadline` its own last day, where it lists one.
    """

    number: str
    own_number: str | None
    state: str
    version: int
    sequence: int
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; `ours` and `theirs` are what each side says of it."""

    lack: Lack
    number: str | None
    own_number: str | None
    ours: str | None
    theirs: str | None
    repair: Repair
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found."""

    id: UUID
    at: datetime
    ours: int
    theirs: int
    differences: Sequence[Difference] = field(default=())
    finished_at: datetime | None = None

    @property
    def repaired(self) -> int:
        """How many differences something was done about."""
        return sum(one.repaired for one in self.differences)


def compare(
    ours: Sequence[OurCase],
    theirs: Sequence[TheirCase],
    agreements: Agreements,
    at: datetime,
    grace: timedelta = GRACE,
    begun: datetime | None = None,
    aside: Mapping[str, MessageState] | None = None,
) -> Iterator[Difference]:
    """Every difference, in the order of our cases; those that only the state has come last.

    `aside` says of the numbers of `strange` which lie in quarantine here, or were dropped.

    `begun` is when the state's register began to be read: what moved later stands in ours alone,
    and is no difference yet. The next comparison sees it.
    """
    settled = min(begun or at, at - grace)
    listed = {one.number: one for one in theirs}
    by_own: dict[str, list[TheirCase]] = {}
    for one in theirs:
        # A part that the state gave away is a case of its own, whosever number it names.
        if one.own_number and not agreements.is_child(one.number):
            by_own.setdefault(one.own_number, []).append(one)
    known: set[str] = set()
    for case in ours:
        same, named = listed.get(case.number or ""), by_own.get(case.own_number, [])
        known |= {one.number for one in (same, *named) if one is not None}
        if case.waiting_since is not None and at - case.waiting_since < grace:
            continue
        if case.moved_at is not None and case.moved_at > settled:
            continue
        yield from _numbers(case, same, named, agreements)
        yield from _differences(case, same or next(iter(named), None), agreements)
    for one in theirs:
        if one.number not in known:
            state = (aside or {}).get(one.number)
            lack = Lack.UNKNOWN_HERE if state is None else ASIDE[state]
            yield _difference(lack, None, one, None, one.state)


def strange(ours: Sequence[OurCase], theirs: Sequence[TheirCase]) -> Sequence[str]:
    """The numbers that the state lists and none of our cases bears."""
    known = {case.number for case in ours}
    return [one.number for one in theirs if one.number not in known]


def _numbers(
    case: OurCase, same: TheirCase | None, named: Sequence[TheirCase], agreements: Agreements
) -> Iterator[Difference]:
    """Where each side has the appeal under another number, or another appeal under the number."""
    if case.number is None:
        return
    for one in named:
        if one.number != case.number:
            yield _difference(Lack.NUMBER, case, one, case.number, one.number)
    other = same.own_number if same and not agreements.is_child(same.number) else None
    if other is not None and other != case.own_number:
        yield _difference(Lack.NUMBER, case, same, case.own_number, other)


def _differences(
    case: OurCase, their: TheirCase | None, agreements: Agreements
) -> Iterator[Difference]:
    state = agreements.state_of(case.status, forwarded=case.forwarded)
    if case.quarantined:
        yield _difference(Lack.QUARANTINED, case, their, str(case.quarantined), None)
    if case.number is None:
        yield _difference(Lack.UNNUMBERED, case, their, None, their.number if their else None)
        return
    if their is None:
        yield _difference(Lack.UNKNOWN_THERE, case, None, state, None)
        return
    behind_here, behind_there = their.version > case.version, their.sequence < case.sent
    if behind_here:
        yield _difference(Lack.BEHIND_HERE, case, their, str(case.version), str(their.version))
    if behind_there:
        yield _difference(Lack.BEHIND_THERE, case, their, str(case.sent), str(their.sequence))
    if behind_here or behind_there or case.quarantined:
        return
    if state != their.state:
        yield _difference(Lack.STATE, case, their, state, their.state)
    said = their.deadline
    if said and case.deadlines and all(abs(said - one) > SAME_DAY for one in case.deadlines):
        ours = max(case.deadlines)
        yield _difference(Lack.DEADLINE, case, their, ours.isoformat(), said.isoformat())


def _difference(
    lack: Lack, case: OurCase | None, their: TheirCase | None, ours: str | None, theirs: str | None
) -> Difference:
    number = case.number if case else None
    own = case.own_number if case else None
    return Difference(
        lack,
        number or (their.number if their else None),
        own or (their.own_number if their else None),
        ours,
        theirs,
        REPAIRS[lack],
    )


class Ours(Protocol):
    """What a comparison asks of the city's own register."""

    async def cases(self, city: UUID, after: UUID | None, limit: int) -> Sequence[OurCase]:
        """The cases, in the order of their appeals' ids."""

    async def set_aside(self, city: UUID, numbers: Sequence[str]) -> Mapping[str, MessageState]:
        """Of these numbers, those whose assignment lies in quarantine or was dropped."""

    async def send_again(self, city: UUID, own_number: str, after: int, at: datetime) -> int:
        """Send the messages of a case again that come after an event; how many."""


class Theirs(Protocol):
    """What a comparison asks of the state."""

    async def cases(self, after: str | None, limit: int) -> Sequence[TheirCase]:
        """The cases, in the order of their numbers."""

    async def ask_again(self, number: str, version: int) -> None:
        """Ask for the messages of a case again, from a version on."""


async def read_all(
    city: UUID, ours: Ours, theirs: Theirs
) -> tuple[Sequence[OurCase], Sequence[TheirCase]]:
    """Both registers whole. Theirs is read first: what the state tells meanwhile is behind nobody;
    what the city tells meanwhile `compare` leaves out.
    """
    listed: list[TheirCase] = []
    while portion := await theirs.cases(listed[-1].number if listed else None, PORTION):
        listed += portion
        if len(portion) < PORTION:
            break
    kept: list[OurCase] = []
    while portion_ := await ours.cases(city, kept[-1].appeal if kept else None, PORTION):
        kept += portion_
        if len(portion_) < PORTION:
            break
    return kept, listed


async def repair(
    difference: Difference, city: UUID, ours: Ours, theirs: Theirs, at: datetime
) -> bool:
    """Do what is safe about a difference; whether anything was done."""
    if difference.repair is Repair.SEND_AGAIN and difference.own_number is not None:
        # What the state says that it has need not go again.
        told = difference.theirs if difference.lack is Lack.BEHIND_THERE else None
        return await ours.send_again(city, difference.own_number, int(told or 0), at) > 0
    if difference.repair is Repair.ASK_AGAIN and difference.number is not None:
        begun = difference.ours if difference.lack is Lack.BEHIND_HERE else None
        await theirs.ask_again(difference.number, int(begun or 0) + 1)
        return True
    return False
