"""Counting the open clocks of a city again after its calendar was changed."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from api.commands.console import Failure, Reported, complain, note, say
from api.commands.database import Office, city_of, in_office
from domain.access import NOBODY, Principal, Role
from domain.appeals.recounts import Recomputed, recompute_clocks
from domain.errors import NotFound
from domain.reference import Reference
from domain.register.canonical import instant
from integrations.postgres import office, reference
from integrations.postgres.unit_of_work import UnitsOfWork

PORTION = 50
"""Appeals in one transaction: few enough that nobody waits for it."""
PASSES = 5
REST = 0.5
"""Seconds between two passes over what others held."""
MOST_TOLD = 50
LONGEST_REASON = 300
_LIKE_A_PERSON = re.compile(r"\d(?:[ ()-]*\d){9,}|@")
"""Ten digits or more (a phone, an IIN) or an address of mail."""


@dataclass(slots=True)
class Tally:
    """What came of a recomputation."""

    clocks: int = 0
    moved: int = 0
    held: int = 0
    turns: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)

    def add(self, portion: Recomputed) -> None:
        """Count a portion in."""
        self.held += portion.held
        self.faults |= dict(portion.faulty)
        for number, before, after in portion.moved:
            self.clocks += 1
            self.turns[f"{before.state} → {after.state}"] += before.state is not after.state
            if before.due_at == after.due_at:
                continue
            self.moved += 1
            due = f"{instant(before.due_at)} → {instant(after.due_at)}"
            self.lines.append(f"{number} {after.stage}/{after.round}: {due}")


def recompute(
    *,
    calendar: str,
    reason: str,
    city: str | None = None,
    by: UUID | None = None,
    dry_run: bool = False,
) -> None:
    """Count the open clocks of a calendar again, by its newest version.

    Start and promise stand; the due time follows the calendar. Each clock has an event in the
    register with both due times and the reason, which residents read. Stopped midway, it goes
    on where it stopped when it is run again; what is done is not done twice.

    Parameters
    ----------
    calendar
        The code of the calendar.
    reason
        Why, in words that residents may read; no names, phones or numbers of persons.
    city
        The city's code; needed where there are several.
    by
        The id of the member who ordered it; the register names the platform otherwise.
    dry_run
        Only say what would change.
    """
    _check_reason(reason)
    tally = in_office(lambda at: _recompute(at, calendar, reason.strip(), city, by, dry_run))
    for line in tally.lines[:MOST_TOLD]:
        say(line)
    if len(tally.lines) > MOST_TOLD:
        say(f"… and {len(tally.lines) - MOST_TOLD} more.")
    turns = "".join(f", {n} {turn}" for turn, n in sorted(tally.turns.items()) if n)
    say(f"Counted again: {tally.clocks} clocks, {tally.moved} with another due time{turns}.")
    if dry_run:
        say("Nothing was changed: this was a dry run.")
    for number, fault in tally.faults.items():
        complain(f"{number} was left alone: {fault}")
    if tally.held:
        complain(f"{tally.held} appeals were in use.", "Run it again for those.")
    if tally.faults or tally.held:
        raise Reported


def _check_reason(reason: str) -> None:
    words = reason.strip()
    if not 3 <= len(words) <= LONGEST_REASON or not words.isprintable():
        raise Failure(f"A reason is one line of 3 to {LONGEST_REASON} characters.", status=2)
    if _LIKE_A_PERSON.search(words):
        raise Failure("The reason names a person: it enters the register for good.", status=2)


async def _recompute(
    at: Office, calendar: str, reason: str, code: str | None, by: UUID | None, dry_run: bool
) -> Tally:
    async with at.engine.connect() as connection:
        city = await city_of(connection, code)
        known = await reference.load(connection, city.id, at.now())
        who = Principal(NOBODY, Role.SYSTEM, city.id)
        if by is not None:
            member = await office.member(connection, city.id, by)
            if member is None:
                raise Failure(f"There is no active member {by} in {city.code}.", status=2)
            who = member
    try:
        known.promises.calendar(calendar)
    except NotFound:
        raise Failure(f"{city.code} has no calendar '{calendar}'.", status=2) from None
    tally = Tally()
    for attempt in range(1 if dry_run else PASSES):
        tally.held = 0
        async for portion in _pass(at, who, known, calendar, reason, dry_run):
            tally.add(portion)
        if not tally.held:
            break
        if attempt + 1 < PASSES and not dry_run:
            note(f"{tally.held} appeals are in use; once more.")
            await asyncio.sleep(REST)
    return tally


async def _pass(
    at: Office, who: Principal, known: Reference, calendar: str, reason: str, dry_run: bool
) -> AsyncIterator[Recomputed]:
    units, after = UnitsOfWork(at.engine, at.keyring, at.settings.base_url), None
    while True:
        async with units.open(who) as uow:
            portion = await recompute_clocks(
                calendar, reason, uow=uow, reference=known, at=at.now(), limit=PORTION, after=after
            )
            if portion.changes and not dry_run:
                await uow.commit()
        if portion.last is None:
            return
        yield portion
        after = portion.last
