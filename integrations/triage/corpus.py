"""The phrases that triage learns from and is measured on, read from files."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import yaml
from rapidfuzz import fuzz, process

from domain.catalogue.letters import folded, words
from domain.catalogue.model import Catalogue
from domain.triage.model import Danger

LABELLED, SPOKEN = "kzgov.csv", "spoken.yaml"
DANGERS = "dangers.yaml"
ASKED = {"operators": "operators.csv", "alarms": "alarms.csv", "unheard": "unheard.csv"}
"""Files to measure with, by the name that their figures have; nothing trains on them."""

ALIKE = 80
"""Texts that are so like each other (of 100, words in any order) say one thing twice."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the services that are right for it, the likeliest first.

    `speech`: kk, ru, en, mixed or typo. `weight` is less for what is said many times over.
    `group` is shared by the near-duplicates of a text and by its other language, so that a
    fold takes all of them or none.
    """

    text: str
    services: tuple[str, ...]
    speech: str
    weight: float = 1.0
    group: int = -1


def of_catalogue(catalogue: Catalogue) -> list[Example]:
    """Names and keywords in every language."""
    return [
        Example(text, (service.code,), language)
        for service in catalogue.services
        for language in sorted({*service.names, *service.keywords})
        for text in (service.names.get(language, ""), *service.keywords.get(language, ()))
        if text
    ]


def read_spoken(folder: Path) -> list[Example]:
    """Phrases of `spoken.yaml`: code → language → texts. Empty where there is no such file."""
    path = folder / SPOKEN
    if not path.exists():
        return []
    read: Mapping[str, Mapping[str, Sequence[str]]] = yaml.safe_load(path.read_text("utf-8"))
    return [
        Example(text, (code,), language)
        for code, by_language in read.items()
        for language, texts in by_language.items()
        for text in texts
    ]


def read_labelled(folder: Path) -> list[Example]:
    """Pairs of `kzgov.csv` (service, kk, ru), near-duplicates grouped and weighed down."""
    rows = list(_rows(folder / LABELLED))
    groups = grouped([(row["kk"], row["ru"]) for row in rows])
    sizes = {group: groups.count(group) for group in groups}
    return [
        Example(row[language], (row["service"],), language, sizes[group] ** -0.5, group)
        for row, group in zip(rows, groups, strict=True)
        for language in ("kk", "ru")
    ]


def read_asked(path: Path) -> list[Example]:
    """Phrases of a file of `ASKED` (speech, services, text)."""
    return [
        Example(row["text"], tuple(row["services"].split()), row["speech"]) for row in _rows(path)
    ]


def read_dangers(folder: Path) -> tuple[Danger, ...]:
    """Lines of `dangers.yaml`: code → lines → groups of beginnings of words."""
    path = folder / DANGERS
    if not path.exists():
        return ()
    read: Mapping[str, Sequence[Sequence[Sequence[str]]]] = yaml.safe_load(path.read_text("utf-8"))
    return tuple(
        Danger(code, tuple(tuple(folded(stem) for stem in group) for group in line))
        for code, lines in read.items()
        for line in lines
    )


def known(examples: Iterable[Example], catalogue: Catalogue) -> list[Example]:
    """Those whose service the catalogue has."""
    return [one for one in examples if one.services[0] in catalogue]


def grouped(pairs: Sequence[tuple[str, ...]]) -> list[int]:
    """The group of each pair: pairs with near-duplicates in either language share one."""
    parents = list(range(len(pairs)))

    def root(number: int) -> int:
        while parents[number] != number:
            number = parents[number]
        return number

    for texts in zip(*pairs, strict=True):
        told = [" ".join(word for word in words(text) if not word.isdigit()) for text in texts]
        likeness = process.cdist(told, told, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE)
        for one, other in zip(*likeness.nonzero(), strict=True):
            low, high = sorted((root(int(one)), root(int(other))))
            parents[high] = low
    return [root(number) for number in range(len(pairs))]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        yield from csv.DictReader(StringIO(path.read_text("utf-8")))
