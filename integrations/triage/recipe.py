"""How a model is made of its examples, and the name that says so."""

import hashlib
from collections.abc import Sequence

from domain.triage.model import Danger
from domain.triage.spelling import LONGEST, SHORTEST
from integrations.triage.corpus import Example

SEED = 109
COST = 0.3
"""LinearSVC's C, chosen on the folds."""
SHARPNESS = 14.0
"""What makes shares of margins; chosen on the folds, where a share is how often it is right."""
LEAST_TEXTS = 2
"""A gram of one text alone says nothing of the next."""
LEAST_STEPS = 2
"""Weights smaller than so many of 127 steps are none: the file is smaller by a third."""


def name_of(examples: Sequence[Example], dangers: Sequence[Danger], catalogue: str) -> str:
    """A name that changes with the catalogue (its fingerprint), the phrases, or the recipe."""
    settings = (SEED, COST, SHARPNESS, LEAST_TEXTS, LEAST_STEPS, SHORTEST, LONGEST)
    told = [f"{one.services[0]}\t{one.speech}\t{one.weight:.6f}\t{one.text}" for one in examples]
    made = hashlib.sha256("\n".join([repr(settings), repr(tuple(dangers)), *told]).encode())
    return f"{catalogue[:8]}-{made.hexdigest()[:8]}"
