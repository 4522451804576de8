"""The rules of routing by selector and by step of a place, each ready to be judged."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.organisations.model import (
    Organisation,
    OrganisationKind,
    Responsibility,
    Territory,
    TerritoryKind,
)

IsWorking = Callable[[str, datetime], bool]
"""Whether the calendar with this code is in its working hours at this moment."""

Step = tuple[TerritoryKind, object]
"""One rung of a place: a kind of territory and which one of that kind."""

CITY_STEP: Step = (TerritoryKind.CITY, None)
EVERYTHING = "*"
"""The selector of whoever takes what no other rule gives to anybody."""


class Verdict(StrEnum):
    """What became of one rule, or why it was not asked at all."""

    CHOSEN = "chosen"
    CHOSEN_FALLBACK = "chosen-fallback"
    EXPIRED = "expired"
    INACTIVE = "inactive-organisation"
    OUTSIDE_HOURS = "outside-hours"
    OUTRANKED = "outranked"
    NOT_ASKED = "not-asked"
    OTHER_TERRITORY = "other-territory"
    OTHER_SERVICE = "other-service"


@dataclass(frozen=True, slots=True)
class Rule:
    """A responsibility with what its organisations are now; `fallback` only if it may act."""

    responsibility: Responsibility
    active: bool
    fallback: UUID | None

    @property
    def order(self) -> tuple[int, UUID]:
        return self.responsibility.priority, self.responsibility.id

    def judge(self, day: date, at: datetime, is_working: IsWorking) -> Verdict:
        """What the rule says on this day of the city, at this moment."""
        if not self.responsibility.in_force(day):
            return Verdict.EXPIRED
        if not self.active:
            return Verdict.INACTIVE
        calendar = self.responsibility.calendar
        if calendar is None or is_working(calendar, at):
            return Verdict.CHOSEN
        return Verdict.OUTSIDE_HOURS if self.fallback is None else Verdict.CHOSEN_FALLBACK


Rules = tuple[Rule, ...]
RuleBook = dict[str, dict[Step, Rules]]
"""The rules of each selector by step, those of a step in the order of priority and id."""


def selectors(
    service_code: str, category: str, sphere: str, responsible_kind: OrganisationKind | str
) -> tuple[str, ...]:
    """The selectors that match a service, the most specific first."""
    kind = f"kind:{responsible_kind}"
    return (
        service_code,
        f"{category}+{kind}",
        category,
        f"{sphere}+{kind}",
        sphere,
        kind,
        EVERYTHING,
    )


def rule_book(
    organisations: Iterable[Organisation],
    territories: Mapping[UUID, Territory],
    responsibilities: Iterable[Responsibility],
) -> RuleBook:
    """All rules; one whose organisation or territory is not among the given is left out."""
    active = {each.id: each.active for each in organisations}
    rules: dict[str, dict[Step, list[Rule]]] = defaultdict(lambda: defaultdict(list))
    for each in sorted(responsibilities, key=lambda rule: (rule.priority, rule.id)):
        territory = territories.get(each.territory)
        if territory is None or each.organisation not in active:
            continue
        fallback = each.fallback if each.fallback and active.get(each.fallback) else None
        rule = Rule(each, active[each.organisation], fallback)
        for step in steps_of(territory):
            rules[each.selector][step].append(rule)
    return {
        selector: {step: tuple(found) for step, found in steps.items()}
        for selector, steps in rules.items()
    }


def of_polygons(rules: Mapping[Step, Rules], polygons: tuple[UUID, ...]) -> list[Rule]:
    """Polygons may overlap: their rules compete by priority, not by polygon."""
    found = [rule for each in polygons for rule in rules.get((TerritoryKind.POLYGON, each), ())]
    return sorted(found, key=lambda rule: rule.order) if len(found) > 1 else found


def steps_of(territory: Territory) -> list[Step]:
    """The steps of places that lead into a territory."""
    kind = territory.kind
    if kind is TerritoryKind.BUILDINGS:
        return [(kind, building) for building in territory.buildings]
    keys: dict[TerritoryKind, object] = {
        TerritoryKind.CITY: None,
        TerritoryKind.DISTRICT: territory.district,
        TerritoryKind.STREET: territory.street,
        TerritoryKind.POLYGON: territory.id,
    }
    return [(kind, keys[kind])]
