"""Finding a service while a resident is still talking: a few letters, any order, any spelling."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import nlargest
from math import log

from rapidfuzz import fuzz

from domain.catalogue.letters import readings, words
from domain.catalogue.lexicon import Lexicon
from domain.catalogue.model import Catalogue, Service
from domain.values import Language, LocalizedText

WEIGHTS: Mapping[str, float] = {
    "names": 1.0,
    "keywords": 0.95,
    "category": 0.55,
    "description": 0.45,
    "sphere": 0.35,
}
"""How much a word tells about a service by the text that it stands in."""

RESCORED = 40
"""How many of the best are compared phrase by phrase."""

PHRASE = 0.35
"""The part of the final score that the best phrase decides; the words decide the rest."""

OTHER_LANGUAGE = 0.93
LEAST_SCORE = 0.25
MAX_QUERY = 200
MAX_WORDS = 12
MAX_KEPT = 128


@dataclass(frozen=True, slots=True)
class Hit:
    """A service found, with its score in (0, 1]."""

    service: Service
    score: float


@dataclass(frozen=True, slots=True)
class _Entry:
    """A service as the search sees it: its phrases by language, ready to be compared."""

    service: Service
    phrases: Mapping[str, tuple[str, ...]]


class SearchIndex:
    """The words of one snapshot of the catalogue, in memory; build a new one for a new snapshot."""

    def __init__(
        self,
        catalogue: Catalogue,
        languages: Sequence[str] = (Language.KK, Language.RU, Language.EN),
    ) -> None:
        texts = _Texts(catalogue, languages)
        self._entries = [_Entry(s, texts.phrases(s)) for s in catalogue.services]
        weighed = [texts.weighed(service) for service in catalogue.services]
        self._lexicon = Lexicon(word for entry in weighed for word in entry)
        self._postings: list[list[tuple[int, float]]] = [[] for _ in self._lexicon.words]
        for number, entry in enumerate(weighed):
            for word, weight in entry.items():
                self._postings[self._lexicon.number[word]].append((number, weight))
        self._kept: dict[tuple[str, bool], tuple[float, dict[int, float]]] = {}
        total = len(self._entries)
        self._rarity = [log(1 + total / len(posting)) for posting in self._postings]

    def search(
        self,
        query: str,
        *,
        language: str,
        limit: int = 10,
        public_only: bool = False,
        day: date | None = None,
    ) -> tuple[Hit, ...]:
        """The services meant by the query, best first.

        The last word may be unfinished. All languages are searched; texts in `language`
        weigh a little more. With `day` only what is offered on that (local) day.
        """
        best: dict[int, float] = {}
        for reading in readings(query[:MAX_QUERY]):
            typed = [part for word in reading[:MAX_WORDS] for part in self._lexicon.parted(word)]
            for number, score in self._scores(typed, language, public_only, day):
                best[number] = max(score, best.get(number, 0.0))
            # Who types known words has the right keyboard layout: no need to try another.
            if self._lexicon.knows(typed):
                break
        ranked = nlargest(limit, best.items(), key=lambda item: (item[1], -item[0]))
        return tuple(
            Hit(self._entries[number].service, round(score, 4))
            for number, score in ranked
            if score >= LEAST_SCORE
        )

    def _scores(
        self, typed: list[str], language: str, public_only: bool, day: date | None
    ) -> Iterator[tuple[int, float]]:
        covered, whole = self._covered(typed)
        if public_only or day:
            kept = (n for n in covered if _offered(self._entries[n].service, public_only, day))
            covered = {number: covered[number] for number in kept}
        phrase = " ".join(sorted(typed))
        for number in nlargest(RESCORED, covered, key=covered.__getitem__):
            alike = _alike(phrase, self._entries[number].phrases, language)
            yield number, (1 - PHRASE) * covered[number] / whole + PHRASE * alike

    def _covered(self, typed: list[str]) -> tuple[dict[int, float], float]:
        """How much of the query each service covers, and the most that one could."""
        total: dict[int, float] = {}
        whole = 0.0
        for order, word in enumerate(typed):
            weight, told = self._told(word, order == len(typed) - 1)
            whole += weight
            if not total:
                total = dict(told)
                continue
            for number, score in told.items():
                total[number] = total.get(number, 0.0) + score
        return total, whole

    def _told(self, typed: str, begun: bool) -> tuple[float, dict[int, float]]:
        """What a typed word weighs (rare ones more), and how much of it each service covers."""
        key = (typed, begun)
        if (kept := self._kept.get(key)) is None:
            # With each key pressed the same words come again, all but the last unchanged.
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            found = self._lexicon.matches(typed, begun=begun)
            weight = self._weight(found)
            kept = self._kept[key] = weight, self._best(found, weight)
        return kept

    def _weight(self, found: Mapping[int, float]) -> float:
        """What the typed word tells: the rarity of the word it is most like."""
        if not found:
            return log(1 + len(self._entries)) / 2
        nearest = max(found.values())
        return min(self._rarity[word] for word, likeness in found.items() if likeness == nearest)

    def _best(self, found: Mapping[int, float], whole: float) -> dict[int, float]:
        best: dict[int, float] = {}
        for word, share in found.items():
            likeness = share * whole
            if not best:
                best = {number: likeness * weight for number, weight in self._postings[word]}
                continue
            for number, weight in self._postings[word]:
                if (score := likeness * weight) > best.get(number, 0.0):
                    best[number] = score
        return best


class _Texts:
    """The texts of a service, its category and its sphere, as words and phrases."""

    def __init__(self, catalogue: Catalogue, languages: Sequence[str]) -> None:
        self.languages = languages
        self.category = {c.code: self._words(c.names) for c in catalogue.categories}
        self.sphere = {s.code: self._words(s.names) for s in catalogue.spheres}

    def weighed(self, service: Service) -> dict[str, float]:
        """Each word of the service with the weight of the best text that it stands in."""
        keywords = (k for language in self.languages for k in service.keywords.get(language, ()))
        texts: dict[str, Iterable[str]] = {
            "sphere": self.sphere.get(service.sphere, ()),
            "description": self._words(service.description or {}),
            "category": self.category.get(service.category, ()),
            "keywords": [word for keyword in keywords for word in words(keyword)],
            "names": self._words(service.names),
        }
        return {
            word: WEIGHTS[field]
            for field in sorted(texts, key=WEIGHTS.__getitem__)
            for word in texts[field]
        }

    def phrases(self, service: Service) -> dict[str, tuple[str, ...]]:
        """The name and keywords in each language, words sorted so that order does not matter."""
        return {
            language: tuple(
                " ".join(sorted(words(text)))
                for text in (service.names.get(language, ""), *service.keywords.get(language, ()))
                if text
            )
            for language in self.languages
        }

    def _words(self, texts: LocalizedText) -> list[str]:
        return [word for language in self.languages for word in words(texts.get(language, ""))]


def _offered(service: Service, public_only: bool, day: date | None) -> bool:
    return (service.public or not public_only) and (day is None or service.valid_on(day))


def _alike(phrase: str, phrases: Mapping[str, tuple[str, ...]], language: str) -> float:
    best = 0.0
    for spoken, texts in phrases.items():
        share = 0.01 if spoken == language else 0.01 * OTHER_LANGUAGE
        for text in texts:
            best = max(best, share * fuzz.ratio(phrase, text, score_cutoff=best * 100))
    return best
