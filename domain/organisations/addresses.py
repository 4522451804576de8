"""Addresses as residents write and say them, found among the city's streets and buildings."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from uuid import UUID

from rapidfuzz import fuzz, process

from domain.organisations.model import Building, Street
from domain.organisations.spelling import Reading, fold, house_number, readings, stem, street_words

_REMEMBERED = 4096
"""Names of streets, as they were said."""
_ENOUGH = 74.0
"""A street spelled less alike than this (0–100) is another street."""
_CERTAIN = 100.0
"""The street's own name and a house of it: nothing can be likelier."""
_PART_OF_NAME = 0.93
_OTHER_KIND = 4.0
_NO_SUCH_HOUSE = 20.0
_FRACTION_AS_FLAT = 3.0
_NO_HOUSE_READ = 6.0
_BEGUN, _BY_LETTER, _MOST_BEGUN = 60.0, 3.0, 89.0
"""What a beginning is worth, and each letter of it: never as much as a name that was read."""


@dataclass(frozen=True, slots=True)
class Match:
    """One place that the text may mean.

    `building` None: only the street is certain. `score` 0–100; `number` is the house
    as read from the text, so that a house missing from the register is not lost.
    """

    building: UUID | None
    street: UUID
    score: float
    apartment: str | None
    number: str | None


class AddressIndex:
    """Streets under all their names in one spelling, with the houses of each."""

    __slots__ = (
        "_by_key", "_houses", "_keys", "_kinds", "_likened", "_names", "_prefixes", "_streets",
    )  # fmt: skip

    def __init__(self, streets: Iterable[Street], buildings: Iterable[Building]) -> None:
        self._streets = {each.id: each for each in streets}
        self._kinds: dict[UUID, frozenset[str]] = {}
        self._names: dict[UUID, tuple[tuple[str, ...], ...]] = {}
        by_key: dict[str, set[UUID]] = defaultdict(set)
        prefixes: set[tuple[str, str, UUID]] = set()
        for street in self._streets.values():
            read = [street_words(name) for name in (*street.names.values(), *street.aliases)]
            self._names[street.id] = tuple(dict.fromkeys(words for words, _ in read))
            self._kinds[street.id] = frozenset().union(*(kinds for _, kinds in read))
            for words in self._names[street.id]:
                by_key[_key(words)].add(street.id)
                prefixes.update((word, street.code, street.id) for word in words)
        self._by_key = {key: tuple(found) for key, found in by_key.items()}
        self._keys = list(self._by_key)
        self._prefixes = sorted(prefixes)
        self._houses = _houses(buildings)
        self._likened: dict[tuple[str, ...], Mapping[UUID, float]] = {}

    def search(self, text: str, limit: int = 5) -> tuple[Match, ...]:
        """The places that the text may mean, the likeliest first; empty when none is alike."""
        found: list[Match] = []
        for reading in readings(text):
            read = tuple(self._read(reading))
            if limit == 1 and (certain := [match for match in read if _is_certain(match)]):
                return self._ranked(certain, limit)
            found += read
        return self._ranked(_best(found), limit)

    def meant(self, text: str, at_least: float) -> Match | None:
        """The one place that the text must mean; None where none is so alike, or two are."""
        found: list[Match] = []
        for reading in readings(text):
            read = tuple(self._read(reading))
            if certain := [match for match in read if _is_certain(match)]:
                return certain[0] if len(certain) == 1 else None
            found += read
        best = self._ranked(_best(found), limit=2)
        if not best or best[0].score < at_least:
            return None
        return best[0] if len(best) == 1 or best[1].score < best[0].score else None

    def suggest(self, text: str, limit: int = 10) -> tuple[Match, ...]:
        """What the resident may be about to type: streets, or houses once a number began."""
        for reading in readings(text) or _bare(text):
            streets = self._starting_with(reading.words)
            found = [match for each in streets for match in self._begun(each, reading)]
            if found:
                return self._ranked(found, limit)
        return self.search(text, limit)

    def _read(self, reading: Reading) -> Iterator[Match]:
        for street, likeness in self._alike(reading.words).items():
            if not self._numbered_alike(street, reading.words):
                continue
            other_kind = reading.kinds and not reading.kinds & self._kinds[street]
            score = likeness - (_OTHER_KIND if other_kind else 0.0)
            if score >= _ENOUGH:
                yield self._house(street, score, reading)

    def _numbered_alike(self, street: UUID, words: tuple[str, ...]) -> bool:
        """Numbers in a name are never a typo: the 342nd block is not the 343rd."""
        numbers = {word for word in words if word[0].isdigit()}
        return not numbers or any(numbers.issubset(name) for name in self._names[street])

    def _alike(self, words: tuple[str, ...]) -> Mapping[UUID, float]:
        """How alike each street is that is alike enough. The same streets are said all day, and a
        misspelt one is held against every name.
        """
        found = self._likened.get(words)
        if found is None:
            if len(self._likened) >= _REMEMBERED:
                self._likened.clear()
            found = self._likened[words] = self._liken(words)
        return found

    def _liken(self, words: tuple[str, ...]) -> Mapping[UUID, float]:
        asked = _key(words)
        if asked in self._by_key:
            return dict.fromkeys(self._by_key[asked], 100.0)
        scores: dict[UUID, float] = {}
        for scorer, weight in ((fuzz.ratio, 1.0), (fuzz.token_set_ratio, _PART_OF_NAME)):
            for key, likeness, _ in process.extract(
                asked, self._keys, scorer=scorer, limit=8, score_cutoff=_ENOUGH
            ):
                for street in self._by_key[key]:
                    scores[street] = max(scores.get(street, 0.0), likeness * weight)
        return scores

    def _house(self, street: UUID, score: float, reading: Reading) -> Match:
        houses = self._houses.get(street, {})
        number, apartment = reading.number, reading.apartment
        if number is None:
            return Match(None, street, score - _NO_HOUSE_READ, None, None)
        if (building := houses.get(number)) is not None:
            return Match(building, street, score, apartment, number)
        house, _, part = number.partition("/")
        if part and not apartment and (building := houses.get(house)) is not None:
            return Match(building, street, score - _FRACTION_AS_FLAT, part, house)
        return Match(None, street, score - _NO_SUCH_HOUSE, apartment, number)

    def _starting_with(self, words: tuple[str, ...]) -> list[UUID]:
        longest = max(words, key=len)
        start = bisect_left(self._prefixes, (longest,))
        found: dict[UUID, None] = {}
        for word, _, street in self._prefixes[start:]:
            if not word.startswith(longest):
                break
            if any(_begins(name, words) for name in self._names[street]):
                found[street] = None
        return list(found)

    def _begun(self, street: UUID, reading: Reading) -> Iterator[Match]:
        whole = any(reading.words == name for name in self._names[street])
        letters = sum(map(len, reading.words))
        score = 100.0 if whole else min(_BEGUN + _BY_LETTER * letters, _MOST_BEGUN)
        if reading.number is None:
            yield Match(None, street, score, None, None)
            return
        for number, building in self._houses.get(street, {}).items():
            if number.startswith(reading.number):
                exact = 0.0 if number == reading.number else 1.0
                yield Match(building, street, score - exact, reading.apartment, number)

    def _ranked(self, matches: Iterable[Match], limit: int) -> tuple[Match, ...]:
        def order(match: Match) -> tuple[float, bool, str, tuple[int, str]]:
            street = self._streets[match.street].code
            return -match.score, match.building is None, street, _counted(match.number or "")

        return tuple(sorted(matches, key=order)[:limit])


def _best(matches: Iterable[Match]) -> Iterable[Match]:
    """Of each place the likeliest match."""
    best: dict[tuple[UUID, UUID | None], Match] = {}
    for match in matches:
        place = match.street, match.building
        if place not in best or best[place].score < match.score:
            best[place] = match
    return best.values()


def _is_certain(match: Match) -> bool:
    return match.building is not None and match.score >= _CERTAIN


def _bare(text: str) -> tuple[Reading, ...]:
    """'пер' may be a lane, and may be the beginning of Первомайская."""
    words = tuple(fold(text).split())
    return (Reading(words, frozenset(), None, None),) if words else ()


def _key(words: Iterable[str]) -> str:
    return " ".join(sorted(stem(word) for word in words))


def _counted(number: str) -> tuple[int, str]:
    """Houses in the order in which they stand: 9, 12, 12a, 12/1, 120."""
    digits = "".join(takewhile(str.isdigit, number))
    return int(digits or 0), number[len(digits) :].replace("/", "~")


def _begins(name: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Whether each word typed begins some word of the name."""
    return all(any(part.startswith(word) for part in name) for word in words)


def _houses(buildings: Iterable[Building]) -> dict[UUID, dict[str, UUID]]:
    houses: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    for each in buildings:
        houses[each.street][house_number(each.number)] = each.id
    return dict(houses)
