"""Rules that can never win: whatever the appeal, another one is asked before and takes it."""

from collections.abc import Iterator
from itertools import chain
from uuid import UUID

from domain.organisations.findings import Finding, Lack
from domain.organisations.survey import MOST_NAMED, Kin, Standing, Survey, asked


def shadows(seen: Survey) -> Iterator[Finding]:
    """Rules that can never win, with those that always go first.

    Only rules without an end stand in the way for good. A rule over the whole city that nothing
    but more specific selectors hide is a net for services to come, and no mistake.
    """
    reached: set[UUID] = set()
    losing: set[UUID] = set()
    for kin in seen.kins:
        left = seen.terrain.everywhere
        for each in asked(seen.book, kin):
            if each.places & left:
                reached.add(each.rule.id)
                left &= ~each.places if _lasts(each) else -1
            elif each.places:
                losing.add(each.rule.id)
    for each in chain.from_iterable(seen.book.values()):
        if each.rule.id in losing and each.rule.id not in reached:
            yield from _shadowed(seen, each)


def _shadowed(seen: Survey, loser: Standing) -> Iterator[Finding]:
    kins = [kin for kin in seen.kins if loser.rule.selector in kin.wanted]
    winners = {each.rule.id: each.rule for kin in kins for each in _winners(seen, kin, loser)}
    alike = any(rule.selector == loser.rule.selector for rule in winners.values())
    before = list(winners)
    if loser.places == seen.terrain.everywhere and not alike:
        return
    rules = (loser.rule.id, *before[:MOST_NAMED])
    yield Finding(
        Lack.SHADOWED_RULE,
        ("responsibility", str(loser.rule.id)),
        services=tuple(code for kin in kins for code in kin.services),
        rules=rules,
        organisations=(loser.rule.organisation,),
        districts=seen.terrain.districts(loser.places),
        facts={"selector": loser.rule.selector, "count": len(before)},
    )


def _winners(seen: Survey, kin: Kin, loser: Standing) -> Iterator[Standing]:
    """The rules that take every place of the loser before it is asked."""
    left = loser.places
    for each in asked(seen.book, kin):
        if each is loser or not left:
            return
        if _lasts(each) and each.places & left:
            left &= ~each.places
            yield each


def _lasts(each: Standing) -> bool:
    return each.calendar is None and each.rule.valid_to is None
