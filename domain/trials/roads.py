"""Where appeals would have gone: the rules of a draft asked at the hour of each registration."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.appeals.intake import find_route
from domain.appeals.model import Place
from domain.organisations.model import Responsibility
from domain.organisations.routing import Route
from domain.reference import Reference
from domain.sla.timeline import instant, micros
from domain.trials.count import Count
from domain.trials.slices import Columns
from domain.trials.tally import EXAMPLES, Some, Tally
from domain.values import Coordinates

_NONE = bytes(16)
_KEPT = 200_000
"""Roads remembered at once; then all are forgotten, for memory's sake."""
_MANY = 25
"""Calendars whose hours, twice, still fit into 64 bits beside the days."""
_ASKED = (
    "service", "building", "street", "district", "worded", "placed", "latitude", "longitude",
    "registered",
)  # fmt: skip

Way = tuple[bool, int, str]
"""Whether the draft changes the way, to whom (ordinal, 0 for nobody), and why."""


class Roads:
    """The ways of appeals under both states of a trial. `rules` are all that either has."""

    def __init__(self, count: Count, rules: Iterable[Responsibility]) -> None:
        self._count, self._trial = count, count.trial
        listed = list(rules)
        self._hours = sorted({rule.calendar for rule in listed if rule.calendar})
        self._turns = self._midnights(
            day for rule in listed for day in (rule.valid_from, rule.valid_to) if day
        )
        self._ways: dict[tuple[object, ...], Way] = {}

    def count(self, appeals: Columns, tally: Tally) -> None:
        """Count executors then and under the draft, and who would have gone elsewhere."""
        routed = appeals[appeals["routed"]]
        then = routed["executor"]
        draft = then.copy()
        if self._trial.rerouted:
            self._reroute(routed, draft, tally)
        for load, executors in ((tally.load_then, then), (tally.load_draft, draft)):
            for executor, count in zip(*np.unique(executors, return_counts=True), strict=True):
                load[int(executor)] += int(count)

    def _reroute(self, routed: Columns, draft: NDArray[Any], tally: Tally) -> None:
        states = self._states(routed["registered"]).tolist()
        rows = routed[list(_ASKED)].tolist()
        for place, (row, state) in enumerate(zip(rows, states, strict=True)):
            changed, executor, reason = self._way(row, state)
            if not changed or executor == draft[place]:
                continue
            move = int(draft[place]), executor, reason
            some = tally.moves.setdefault(move, Some())
            example = [bytes(routed["id"][place])] if len(some.examples) < EXAMPLES else []
            some.add(1, example)
            draft[place] = executor

    def _way(self, row: tuple[Any, ...], state: int) -> Way:
        # A known building says all that routing asks of a place.
        building = bytes(row[1])
        known = building != _NONE and UUID(bytes=building) in self._trial.now.buildings
        key = (row[0], building, state) if known else (*row[:-1], state)
        if (way := self._ways.get(key)) is None:
            if len(self._ways) >= _KEPT:
                self._ways.clear()
            way = self._ways[key] = self._ask(row)
        return way

    def _ask(self, row: tuple[Any, ...]) -> Way:
        if not row[0]:
            return False, 0, ""
        place, at = self._place(row), instant(row[-1])
        code = self._count.codes.services[row[0] - 1]
        before = _route(self._trial.now, code, place, at)
        after = _route(self._trial.drafted, code, place, at)
        if before is None or after is None or before.organisation == after.organisation:
            return False, 0, ""
        to = after.organisation
        return True, self._count.codes.organisation[to] if to else 0, str(after.reason)

    def _place(self, row: tuple[Any, ...]) -> Place:
        _, building, street, district, worded, placed, latitude, longitude, _ = row
        return Place(
            building=_id(building),
            street=_id(street),
            district=self._count.codes.districts[district - 1] if district else None,
            address="…" if worded else None,
            coordinates=Coordinates(latitude, longitude) if placed else None,
        )

    def _states(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """What hour and day mean for the rules: equal numbers, equal ways."""
        state = np.searchsorted(self._turns, at, "right")
        if len(self._hours) > _MANY:
            state = state.astype(object)
        for reference in (self._trial.now, self._trial.drafted):
            calendars: Mapping[str, Any] = {
                code: calendar for (code, _), calendar in reference.promises.calendars.items()
            }
            for code in self._hours:
                works = (
                    self._count.axis(calendars[code]).is_working(at)
                    if code in calendars
                    else np.zeros(len(at), np.bool_)
                )
                state = state * 2 + works
        return state

    def _midnights(self, days: Iterable[date]) -> NDArray[np.int64]:
        zone = self._trial.now.city.zone_info()
        starts = {micros(datetime.combine(day, time(), zone)) for day in days}
        return np.array(sorted(starts), np.int64)


def _id(value: bytes) -> UUID | None:
    return None if bytes(value) == _NONE else UUID(bytes=bytes(value))


def _route(reference: Reference, code: str, place: Place, at: datetime) -> Route | None:
    if code not in reference.catalogue:
        return None
    return find_route(reference.catalogue.service(code), place, reference, at)
