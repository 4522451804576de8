"""Who stands under whom in each city, and which district lies in which, for everybody in a process
who asks.
"""

from collections.abc import Mapping
from uuid import UUID

from domain.control.model import below
from domain.organisations.model import District, Organisation
from domain.organisations.tree import OrganisationTree
from domain.ports import References


class Trees:
    """The trees of each city, made again only where its organisations or its districts changed."""

    __slots__ = ("_lying", "_made", "_references")

    def __init__(self, references: References) -> None:
        self._references = references
        self._made: dict[UUID, _Made] = {}
        self._lying: dict[UUID, _Lying] = {}

    def standing(self, city: UUID) -> Mapping[UUID, Organisation]:
        """The city's organisations as they stand: the same object while they do.

        Raises Unavailable.
        """
        return self._references.of(city).organisations

    def below(self, city: UUID, organisation: UUID) -> frozenset[UUID]:
        """The organisation and everybody under it, itself alone where the city knows it no more;
        the same object while the organisations stand. Raises Unavailable, and Conflict where
        somebody wrote a circle into the register by hand: every way of ours refuses one.
        """
        organisations = self.standing(city)
        if organisation not in organisations:
            return frozenset({organisation})
        made = self._made.get(city)
        if made is None or made.organisations is not organisations:
            made = self._made[city] = _Made(organisations)
        return made.below(organisation)

    def districts(self, city: UUID) -> Mapping[str, District]:
        """The city's districts as they lie: the same object while they do. Raises Unavailable."""
        return self._references.of(city).districts

    def lying_in(self, city: UUID, district: str) -> frozenset[str]:
        """The district and all that lie in it, itself alone where the city knows it no more; the
        same object while the districts lie so. Raises Unavailable.
        """
        districts = self.districts(city)
        known = self._lying.get(city)
        if known is None or known.districts is not districts:
            known = self._lying[city] = _Lying(districts)
        return known.within(district)


class _Lying:
    """Which districts lie in which, and what was found of them."""

    __slots__ = ("_parents", "_within", "districts")

    def __init__(self, districts: Mapping[str, District]) -> None:
        self.districts = districts
        self._parents = {code: each.parent for code, each in districts.items()}
        self._within: dict[str, frozenset[str]] = {}

    def within(self, district: str) -> frozenset[str]:
        if district not in self.districts:
            return frozenset({district})
        found = self._within.get(district)
        if found is None:
            found = self._within[district] = below(district, self._parents)
        return found


class _Made:
    """One tree, and what was found in it: those who follow a queue ask at each event."""

    __slots__ = ("_below", "_tree", "organisations")

    def __init__(self, organisations: Mapping[UUID, Organisation]) -> None:
        self.organisations = organisations
        self._tree = OrganisationTree.of(organisations.values())
        self._below: dict[UUID, frozenset[UUID]] = {}

    def below(self, organisation: UUID) -> frozenset[UUID]:
        found = self._below.get(organisation)
        if found is None:
            found = self._below[organisation] = self._tree.subtree(organisation)
        return found
