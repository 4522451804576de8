"""Findings and rules in the reader's language, for the API and the command line alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.routing_texts import EVERYTHING, HOUSES, MEND, WHAT
from domain.organisations.findings import Area, AreaKind, Finding, Lack
from domain.reference import Reference
from domain.values import LocalizedText, in_language

SHOWN = 3
"""Names that a sentence takes; how many there are, it says by number."""


@dataclass(frozen=True, slots=True)
class Words:
    """One finding as a reader meets it."""

    subject: str
    area: str
    what: str
    mend: str


def describe(finding: Finding, reference: Reference, language: str) -> Words:
    """The finding in words."""
    speaker = _Speaker(reference, language)
    subject, area = speaker.subject(*finding.subject), speaker.area(finding.area)
    others = finding.rules[1:] if finding.subject[0] == "responsibility" else finding.rules
    facts: dict[str, object] = {
        "count": 0, "calendar": "", "selector": "", "value": "", "day": "",
        **speaker.places(finding),
        **finding.facts,
        "subject": subject,
        "area": area,
        "services": _some(finding.services),
        "rules": _some([speaker.rule(each) for each in others]),
        "organisations": " → ".join(speaker.organisation(each) for each in finding.organisations),
    }  # fmt: skip
    what, mend = WHAT[finding.lack], MEND[finding.lack]
    return Words(
        subject, area,
        in_language(what, language).format_map(facts),
        in_language(mend, language).format_map(facts),
    )  # fmt: skip


def rule_words(rule: UUID, reference: Reference, language: str) -> str:
    """A rule as 'selector · territory · organisation'; its id where it stands no more."""
    return _Speaker(reference, language).rule(rule)


@dataclass(frozen=True, slots=True)
class _Speaker:
    reference: Reference
    language: str

    def subject(self, kind: str, code: str) -> str:
        """The name of what is to be mended."""
        if kind == "responsibility":
            return self.rule(UUID(code))
        if kind == "sphere" and not code:
            return self._in(EVERYTHING)
        names = self._names(kind).get(code)
        return self._in(names) if names else code

    def places(self, finding: Finding) -> dict[str, object]:
        """The streets or districts of a gap that has no houses, and selectors nobody answers."""
        match finding.lack:
            case Lack.UNUSED_SELECTOR:
                return {"selector": _some(_codes(finding.facts["selectors"]))}
            case Lack.UNCOVERED_STREET:
                names, codes = self._names("street"), _codes(finding.facts["streets"])
            case Lack.UNCOVERED_GROUND:
                names, codes = self._names("district"), finding.districts
            case _:
                return {}
        return {"value": _some([self._in(names[code]) for code in codes])}

    def organisation(self, id: UUID) -> str:
        firm = self.reference.organisations.get(id)
        return self._in(firm.names) if firm else str(id)

    def rule(self, id: UUID) -> str:
        rule = self.reference.routing.responsibilities.get(id)
        if rule is None:
            return str(id)
        territory = self.reference.routing.territories.get(rule.territory)
        where = self._in(territory.names) if territory else str(rule.territory)
        return f"{rule.selector} · {where} · {self.organisation(rule.organisation)}"

    def area(self, area: Area | None) -> str:
        if area is None:
            return ""
        if area.kind is AreaKind.CITY:
            return self._in(self.reference.city.names)
        if names := self._names(area.kind).get(area.code):
            return self._in(names)
        districts = [self._in(self.reference.districts[each].names) for each in area.districts]
        return self._in(HOUSES).format(
            count=len(area.buildings),
            districts=_some(districts) or "?",
            examples="; ".join(map(self.house, area.buildings[:SHOWN])),
        )

    def house(self, id: UUID) -> str:
        house = self.reference.buildings[id]
        street = self.reference.streets.get(house.street)
        return f"{self._in(street.names) if street else house.street}, {house.number}"

    def _names(self, kind: str) -> dict[str, LocalizedText]:
        """The names of everything of a kind, by code."""
        reference = self.reference
        match kind:
            case "sphere":
                return {each.code: each.names for each in reference.catalogue.spheres}
            case "organisation":
                return {each.code: each.names for each in reference.organisations.values()}
            case "territory":
                return {each.code: each.names for each in reference.routing.territories.values()}
            case "district":
                return {each.code: each.names for each in reference.districts.values()}
            case "street":
                return {each.code: each.names for each in reference.streets.values()}
        return {}

    def _in(self, names: LocalizedText) -> str:
        return in_language(names, self.language)


def _codes(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _some(listed: Sequence[str]) -> str:
    more = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" +{more}" if more > 0 else "")
