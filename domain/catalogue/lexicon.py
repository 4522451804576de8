"""The words of the catalogue, found by what was typed: whole, begun, inflected or misspelt."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz.distance import OSA, Prefix

SIZE = 3
"""Characters in a gram."""

MAX_LIKELY = 40
MAX_BEGUN = 200
ENDING = 3
"""Letters at the end of a word in which Russian inflection shows."""
SUFFIXES = 6
"""The same for Kazakh, which strings suffixes together (лифт-тер-іміз-де)."""
STEM = 4

LEAST = {4: 0.75, 5: 0.75, 6: 0.66}
"""The least likeness that counts, by length of the typed word; 0.62 for longer ones."""
LEAST_LONG = 0.62

RIVAL = 0.8
"""The least likeness of other words when the typed word is itself known."""

Matches = dict[int, float]
"""Numbers of words, each with its likeness in (0, 1]."""


class Lexicon:
    """All words that occur, sorted; a word is known by its number in that order."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(set(words))
        self.number = {word: number for number, word in enumerate(self.words)}
        self._grams: dict[str, list[int]] = {}
        for number, word in enumerate(self.words):
            for gram in set(grams(word)):
                self._grams.setdefault(gram, []).append(number)

    def matches(self, typed: str, *, begun: bool) -> Matches:
        """The words that may have been meant; `begun` when more letters may follow."""
        found: Matches = {}
        if begun:
            found |= dict.fromkeys(self._beginning(typed), 0.9)
        if len(typed) >= STEM:
            for number in self._likely(typed):
                if (likeness := _likeness(typed, self.words[number])) > found.get(number, 0):
                    found[number] = likeness
        if typed in self.number:
            found = {number: like for number, like in found.items() if like >= RIVAL}
            found[self.number[typed]] = 1.0
        return found

    def knows(self, typed: Sequence[str]) -> bool:
        """Whether every word is known as it stands, or the last begins a known one."""
        if not typed or not all(word in self.number for word in typed[:-1]):
            return False
        return bool(self._beginning(typed[-1]))

    def parted(self, typed: str) -> list[str]:
        """The word itself, or the two known words that it is when the blank was missed."""
        if typed not in self.number and len(typed) >= 2 * SIZE:
            for cut in range(len(typed) - SIZE, SIZE - 1, -1):
                if typed[:cut] in self.number and typed[cut:] in self.number:
                    return [typed[:cut], typed[cut:]]
        return [typed]

    def _beginning(self, typed: str) -> range:
        first = bisect_left(self.words, typed)
        last = bisect_left(self.words, typed + "\uffff", first)
        return range(first, min(last, first + MAX_BEGUN))

    def _likely(self, typed: str) -> Iterator[int]:
        shared: Counter[int] = Counter()
        for gram in grams(typed):
            shared.update(self._grams.get(gram, ()))
        # Long words share grams by their length alone, so what they do not share counts too.
        words = self.words
        best = sorted(shared.items(), key=lambda item: len(words[item[0]]) * 0.3 - item[1])
        return (number for number, _ in best[:MAX_LIKELY])


def grams(word: str) -> list[str]:
    """The character grams of a word, its edges marked so that beginnings weigh."""
    marked = f"^{word}$"
    return [marked[start : start + SIZE] for start in range(len(marked) - SIZE + 1)]


def _likeness(typed: str, word: str) -> float:
    return max(_inflected(typed, word), _misspelt(typed, word))


def _inflected(typed: str, word: str) -> float:
    """Likeness of two forms of one word: a common stem and short endings."""
    stem = Prefix.similarity(typed, word)
    ends = sorted((len(typed) - stem, len(word) - stem))
    if stem < STEM or ends[0] > ENDING or ends[1] > SUFFIXES or ends[1] > stem:
        return 0.0
    return max(0.6, 1 - 0.05 * sum(ends))


def _misspelt(typed: str, word: str) -> float:
    """Likeness of spelling; a missing, wrong, doubled or swapped letter is one mistake."""
    least = LEAST.get(len(typed), LEAST_LONG)
    # Mistakes in a word that is also begun or inflected: compare what was typed with its start.
    whole = OSA.normalized_similarity(typed, word, score_cutoff=least)
    start = OSA.normalized_similarity(typed, word[: len(typed)], score_cutoff=least)
    return max(whole, 0.9 * start) * 0.95
