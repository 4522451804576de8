"""Training, with scikit-learn: for the command line alone, never imported by API or worker."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.svm import LinearSVC

from domain.triage.model import Danger, Model
from domain.triage.spelling import spoken
from integrations.triage.artefact import encode
from integrations.triage.corpus import Example
from integrations.triage.recipe import (
    COST,
    LEAST_STEPS,
    LEAST_TEXTS,
    SEED,
    SHARPNESS,
    name_of,
)


def train(examples: Sequence[Example], dangers: Sequence[Danger], *, catalogue: str) -> Model:
    """A model of the examples; the same examples give the same model."""
    texts = [Counter(gram for word in spoken(one.text) for gram in word.grams) for one in examples]
    grams, rarity = _vocabulary(texts)
    matrix = _matrix(texts, grams, rarity)
    codes = tuple(sorted({one.services[0] for one in examples}))
    numbers = {code: number for number, code in enumerate(codes)}
    answers = np.array([numbers[one.services[0]] for one in examples])
    machine = LinearSVC(C=COST, random_state=SEED)
    machine.fit(matrix, answers, sample_weight=[one.weight for one in examples])
    steps = np.abs(machine.coef_).max(axis=1) / 127
    weights = np.round(machine.coef_ / steps[:, None])
    weights[np.abs(weights) < LEAST_STEPS] = 0
    model = Model(
        name=name_of(examples, dangers, catalogue),
        sha256="",
        catalogue=catalogue,
        codes=codes,
        grams=grams,
        rarity=rarity,
        weights=weights.T.astype(np.int8),
        steps=steps.astype(np.float32),
        offsets=machine.intercept_.astype(np.float32),
        kazakh=_kazakh(matrix, examples),
        sharpness=SHARPNESS,
        dangers=tuple(dangers),
    )
    return _named(model)


def _named(model: Model) -> Model:
    return replace(model, sha256=hashlib.sha256(encode(model)).hexdigest())


def _vocabulary(
    texts: Sequence[Mapping[str, int]],
) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """Grams in the order of their letters, with their smoothed inverse document frequency."""
    counted = Counter(gram for text in texts for gram in text)
    total = len(texts)
    kept = sorted(gram for gram, times in counted.items() if times >= LEAST_TEXTS)
    rarity = [np.log((1 + total) / (1 + counted[gram])) + 1 for gram in kept]
    return {gram: number for number, gram in enumerate(kept)}, np.array(rarity, np.float32)


def _matrix(
    texts: Iterable[Mapping[str, int]], grams: Mapping[str, int], rarity: npt.NDArray[np.float32]
) -> sparse.csr_matrix:
    """TF-IDF rows of length one, as `domain.triage.model.Model` weighs a text."""
    data: list[float] = []
    columns: list[int] = []
    ends = [0]
    for text in texts:
        found = {grams[gram]: times for gram, times in text.items() if gram in grams}
        weights = (1 + np.log(np.array(list(found.values()), np.float64))) * rarity[list(found)]
        length = np.sqrt(weights @ weights) or 1.0
        data.extend((weights / length).tolist())
        columns.extend(found)
        ends.append(len(columns))
    matrix = sparse.csr_matrix((data, columns, ends), shape=(len(ends) - 1, len(grams)))
    matrix.sort_indices()
    return matrix


def _kazakh(matrix: sparse.csr_matrix, examples: Sequence[Example]) -> npt.NDArray[np.float32]:
    """Weights that tell Kazakh from Russian by grams alone, for those who type without қ and ә."""
    rows = [n for n, one in enumerate(examples) if one.speech in ("kk", "ru")]
    answers = [examples[row].speech == "kk" for row in rows]
    machine = LinearSVC(C=1.0, random_state=SEED, fit_intercept=False)
    machine.fit(matrix[rows], answers)
    weights: npt.NDArray[np.float32] = machine.coef_[0].astype(np.float16).astype(np.float32)
    return weights
