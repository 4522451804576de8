"""Lives of appeals, lived through the domain itself, in memory and ahead of time.

A history is what the platform would have written had it been there: registered, assigned,
accepted, resolved, checked, confirmed, with the clocks acting in between. benchmarks/stamps.py
makes many appeals of one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any, cast
from uuid import NAMESPACE_DNS, UUID, uuid5

from demo.people import HOW
from demo.sample.rows import Row
from demo.semey.duties import SPHERES
from demo.semey.geography import ident
from demo.stories import Step, steps_of
from domain.access import Principal, Role
from domain.appeals import commands as c
from domain.appeals.intake import register
from domain.appeals.model import Appeal, Applicant, Change, Channel, Kind
from domain.appeals.use_cases import act_on_due, perform
from domain.appeals.workflow import Action, PauseReason
from domain.ports import UnitOfWork
from domain.reference import Reference
from domain.sla.policy import Stage
from domain.values import Language, new_id

NOBODY = UUID(int=0)
NUMBER = 999_999
"""The number that a history is lived under; its appeals get their own."""
CITIZEN = new_id()
LONGEST = timedelta(days=90)
"""A history is followed so far."""
TICK = timedelta(milliseconds=120)
"""So long after its time a clock is seen, on the average."""

_SAID = {"kk": "Жұмыс орындалды, нәтижесі тексерілді.", "ru": "Работы выполнены, проверено."}
_WHY = {"kk": "Орналасқан жері бойынша.", "ru": "По месту нахождения."}
_INDOORS = {"kk": "Пәтер ішіндегі жұмыс.", "ru": "Работы внутри квартиры."}
_RATINGS = ((5, 4, 3, 2), (60, 25, 10, 5))


@cache
def executor_id(organisation: UUID) -> UUID:
    """The member who acts for an organisation."""
    return uuid5(organisation, "executor")


def staff_id(role: Role, desk: int = 0) -> UUID:
    """A member of the contact centre."""
    return uuid5(NAMESPACE_DNS, f"{role}-{desk}.benchmarks.ikomek109.example")


@dataclass(slots=True)
class Memory:
    """A unit of work without a database: one appeal, and what became of it."""

    principal: Principal
    appeal: Appeal | None = None
    changes: list[Change] = field(default_factory=list)

    @property
    def appeals(self) -> Any:
        """Itself: the doors of a unit are many, here they lead into one room."""
        return self

    attachments = citizens = numbers = endpoints = appeals

    async def get(self, number: str) -> Appeal:
        """The appeal."""
        if self.appeal is None:
            raise LookupError(number)
        return self.appeal

    async def due(
        self, at: datetime, limit: int, skipping: Collection[UUID] = ()
    ) -> Sequence[Appeal]:
        """The appeal."""
        return [self.appeal] if self.appeal else []

    def add(self, change: Change, number: int, year: int) -> None:
        """Registered."""
        self.save(change)

    def save(self, change: Change) -> None:
        """Changed."""
        self.appeal = change.appeal
        self.changes.append(change)

    async def applicant(self, citizen: UUID) -> Applicant:
        """The resident, whose name the stamps fill in."""
        return Applicant(citizen, "Аты", "+77000000000")

    async def take(self, *wanted: Any) -> Any:
        """The number; no uploads."""
        return NUMBER if len(wanted) == 2 else {}

    async def commit(self, answer: object = None) -> None:
        """Everything is kept as it is said."""


@dataclass(frozen=True, slots=True)
class Life:
    """A history: what changed, in order, from the registration on; and what may be varied."""

    changes: tuple[Change, ...]
    routed: UUID | None
    """The organisation that the city's rules found."""


@dataclass(slots=True)
class Teller:
    """Lives histories. `hours_to_close` are deciles; they say when work ends within its promise."""

    reference: Reference
    hours_to_close: Sequence[float]

    async def live(
        self, row: Row, story: str, where: c.Whereabouts, at: datetime, random: Random
    ) -> Life:
        """One history of a row of the sample, registered at `at`."""
        unit = await self._register(row, story, where, at)
        appeal = await unit.get(row.service)
        routed = appeal.assignment.organisation if appeal.assignment else None
        now = at
        for step in steps_of(story, row.channel, appeal.status):
            due = step.due(_view(await unit.get("")), now, random)
            if due is None:
                continue
            if step.action is Action.RESOLVE and step.stage and step.share[1] < 1:
                due = self._worked(await unit.get(""), now, random)
            await self._tick(unit, due)
            # A pause may have ended by itself meanwhile.
            if not (step.action is Action.RESUME and (await unit.get("")).pause is None):
                await self._act(unit, row, step, due, random)
            now = due
        await self._tick(unit, at + LONGEST)
        return Life(tuple(unit.changes), routed)

    async def _register(self, row: Row, story: str, where: c.Whereabouts, at: datetime) -> Memory:
        city = self.reference.city.id
        own = story == "citizen"
        resident = Principal(CITIZEN, Role.CITIZEN, city, citizen=CITIZEN)
        unit = Memory(resident if own else self._staff(Role.OPERATOR))
        first = c.FirstAnswer(_SAID[row.language], HOW[row.channel]) if story == "first-call" else None  # fmt: skip  # noqa: E501
        named = Applicant(None, "Аты", "+77000000000") if row.applicant and not own else None
        intake = c.Intake(
            service=row.service, kind=Kind(row.kind), channel=Channel(row.channel),
            language=Language(row.language), text=row.text, where=where,
            answers=row.answers_at(at), applicant=named, anonymous=named is None and not own,
            answer=first,
        )  # fmt: skip
        await register(intake, uow=cast(UnitOfWork, unit), reference=self.reference, at=at)
        return unit

    def _staff(self, role: Role) -> Principal:
        centre = ident("organisation", "contact-centre-109")
        return Principal(staff_id(role), role, self.reference.city.id, "", centre)

    def _worked(self, appeal: Appeal, last: datetime, random: Random) -> datetime:
        """When work ends: the source's deciles, drawn to the length of what was promised."""
        clock = appeal.clock(Stage.RESOLVE)
        if clock is None:
            return last
        deciles = self.hours_to_close
        place = random.random() * 9
        low, high = deciles[int(place)], deciles[int(place) + 1]
        share = (low + (high - low) * (place % 1)) / deciles[9]
        end = clock.started_at + (clock.due_at - clock.started_at) * min(0.97, max(0.02, share))
        return max(end, last + timedelta(minutes=random.uniform(2, 10)))

    async def _tick(self, unit: Memory, until: datetime) -> None:
        """Let the clocks act on all that is due before `until`."""
        principal, unit.principal = unit.principal, Principal(NOBODY, Role.SYSTEM, self.reference.city.id)  # fmt: skip  # noqa: E501
        while True:
            appeal = await unit.get("")
            times = [clock.next_at for clock in appeal.clocks if clock.next_at]
            times += [appeal.pause.until] if appeal.pause else []
            if not times or min(times) + TICK > until:
                break
            await act_on_due(
                uow=cast(UnitOfWork, unit), reference=self.reference, at=min(times) + TICK, limit=1
            )
        unit.principal = principal

    async def _act(self, unit: Memory, row: Row, step: Step, at: datetime, random: Random) -> None:
        appeal = await unit.get("")
        unit.principal = self._actor(step, appeal)
        await perform(
            appeal.number, step.action, self._command(appeal, row, step, random),
            uow=cast(UnitOfWork, unit), reference=self.reference, at=at,
        )  # fmt: skip

    def _actor(self, step: Step, appeal: Appeal) -> Principal:
        city = self.reference.city.id
        if step.by == "executor":
            theirs = appeal.assigned().organisation
            own = frozenset({theirs})
            return Principal(executor_id(theirs), Role.EXECUTOR, city, "", theirs, own)
        if step.by == "resident" and appeal.applicant and appeal.applicant.citizen:
            return Principal(CITIZEN, Role.CITIZEN, city, citizen=CITIZEN)
        return self._staff(Role.OPERATOR if step.by == "resident" else Role(step.by))

    def _command(self, appeal: Appeal, row: Row, step: Step, random: Random) -> c.Command:
        said, why = _SAID[row.language], _WHY[row.language]
        own = appeal.applicant is not None and appeal.applicant.citizen is not None
        how = "app" if own else HOW[row.channel]
        rating = random.choices(*_RATINGS)[0]
        commands: Mapping[Action, c.Command] = {
            Action.ANSWER: c.GiveAnswer(c.FirstAnswer(said)),
            Action.ACCEPT: c.Accept(),
            Action.DECLINE: c.Decline(why),
            Action.RESUME: c.Resume(),
            Action.RESOLVE: c.Resolve(said, no_photo_reason=_INDOORS[row.language]),
            Action.CHECK: c.Check(said),
            Action.RETURN: c.Return(why),
            Action.CONFIRM: c.Confirm(how, rating),
            Action.REOPEN: c.Reopen(how, why),
            Action.WITHDRAW: c.Withdraw(how, why),
            Action.COMMENT: c.Comment(said),
        }
        if step.action in (Action.ASSIGN, Action.REDIRECT):
            return c.Assign(_other(appeal), why)
        if step.action is Action.REPORT:
            return c.Report(Stage(step.stage or ""), said)
        if step.action is Action.PAUSE:
            return c.PauseWork(PauseReason(step.reason or ""), why)
        return commands[step.action]


def _other(appeal: Appeal) -> UUID:
    """Whom an inspector thinks of: the sphere's department, or those who hold its night."""
    held = appeal.assignment.organisation if appeal.assignment else None
    ids = (ident("organisation", code) for code in SPHERES[appeal.sphere])
    return next(one for one in ids if one != held)


def _view(appeal: Appeal) -> Mapping[str, Any]:
    """What demo.stories reads of an appeal, as the API would show it."""
    return {
        "clocks": [
            {"stage": str(clock.stage), "round": clock.round, "met_at": clock.met_at,
             "started_at": clock.started_at.isoformat(), "due_at": clock.due_at.isoformat()}
            for clock in appeal.clocks
        ]
    }  # fmt: skip
