"""What a trial found, as plain data: the changed first, every code by its name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from domain.trials.draft import Trial
from domain.trials.laws import changed
from domain.trials.slices import STAGES, Codebook
from domain.trials.tally import CHANGED, DRAFT, LATE, OUTCOMES, SAVED, THEN, Key, Some, Tally

Ints = NDArray[np.int64]


class Side(TypedDict):
    """Promises of one side. `median` and `p90`: per cent of its time that a met promise used."""

    clocks: int
    kept: int
    breached: int
    open: int
    cancelled: int
    median: int | None
    p90: int | None


class Line(TypedDict):
    """Promises then and under the draft; what a line is about stands in `service`, `stage` and
    the policies, None where it is about all of them or there was none."""

    service: str | None
    stage: str | None
    policy_then: str | None
    policy_draft: str | None
    then: Side
    draft: Side
    changed: int
    newly_late: int
    newly_kept: int


class Load(TypedDict):
    """Appeals that the rules gave an executor; None is the inspectors' queue."""

    organisation: str | None
    then: int
    draft: int


Move = TypedDict(
    "Move",
    {"from": str | None, "to": str | None, "reason": str, "appeals": int, "examples": list[str]},
)
"""Appeals that would have gone elsewhere, with the draft's reason and some numbers."""


class Found(TypedDict):
    """How many appeals, and the numbers of a few."""

    appeals: int
    examples: list[str]


class ServiceChange(TypedDict):
    """What the draft says anew of a service: field, before, after; and how many appeals it had."""

    service: str
    change: str
    before: str | None
    after: str | None
    appeals: int


class Misfit(TypedDict):
    """Appeals whose answers the service's drafted form would refuse."""

    service: str
    appeals: int
    examples: list[str]


class Drafted(TypedDict):
    """Which parts of the draft differ from what is in force; of the law its kinds and parts."""

    policies: list[str]
    calendars: list[str]
    channels: list[str]
    law: list[str]
    services: list[ServiceChange]
    routing: bool


class Check(TypedDict):
    """Clocks that the same arithmetic, given the rules they ran by, finds as they are stored."""

    alike: int
    unlike: int
    examples: list[str]


class Report(TypedDict):
    """The whole of it."""

    appeals: int
    replayed: int
    draft: Drafted
    check: Check
    total: Line
    stages: list[Line]
    policies: list[Line]
    services: list[Line]
    newly_late: Found
    newly_kept: Found
    executors: list[Load]
    moves: list[Move]
    misfits: list[Misfit]


Numbers = Mapping[bytes, str]
"""Registration numbers by id."""


def examples(tally: Tally) -> frozenset[bytes]:
    """The ids whose numbers a report shows."""
    groups: Iterable[Some] = (
        tally.late, tally.saved, tally.unlike, *tally.moves.values(), *tally.misfits.values()
    )  # fmt: skip
    return frozenset(id for some in groups for id in some.examples)


def report(tally: Tally, trial: Trial, codes: Codebook, numbers: Numbers) -> Report:
    """The report of a finished tally."""
    lines = _Lines(tally, codes)
    return {
        "appeals": tally.appeals,
        "replayed": tally.replayed,
        "draft": _drafted(trial, tally, codes),
        "check": {
            "alike": tally.alike,
            "unlike": tally.unlike.count,
            "examples": _shown(tally.unlike, numbers),
        },
        "total": lines.grouped(lambda key: ())[0],
        "stages": lines.grouped(lambda key: ("stage",)),
        "policies": lines.grouped(lambda key: ("stage", "policy_then", "policy_draft")),
        "services": lines.grouped(lambda key: _NAMES),
        "newly_late": _found(tally.late, numbers),
        "newly_kept": _found(tally.saved, numbers),
        "executors": _load(tally, trial, codes),
        "moves": _moves(tally, trial, codes, numbers),
        "misfits": [
            {
                "service": codes.services[service - 1],
                "appeals": some.count,
                "examples": _shown(some, numbers),
            }
            for service, some in sorted(tally.misfits.items(), key=lambda each: -each[1].count)
        ],
    }


_NAMES = ("service", "stage", "policy_then", "policy_draft")


class _Lines:
    """The promises of a tally, grouped by any of their names."""

    def __init__(self, tally: Tally, codes: Codebook) -> None:
        self._promised, self._codes = tally.promised, codes

    def grouped(self, names: Callable[[Key], Sequence[str]]) -> list[Line]:
        """One line for each group, the most changed first; at least one."""
        groups: dict[tuple[int | None, ...], list[int]] = {}
        for key, row in self._promised.rows.items():
            wanted = names(key)
            name = tuple(
                each if _NAMES[place] in wanted else None for place, each in enumerate(key)
            )
            groups.setdefault(name, []).append(row)
        if not groups:
            groups[None, None, None, None] = []
        found = [self._line(name, rows) for name, rows in groups.items()]
        return sorted(found, key=_order)

    def _line(self, name: tuple[int | None, ...], rows: list[int]) -> Line:
        counts: Ints = self._promised.counts[rows].sum(axis=0, initial=0)
        uses: Ints = self._promised.uses[rows].sum(axis=0, dtype=np.int64)
        service, stage, then, draft = name
        return {
            "service": _code(self._codes.services, service),
            "stage": None if stage is None else str(STAGES[stage]),
            "policy_then": _code(self._codes.policies, then),
            "policy_draft": _code(self._codes.policies, draft),
            "then": _side(counts[THEN : THEN + len(OUTCOMES)], uses[0]),
            "draft": _side(counts[DRAFT : DRAFT + len(OUTCOMES)], uses[1]),
            "changed": int(counts[CHANGED]),
            "newly_late": int(counts[LATE]),
            "newly_kept": int(counts[SAVED]),
        }


def _order(line: Line) -> tuple[object, ...]:
    shift = abs(line["draft"]["breached"] - line["then"]["breached"])
    clocks = max(line["then"]["clocks"], line["draft"]["clocks"])
    name = tuple(str(line[part]) for part in ("service", "stage", "policy_then", "policy_draft"))
    return -shift, -line["changed"], -clocks, *name


def _side(outcomes: Ints, uses: Ints) -> Side:
    kept, breached, running, cancelled = (int(count) for count in outcomes)
    return {
        "clocks": kept + breached + running + cancelled,
        "kept": kept,
        "breached": breached,
        "open": running,
        "cancelled": cancelled,
        "median": _quantile(uses, 50),
        "p90": _quantile(uses, 90),
    }


def _quantile(uses: Ints, per_cent: int) -> int | None:
    """The least use that so many per cent of the promises did not go beyond."""
    total = int(uses.sum())
    if not total:
        return None
    return int(np.searchsorted(np.cumsum(uses), -(-total * per_cent // 100)))


def _code(codes: Sequence[str], ordinal: int | None) -> str | None:
    return codes[ordinal - 1] if ordinal else None


def _shown(some: Some, numbers: Numbers) -> list[str]:
    return [numbers[id] for id in some.examples if id in numbers]


def _found(some: Some, numbers: Numbers) -> Found:
    return {"appeals": some.count, "examples": _shown(some, numbers)}


def _organisation(ordinal: int, trial: Trial, codes: Codebook) -> str | None:
    if not ordinal:
        return None
    id = codes.organisations[ordinal - 1]
    known = trial.drafted.organisations.get(id) or trial.now.organisations[id]
    return known.code


def _load(tally: Tally, trial: Trial, codes: Codebook) -> list[Load]:
    found: list[Load] = [
        {
            "organisation": _organisation(executor, trial, codes),
            "then": tally.load_then[executor],
            "draft": tally.load_draft[executor],
        }
        for executor in {*tally.load_then, *tally.load_draft}
    ]
    return sorted(
        found,
        key=lambda each: (
            -abs(each["draft"] - each["then"]), -each["then"], each["organisation"] or "",
        ),
    )  # fmt: skip


def _moves(tally: Tally, trial: Trial, codes: Codebook, numbers: Numbers) -> list[Move]:
    found: list[Move] = [
        {
            "from": _organisation(before, trial, codes),
            "to": _organisation(after, trial, codes),
            "reason": reason,
            "appeals": some.count,
            "examples": _shown(some, numbers),
        }
        for (before, after, reason), some in tally.moves.items()
    ]
    return sorted(found, key=lambda each: (-each["appeals"], each["from"] or "", each["to"] or ""))


def _drafted(trial: Trial, tally: Tally, codes: Codebook) -> Drafted:
    now, drafted = trial.now.promises, trial.drafted.promises
    channels = {**now.by_channel, **drafted.by_channel}
    return {
        "policies": sorted(code for code, _ in drafted.policies.keys() - now.policies.keys()),
        "calendars": sorted(code for code, _ in drafted.calendars.keys() - now.calendars.keys()),
        "channels": sorted(
            each for each in channels if now.by_channel.get(each) != drafted.by_channel.get(each)
        ),
        "law": changed(now, drafted),
        "services": _service_changes(trial, tally, codes),
        "routing": trial.rerouted,
    }


def _service_changes(trial: Trial, tally: Tally, codes: Codebook) -> list[ServiceChange]:
    if trial.changes is None:
        return []
    counted = {code: tally.services[number] for number, code in enumerate(codes.services, 1)}
    found: list[ServiceChange] = []

    def note(service: str, change: str, before: object = None, after: object = None) -> None:
        found.append(
            {
                "service": service,
                "change": change,
                "before": None if before is None else str(before),
                "after": None if after is None else str(after),
                "appeals": counted.get(service, 0),
            }
        )

    for service in trial.changes.added:
        note(service.code, "added")
    for service in trial.changes.ended:
        note(service.code, "ended")
    for service in trial.changes.changed:
        former = trial.now.catalogue.service(service.code)
        for name in ("policy", "criticality", "category", "responsible"):
            if getattr(former, name) != getattr(service, name):
                note(service.code, name, getattr(former, name), getattr(service, name))
        for name in ("form", "evidence"):
            if getattr(former, name) != getattr(service, name):
                note(service.code, name)
    return sorted(found, key=lambda each: (-each["appeals"], each["service"], each["change"]))
