"""Appeals that live: born in every way, acted on by whoever may, in any order."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from api.bootstrap import House
from api.worker.ticks import Clocks
from domain.access import Role
from domain.appeals import commands as c
from domain.appeals.model import Appeal
from domain.appeals.workflow import Action, PauseReason, allowed
from domain.errors import Refusal
from tests.support.appeals import perform, register
from tests.support.city import KISHI

ORGANISATIONS = (KISHI.water, KISHI.department, KISHI.centre)
UNROUTED = {"service": "general.unclassified", "answers": {}}
ANSWER = c.FirstAnswer("Жөндеу кешке бітеді")
DONE = c.Resolve("жабылды", no_photo_reason="түн")
WAIT = c.PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық")

BIRTHS: Mapping[str, Mapping[str, Any]] = {
    "routed": {},
    "unrouted": UNROUTED,
    "answered at once": {"answer": replace(ANSWER, confirmed_by="call")},
    "answered, not confirmed": {"answer": ANSWER},
    "long ago": {},
    "of a resident": {},
}
ACTS: Mapping[Action, tuple[Role, c.Command]] = {
    Action.ACCEPT: (Role.EXECUTOR, c.Accept()),
    Action.DECLINE: (Role.EXECUTOR, c.Decline("біздікі емес")),
    Action.RESOLVE: (Role.EXECUTOR, DONE),
    Action.PAUSE: (Role.INSPECTOR, WAIT),
    Action.RESUME: (Role.INSPECTOR, c.Resume()),
    Action.RETURN: (Role.INSPECTOR, c.Return("ашық тұр")),
    Action.CHECK: (Role.INSPECTOR, c.Check()),
    Action.CONFIRM: (Role.OPERATOR, c.Confirm("call", 5)),
    Action.REOPEN: (Role.OPERATOR, c.Reopen("call", "ашық тұр")),
    Action.WITHDRAW: (Role.OPERATOR, c.Withdraw("call")),
    Action.COMMENT: (Role.OPERATOR, c.Comment("жолда")),
    Action.ANSWER: (Role.OPERATOR, c.GiveAnswer(ANSWER)),
    Action.CORRECT: (Role.OPERATOR, c.Correct(where=c.Whereabouts(building=KISHI.flats))),
}
GIVEN = {Action.ASSIGN, Action.REDIRECT}
RECLASSIFIED = c.Correct(service="lifts.company-unknown", answers={})
TIMES = ("clocks", "add up", "sweep")
"""What the scheduler does now and then."""


class Life:
    """A city's life in steps, each of which is done if the workflow allows it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.appeals: list[Appeal] = []
        self.done: Counter[str] = Counter()

    async def born(self, how: str) -> None:
        at = self.house.now() - timedelta(days=3) if how == "long ago" else None
        role = Role.CITIZEN if how == "of a resident" else Role.OPERATOR
        self.appeals.append(await register(self.house, role=role, at=at, **BIRTHS[how]))
        self.done[how] += 1

    async def acted(self, which: int, action: Action, whom: int) -> None:
        """One act on one of the appeals by whoever may; nothing where it can't be done now."""
        place = which % len(self.appeals)
        appeal = await self._now(place)
        role, command = ACTS.get(action, (Role.INSPECTOR, c.Accept()))
        if action in GIVEN:
            elsewhere = [one for one in ORGANISATIONS if one != appeal.executor]
            command = c.Assign(elsewhere[whom % len(elsewhere)], "мекенжайы бойынша")
        if action is Action.CORRECT and whom:
            command = RECLASSIFIED
        hands = appeal.executor if role is Role.EXECUTOR else None
        with suppress(Refusal):
            self.appeals[place] = await perform(
                self.house, appeal, action, command, role=role, organisation=hands
            )
            self.done[action] += 1

    async def chance(self, random: Random) -> None:
        """One of the acts that one of the appeals allows; few are taken back."""
        which = random.randrange(len(self.appeals))
        possible = {*ACTS, *GIVEN}.intersection(
            map(Action, allowed((await self._now(which)).status))
        )
        if random.random() < 0.9:
            possible -= {Action.WITHDRAW}
        await self.acted(which, random.choice(sorted(possible)), random.randrange(2))

    async def _now(self, which: int) -> Appeal:
        """As it is: another life may have acted on it meanwhile."""
        inspector = KISHI.principal(Role.INSPECTOR)
        return await self.house.queries.appeal(inspector, self.appeals[which].number)

    async def ticked(self, what: str) -> None:
        if what == "clocks":
            await Clocks(self.house).act(KISHI.id)
        elif what == "sweep":
            await self.house.housekeeping.clear_desks()
        else:
            await self.house.statistics.add_up()
        self.done[what] += 1

    async def step(self, step: tuple[Any, ...]) -> None:
        if isinstance(step[0], str):
            await (self.born(*step) if step[0] in BIRTHS else self.ticked(*step))
        elif self.appeals:
            await self.acted(*step)


async def a_town(house: House, seed: int, steps: int) -> Life:
    """A life that is long enough for every set of organisations to hold something."""
    random, life = Random(seed), Life(house)
    for how in BIRTHS:
        await life.step((how,))
    for _ in range(steps):
        await life.chance(random)
    return life
