"""What the routing leans on and is not there: executors, calendars, services, territories."""

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from domain.catalogue.model import Catalogue
from domain.organisations.findings import Area, AreaKind, Finding, Lack
from domain.organisations.model import Organisation, Responsibility, TerritoryKind
from domain.organisations.survey import MOST_NAMED, Survey

_REACHED_BY = ("phone", "email")


def executors(seen: Survey) -> Iterator[Finding]:
    """Organisations that rules name and that cannot act, or cannot be reached."""
    acting, heirs = _named(seen)
    for id in acting.keys() | heirs.keys():
        if (firm := seen.reference.organisations.get(id)) is None:
            continue
        if not firm.active:
            if id in acting:
                yield _of_firm(Lack.SUSPENDED_EXECUTOR, firm, acting[id])
            if id in heirs:
                yield _of_firm(Lack.SUSPENDED_FALLBACK, firm, heirs[id])
            continue
        rules = [*acting.get(id, ()), *heirs.get(id, ())]
        if not any(firm.contacts.get(channel) for channel in _REACHED_BY):
            yield _of_firm(Lack.NO_CONTACT, firm, rules)
        if not firm.calendar:
            yield _of_firm(Lack.NO_CALENDAR, firm, rules)
        yield from _closed_heir(seen, firm, heirs.get(id, []))


def calendars(seen: Survey) -> Iterator[Finding]:
    """Calendars that rules or executors name and that the city lacks, or in which nobody works."""
    rules: dict[str, list[UUID]] = defaultdict(list)
    firms: dict[str, list[UUID]] = defaultdict(list)
    for rule in _in_force(seen):
        if rule.calendar is not None:
            rules[rule.calendar].append(rule.id)
    acting, heirs = _named(seen)
    for id in sorted(acting.keys() | heirs.keys()):
        firm = seen.reference.organisations.get(id)
        if firm is not None and firm.active and firm.calendar:
            firms[firm.calendar].append(id)
    for code in sorted(rules.keys() | firms.keys()):
        if not seen.closing.knows(code):
            lack = Lack.UNKNOWN_CALENDAR
        elif not seen.closing.ever_open(code):
            lack = Lack.NO_HOURS
        else:
            continue
        yield Finding(
            lack, ("calendar", code), rules=tuple(rules[code]), organisations=tuple(firms[code]),
            facts={"calendar": code, "count": len(rules[code]) + len(firms[code])},
        )  # fmt: skip


def names(seen: Survey) -> Iterator[Finding]:
    """Rules that are over, or name an organisation or a territory that is not there."""
    firms, areas = seen.reference.organisations, seen.reference.routing.territories
    for rule in seen.reference.routing.responsibilities.values():
        if rule.valid_to is not None and rule.valid_to <= seen.day:
            day = rule.valid_to.isoformat()
            yield _of_rule(Lack.EXPIRED_RULE, rule, day=day)
            continue
        for named in (rule.organisation, rule.fallback):
            if named is not None and named not in firms:
                yield _of_rule(Lack.UNKNOWN_ORGANISATION, rule, value=str(named))
        if rule.territory not in areas:
            yield _of_rule(Lack.UNKNOWN_TERRITORY, rule, value=str(rule.territory))


def services(seen: Survey) -> Iterator[Finding]:
    """Selectors that no service of the catalogue answers to."""
    catalogue = seen.reference.catalogue
    codes = {each.code for each in catalogue.spheres} | {each.code for each in catalogue.categories}
    answered = {selector for kin in seen.kins for selector in kin.wanted}
    lost: dict[tuple[Lack, str], dict[str, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    for rule in _in_force(seen):
        if rule.selector not in answered:
            key = _unanswered(rule.selector, codes, catalogue)
            lost[key][rule.selector].append(rule.id)
    for (lack, subject), by_selector in sorted(lost.items()):
        rules = tuple(id for found in by_selector.values() for id in found)
        yield Finding(
            lack, ("sphere" if lack is Lack.UNUSED_SELECTOR else "selector", subject),
            services=(subject,) if lack is Lack.CLOSED_SERVICE else (),
            rules=rules[:MOST_NAMED],
            facts={"selectors": tuple(sorted(by_selector)), "count": len(rules)},
        )  # fmt: skip


def _unanswered(selector: str, codes: set[str], catalogue: Catalogue) -> tuple[Lack, str]:
    """Why no service answers to a selector, and what to name: alike ones stand together."""
    if selector in catalogue:
        return Lack.CLOSED_SERVICE, selector
    code = selector.partition("+")[0]
    if code in codes or code in catalogue:
        return Lack.UNUSED_SELECTOR, code.partition(".")[0]
    if code == "*" or code.startswith("kind:"):
        return Lack.UNUSED_SELECTOR, ""
    return Lack.UNKNOWN_SERVICE, code


def territories(seen: Survey) -> Iterator[Finding]:
    """Territories of rules that hold no house, or name houses that are not there."""
    reference, terrain = seen.reference, seen.terrain
    using: dict[UUID, list[UUID]] = defaultdict(list)
    for rule in _in_force(seen):
        using[rule.territory].append(rule.id)
    for each in reference.routing.territories.values():
        subject = ("territory", each.code)
        missing = sum(house not in reference.buildings for house in each.buildings)
        rules = tuple(using.get(each.id, ()))
        if missing and each.kind is TerritoryKind.BUILDINGS:
            yield Finding(Lack.UNKNOWN_BUILDING, subject, rules=rules,
                          facts={"count": missing})  # fmt: skip
        if rules and reference.buildings and not terrain.of(each) & terrain.buildings:
            yield Finding(Lack.EMPTY_TERRITORY, subject, rules=rules, facts={"count": len(rules)})


def addresses(seen: Survey) -> Iterator[Finding]:
    """Houses whose district the city does not have: no rule of a district reaches them."""
    lost: dict[str, list[UUID]] = defaultdict(list)
    for house in seen.reference.buildings.values():
        if house.district not in seen.reference.districts:
            lost[house.district].append(house.id)
    for district, houses in sorted(lost.items()):
        yield Finding(
            Lack.BUILDING_WITHOUT_DISTRICT, ("district", district),
            area=Area(AreaKind.BUILDINGS, "", (), tuple(houses)),
            facts={"value": district, "count": len(houses)},
        )  # fmt: skip


def _in_force(seen: Survey) -> Iterator[Responsibility]:
    for rule in seen.reference.routing.responsibilities.values():
        if rule.in_force(seen.day):
            yield rule


Named = dict[UUID, list[Responsibility]]


def _named(seen: Survey) -> tuple[Named, Named]:
    """The rules in force by the organisation that acts, and by the one that takes over."""
    acting: Named = defaultdict(list)
    heirs: Named = defaultdict(list)
    for rule in _in_force(seen):
        acting[rule.organisation].append(rule)
        if rule.fallback is not None and rule.calendar is not None:
            heirs[rule.fallback].append(rule)
    return acting, heirs


def _closed_heir(
    seen: Survey, firm: Organisation, rules: list[Responsibility]
) -> Iterator[Finding]:
    """An executor that takes over when others are closed, and is closed then itself."""
    if not firm.calendar or not seen.closing.knows(firm.calendar):
        return
    left = [
        rule
        for rule in rules
        if rule.calendar and seen.closing.together({rule.calendar, firm.calendar})
    ]
    if left:
        yield _of_firm(Lack.FALLBACK_CLOSED, firm, left)


def _of_firm(lack: Lack, firm: Organisation, rules: list[Responsibility]) -> Finding:
    return Finding(
        lack, ("organisation", firm.code),
        rules=tuple(dict.fromkeys(rule.id for rule in rules)),
        organisations=(firm.id,),
        districts=(firm.district,) if firm.district else (),
        facts={"count": len(rules), "calendar": firm.calendar},
    )  # fmt: skip


def _of_rule(lack: Lack, rule: Responsibility, **facts: object) -> Finding:
    return Finding(
        lack, ("responsibility", str(rule.id)), rules=(rule.id,),
        organisations=(rule.organisation,), facts={"selector": rule.selector, **facts},
    )  # fmt: skip
