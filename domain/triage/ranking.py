"""Which services the words may mean: the model and the catalogue's search, heard together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from domain.catalogue.letters import CYRILLIC
from domain.catalogue.model import Catalogue, Criticality, Service
from domain.catalogue.search import SearchIndex
from domain.triage.model import Heard, Model
from domain.values import Language

SEARCH_WEIGHT = 0.25
"""What a whole score of the catalogue's search adds to the model's evidence."""

UNSEEN_FLOOR, UNSEEN_RISE = -1.1, 1.3
"""The evidence for a service that the model never saw, by its score in the search alone: a
phrase of its own in full is worth as much as what the model is sure of."""

SEARCHED = 40
LEAST = 0.01
"""The least share that is worth showing."""

DANGER = 0.03
"""An emergency with this share is among the first three, whatever is likelier (docs/triage.md)."""
UNSURE = 0.3
"""Where not even the likeliest has this share, an emergency is among the first three as well."""
FIRST = 3
MOST_URGENT = 2
"""Emergencies that are put among the first; the likeliest service keeps its place there."""
ANY = "*"

_KAZAKH = re.compile("[әғқңөұүһі]")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A service that may be meant. `share` is its part of all the evidence, 0 to 1; `words` are
    those of the text that spoke for it. `lifted`: moved up because it may be an emergency.
    """

    service: Service
    share: float
    words: tuple[str, ...]
    by_model: bool
    by_search: bool
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom, on which day: what is not offered then is not named. `language` decides ties."""

    public_only: bool
    day: date
    language: Language


@dataclass(frozen=True, slots=True)
class Ranking:
    """What was understood; empty `services` where nothing was. `emergency`: danger may be meant."""

    language: Language
    services: tuple[Ranked, ...]
    emergency: bool


def rank(
    text: str, model: Model, catalogue: Catalogue, search: SearchIndex, audience: Audience,
    limit: int,
) -> Ranking:  # fmt: skip
    """The services meant by the words, the likeliest first: at most `limit`, or the first three
    where an emergency is among them.
    """
    heard = model.hear(text)
    language = spoken_language(text, heard, model, audience.language)
    hits = search.search(
        text,
        language=language,
        limit=SEARCHED,
        public_only=audience.public_only,
        day=audience.day,
    )
    found = {hit.service.code: hit.score for hit in hits}
    evidence = _evidence(heard, model, catalogue, found, audience)
    shares = _shares(evidence, model.sharpness) if evidence else {}
    ordered = sorted(shares, key=lambda code: -shares[code])
    emergencies = [code for code in ordered if _urgent(catalogue.service(code))]
    meant = _meant(emergencies, shares, model.dangers_in(heard))
    unsure = bool(ordered) and shares[ordered[0]] < UNSURE
    urgent = meant or (emergencies[:1] if unsure else [])
    lifted = frozenset(urgent) - frozenset(ordered[:FIRST])
    shown = _with(urgent, ordered, shares)[: max(limit, FIRST) if urgent else limit]
    numbers = {code: number for number, code in enumerate(model.codes)}
    return Ranking(
        language,
        tuple(
            Ranked(
                service=catalogue.service(code),
                share=round(shares[code], 4),
                words=model.reasons(heard, numbers[code]) if code in numbers else (),
                by_model=code in numbers and len(heard.numbers) > 0,
                by_search=code in found,
                lifted=code in lifted,
            )
            for code in shown
            if shares[code] >= LEAST or code in urgent
        ),
        emergency=bool(meant),
    )


def _with(urgent: list[str], ordered: list[str], shares: Mapping[str, float]) -> list[str]:
    """The order, but with the urgent among the first."""
    calm = [code for code in ordered if code not in urgent]
    room = FIRST - len(urgent)
    first = sorted([*urgent, *calm[:room]], key=lambda code: -shares[code])
    return [*first, *calm[room:]]


def spoken_language(text: str, heard: Heard, model: Model, otherwise: Language) -> Language:
    """The language of the words: a Kazakh letter tells, else their grams do.

    Words that stay Latin may be of any; then it is the caller's language.
    """
    if _KAZAKH.search(text.lower()):
        return Language.KK
    leaning = model.leaning(heard)
    # As heard: Latin letters may have been meant as Cyrillic ones.
    if not leaning or not any(CYRILLIC.search(spoken.word.lower()) for spoken in heard.words):
        return otherwise
    return Language.KK if leaning > 0 else Language.RU


def _evidence(
    heard: Heard,
    model: Model,
    catalogue: Catalogue,
    found: Mapping[str, float],
    audience: Audience,
) -> dict[str, float]:
    """Evidence by code, of what the catalogue offers this audience."""
    known = frozenset(model.codes)
    evidence = {
        code: UNSEEN_FLOOR + (UNSEEN_RISE + SEARCH_WEIGHT) * score
        for code, score in found.items()
        if code not in known
    }
    if not len(heard.numbers) and not found:
        return {}
    margins = model.margins(heard).tolist()
    for code, margin in zip(model.codes, margins, strict=True):
        if code in catalogue and _offered(catalogue.service(code), audience):
            evidence[code] = margin + SEARCH_WEIGHT * found.get(code, 0.0)
    return evidence


def _offered(service: Service, audience: Audience) -> bool:
    return (service.public or not audience.public_only) and service.valid_on(audience.day)


def _shares(evidence: Mapping[str, float], sharpness: float) -> dict[str, float]:
    raised = np.exp((np.array(list(evidence.values())) - max(evidence.values())) * sharpness)
    return dict(zip(evidence, (raised / raised.sum()).tolist(), strict=True))


def _meant(urgent: list[str], shares: Mapping[str, float], dangers: frozenset[str]) -> list[str]:
    """The emergencies that the text speaks of, at most two: those whose words of danger were
    said, and the likeliest where danger of any kind was, or where its share is enough.
    """
    named = [code for code in urgent if code in dangers]
    likely = [code for code in urgent[:1] if ANY in dangers or shares[code] >= DANGER]
    return list(dict.fromkeys([*named, *likely]))[:MOST_URGENT]


def _urgent(service: Service) -> bool:
    return service.criticality is Criticality.EMERGENCY
