"""Lots whose share holds in every run, however short.

Drawn each for itself, a share of 0.05 is missed by one run of sixty in twenty; a test that waits
for what was drawn would fail as often.
"""

import random
from collections.abc import Callable


class Lots:
    """Of each 1/share lots of one name one is drawn, at a place that nobody can tell."""

    def __init__(self, share: Callable[[str], float]) -> None:
        self._share = share
        self._chance = random.Random(1)
        self._passed: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def begin(self, seed: int) -> None:
        """Everything from the start."""
        self._chance.seed(seed)
        self._passed.clear()
        self._next.clear()

    def drawn(self, what: str) -> bool:
        """Whether the next lot of this name is drawn. The line of all lots, each as long as its
        share, has a point in every unit of it; a lot on which one lies is drawn.
        """
        share = self._share(what)
        if share <= 0:
            return False
        passed = self._passed.get(what, 0.0) + share
        point = self._next.get(what)
        if point is None:
            point = self._chance.random()
        hit = point < passed
        if hit:
            # The next unit's; where this lot covers it too, the lot after this meets it.
            point = int(point) + 1 + self._chance.random()
        self._passed[what], self._next[what] = passed, point
        return hit
