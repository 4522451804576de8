"""How often triage is right, beside two yardsticks, on texts that it did not learn from."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from domain.catalogue.model import Catalogue, Criticality
from domain.catalogue.search import SearchIndex
from domain.triage.model import Model
from domain.triage.ranking import FIRST, Audience, rank
from domain.values import Language
from integrations.triage.corpus import Example

FOLDS = 5
SEED = 109

Guess = Callable[[str], Sequence[str]]
"""The first three services for a text."""
Learn = Callable[[Sequence[Example]], Model]


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of `count` texts for which a way of guessing was right; near-duplicates of one text
    count as one text together.
    """

    texts: str
    speech: str
    way: str
    count: int
    first: float
    among_three: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """Emergencies: of `meant` texts about one the share that has it among the first three, and
    of `calm` texts about none the share that was called one all the same.
    """

    texts: str
    meant: int
    found: float
    calm: int
    false: float
    missed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """An example with what was guessed for it, by way."""

    example: Example
    guesses: Mapping[str, Sequence[str]]
    alarmed: bool


class Examiner:
    """Asks a model, the catalogue's search and the majority about the same texts."""

    def __init__(self, catalogue: Catalogue, day: date) -> None:
        self._catalogue = catalogue
        self._search = SearchIndex(catalogue)
        self._audience = Audience(public_only=False, day=day, language=Language.RU)
        self._urgent = {
            service.code
            for service in catalogue.services
            if service.criticality is Criticality.EMERGENCY
        }

    def ask(self, model: Model, most: str, examples: Sequence[Example]) -> Iterator[Asked]:
        """What each way answers; `most` is the service that the model was taught most often."""
        for example in examples:
            ranking = rank(
                example.text, model, self._catalogue, self._search, self._audience, FIRST
            )
            hits = self._search.search(example.text, language=Language.RU, limit=FIRST)
            guesses = {
                "triage": [one.service.code for one in ranking.services],
                "search alone": [hit.service.code for hit in hits],
                "majority": [most],
            }
            yield Asked(example, guesses, ranking.emergency)

    def alarms(self, texts: str, asked: Sequence[Asked]) -> Alarm:
        """How emergencies fared."""
        meant = [one for one in asked if one.example.services[0] in self._urgent]
        calm = [one for one in asked if one.example.services[0] not in self._urgent]
        missed = [one for one in meant if not _among(one.guesses["triage"], one.example)]
        return Alarm(
            texts=texts,
            meant=len(meant),
            found=1 - len(missed) / len(meant) if meant else 0.0,
            calm=len(calm),
            false=sum(one.alarmed for one in calm) / len(calm) if calm else 0.0,
            missed=tuple(one.example.text for one in missed),
        )


def folds(labelled: Sequence[Example]) -> Iterator[tuple[list[Example], list[Example]]]:
    """What to learn from and what to ask, five times; no group is in both."""
    groups = sorted({one.group for one in labelled})
    Random(SEED).shuffle(groups)  # noqa: S311 - the same folds in every run
    for number in range(FOLDS):
        held = set(groups[number::FOLDS])
        yield (
            [one for one in labelled if one.group not in held],
            [one for one in labelled if one.group in held],
        )


def crossed(
    taught: Sequence[Example], labelled: Sequence[Example], learn: Learn, examiner: Examiner
) -> list[Asked]:
    """Every labelled example, asked of a model that learnt from the other folds and `taught`."""
    asked: list[Asked] = []
    for learnt, held in folds(labelled):
        model = learn([*taught, *learnt])
        asked.extend(examiner.ask(model, majority(learnt), held))
    return asked


def majority(examples: Sequence[Example]) -> str:
    """The service most often right."""
    ((code, _),) = Counter(one.services[0] for one in examples).most_common(1)
    return code


def scores(texts: str, asked: Sequence[Asked]) -> Iterator[Score]:
    """A row for each speech and way."""
    for speech in sorted({one.example.speech for one in asked}):
        spoken = [one for one in asked if one.example.speech == speech]
        sizes = Counter(one.example.group for one in spoken if one.example.group >= 0)
        weights = [1 / (sizes[one.example.group] or 1) for one in spoken]
        for way in spoken[0].guesses:
            first = _share(weights, [_among(one.guesses[way][:1], one.example) for one in spoken])
            three = _share(weights, [_among(one.guesses[way], one.example) for one in spoken])
            yield Score(texts, speech, way, round(sum(weights)), first, three)


def _among(guessed: Sequence[str], example: Example) -> bool:
    return not set(guessed).isdisjoint(example.services)


def _share(weights: Sequence[float], right: Sequence[bool]) -> float:
    return sum(weight for weight, one in zip(weights, right, strict=True) if one) / sum(weights)
