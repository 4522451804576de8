"""The starter catalogue and what triage knows of it, read once for all who ask."""

from datetime import date
from functools import cache
from pathlib import Path

import yaml

from domain.catalogue.exchange import References
from domain.catalogue.model import Catalogue
from domain.catalogue.search import SearchIndex
from domain.organisations.model import OrganisationKind
from domain.triage.model import Model
from domain.triage.ranking import Audience, Ranking, rank
from domain.values import Language
from integrations.files import catalogue_yaml
from integrations.triage import artefact

CATALOGUES = Path(__file__).parents[2] / "catalogues"
STARTER, PHRASES = CATALOGUES / "starter", CATALOGUES / "phrases"
TODAY = date(2026, 11, 23)


@cache
def starter() -> Catalogue:
    """The catalogue."""
    policies = yaml.safe_load((STARTER / "policies.yaml").read_text("utf-8"))["policies"]
    references = References(frozenset(p["code"] for p in policies), tuple(OrganisationKind))
    draft = catalogue_yaml.read_folder(STARTER, references).draft
    assert draft is not None
    return draft.catalogue()


@cache
def starter_model() -> Model:
    """The model that comes with the platform."""
    return artefact.decode(artefact.STARTER.read_bytes())


@cache
def starter_search() -> SearchIndex:
    """The catalogue's search."""
    return SearchIndex(starter())


def ranked(
    text: str,
    *,
    catalogue: Catalogue | None = None,
    public_only: bool = False,
    language: Language = Language.RU,
    limit: int = 5,
    day: date = TODAY,
) -> Ranking:
    """What triage makes of a text, of the starter catalogue or of another."""
    chosen = catalogue or starter()
    search = SearchIndex(chosen) if catalogue else starter_search()
    audience = Audience(public_only=public_only, day=day, language=language)
    return rank(text, starter_model(), chosen, search, audience, limit)


def codes(ranking: Ranking) -> list[str]:
    """The codes, the likeliest first."""
    return [one.service.code for one in ranking.services]
