"""Who stands under whom in each city, for everybody in a process who asks."""

from collections.abc import Mapping
from uuid import UUID

from domain.organisations.model import Organisation
from domain.organisations.tree import OrganisationTree
from domain.ports import References


class Trees:
    """The tree of each city, made again only where its organisations changed."""

    __slots__ = ("_made", "_references")

    def __init__(self, references: References) -> None:
        self._references = references
        self._made: dict[UUID, _Made] = {}

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
