"""The tree of organisations: who stands under whom."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from domain.errors import Conflict, NotFound
from domain.organisations.model import Organisation


@dataclass(frozen=True, slots=True)
class OrganisationTree:
    """Parents and children by id. Build with `OrganisationTree.of`."""

    parents: dict[UUID, UUID | None]
    children: dict[UUID, tuple[UUID, ...]]

    @classmethod
    def of(cls, organisations: Iterable[Organisation]) -> "OrganisationTree":
        """The tree of these organisations.

        Raises NotFound when a parent is missing, Conflict (`organisation-cycle`)
        when somebody stands above themselves.
        """
        parents = {each.id: each.parent for each in organisations}
        children: dict[UUID, list[UUID]] = defaultdict(list)
        for child, parent in parents.items():
            if parent is not None:
                children[parent].append(child)
        tree = cls(parents, {key: tuple(found) for key, found in children.items()})
        tree._refuse_cycles()
        return tree

    def ancestors(self, organisation: UUID) -> tuple[UUID, ...]:
        """Everybody above, the nearest first. Raises NotFound, Conflict."""
        return tuple(self._climb(organisation))

    def subtree(self, organisation: UUID) -> frozenset[UUID]:
        """The organisation and everybody below it. Raises NotFound."""
        self._require(organisation)
        found, waiting = {organisation}, [organisation]
        while waiting:
            below = self.children.get(waiting.pop(), ())
            found.update(below)
            waiting.extend(below)
        return frozenset(found)

    def check_move(self, organisation: UUID, parent: UUID | None) -> None:
        """Refuse (Conflict) a parent that stands below the organisation, or is it."""
        self._require(organisation)
        if parent is None:
            return
        if parent == organisation or organisation in self.ancestors(parent):
            raise Conflict(reason="organisation-cycle", organisation=organisation, parent=parent)

    def _climb(self, organisation: UUID) -> Iterator[UUID]:
        seen = {organisation}
        parent = self._require(organisation)
        while parent is not None:
            if parent in seen:
                raise Conflict(reason="organisation-cycle", organisation=organisation)
            seen.add(parent)
            yield parent
            parent = self._require(parent)

    def _require(self, organisation: UUID) -> UUID | None:
        try:
            return self.parents[organisation]
        except KeyError:
            raise NotFound(kind="organisation", id=organisation) from None

    def _refuse_cycles(self) -> None:
        # Nodes known to reach a root are not climbed again: linear in the whole tree.
        rooted: set[UUID] = set()
        for organisation in self.parents:
            path = [organisation]
            for above in self._climb(organisation):
                if above in rooted:
                    break
                path.append(above)
            rooted.update(path)


def subtree(organisations: Iterable[Organisation], organisation: UUID) -> frozenset[UUID]:
    """The organisation and everybody below it. Raises NotFound, Conflict."""
    return OrganisationTree.of(organisations).subtree(organisation)


def ancestors(organisations: Iterable[Organisation], organisation: UUID) -> tuple[UUID, ...]:
    """Everybody above the organisation, the nearest first. Raises NotFound, Conflict."""
    return OrganisationTree.of(organisations).ancestors(organisation)
