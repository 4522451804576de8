"""The model of the resident's words: grams weighed by service, in a few arrays.

A linear model over TF-IDF of character grams. It is trained elsewhere (integrations/triage);
here it is only read, with numpy, since 17,000 grams times 426 services are no work for loops.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson

from domain.catalogue.letters import folded
from domain.catalogue.model import Catalogue
from domain.triage.spelling import Spoken, rereadings, spoken

Floats = npt.NDArray[np.float32]

TELLING = 0.2
"""The share of a service's evidence that a word must carry to be named as a reason."""
MOST_REASONS = 4


def fingerprint(catalogue: Catalogue) -> str:
    """SHA-256 (hex) of what a model learns of a catalogue: codes, names and keywords."""
    learnt = sorted(
        [service.code, dict(service.names), {k: list(v) for k, v in service.keywords.items()}]
        for service in catalogue.services
    )
    return hashlib.sha256(orjson.dumps(learnt, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Danger:
    """Words that may mean danger to life: the service must be named where a text has a word of
    each group. A word is met by its folded beginning; `$` at the end asks for the whole word.
    The code `*` stands for whichever emergency is the likeliest.
    """

    code: str
    groups: tuple[tuple[str, ...], ...]

    def met(self, words: Collection[str]) -> bool:
        """Whether the folded words mean it."""
        return all(
            any(_met(stem, word) for stem in group for word in words) for group in self.groups
        )


def _met(stem: str, word: str) -> bool:
    return word == stem[:-1] if stem.endswith("$") else word.startswith(stem)


@dataclass(frozen=True, slots=True)
class Heard:
    """A text as the model hears it: its words, and the weight of each known gram in it."""

    words: tuple[Spoken, ...]
    numbers: npt.NDArray[np.int64]
    weights: Floats


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model.

    `weights` has a row for each gram and a column for each service, in steps of `steps` (one
    for each service); `offsets` is what a service has before a word is said. `kazakh` weighs
    the grams for Kazakh (above zero) against Russian. `sharpness` turns margins into shares.
    """

    name: str
    sha256: str
    catalogue: str
    codes: tuple[str, ...]
    grams: Mapping[str, int]
    rarity: Floats
    weights: npt.NDArray[np.int8]
    steps: Floats
    offsets: Floats
    kazakh: Floats
    sharpness: float
    dangers: tuple[Danger, ...]

    def hear(self, text: str) -> Heard:
        """The text as typed, or as Latin letters may have been meant, where more is known so."""
        return max(map(self._hear, (text, *rereadings(text))), key=self._known)

    def margins(self, heard: Heard) -> Floats:
        """The evidence for each service, in the order of `codes`; about 1 for a sure one."""
        told = heard.weights @ self.weights[heard.numbers].astype(np.float32)
        margins: Floats = told * self.steps + self.offsets
        return margins

    def reasons(self, heard: Heard, number: int) -> tuple[str, ...]:
        """The words that spoke most for the service of that number, the strongest first."""
        by_gram = dict(
            zip(
                heard.numbers.tolist(),
                (heard.weights * self.weights[heard.numbers, number]).tolist(),
                strict=True,
            )
        )
        times = Counter(gram for word in heard.words for gram in word.grams)
        shares: dict[str, float] = {}
        for word in heard.words:
            told = (
                by_gram[self.grams[gram]] / times[gram] for gram in word.grams if gram in self.grams
            )
            shares[word.word] = shares.get(word.word, 0.0) + sum(told)
        least = TELLING * sum(max(share, 0.0) for share in shares.values())
        ranked = sorted(shares.items(), key=lambda item: -item[1])
        return tuple(word for word, share in ranked[:MOST_REASONS] if share > 0 and share >= least)

    def dangers_in(self, heard: Heard) -> frozenset[str]:
        """The services whose words of danger the text has."""
        words = {folded(spoken.word) for spoken in heard.words}
        return frozenset(danger.code for danger in self.dangers if danger.met(words))

    def leaning(self, heard: Heard) -> float:
        """Above zero for Kazakh, below for Russian, zero where nothing was understood."""
        return float(heard.weights @ self.kazakh[heard.numbers])

    def _hear(self, text: str) -> Heard:
        words = spoken(text)
        found = Counter(self.grams[g] for word in words for g in word.grams if g in self.grams)
        numbers = np.fromiter(found.keys(), np.int64, len(found))
        times = np.fromiter(found.values(), np.float32, len(found))
        weights = (1 + np.log(times)) * self.rarity[numbers] if len(found) else times
        length = float(np.sqrt(weights @ weights)) or 1.0
        return Heard(words, numbers, (weights / length).astype(np.float32))

    def _known(self, heard: Heard) -> float:
        grams: Sequence[str] = [gram for word in heard.words for gram in word.grams]
        return sum(gram in self.grams for gram in grams) / len(grams) if grams else 0.0
