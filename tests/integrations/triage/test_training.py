"""Training: the same phrases give the same bytes, and what was taught is known."""

import pytest

from domain.catalogue.search import SearchIndex
from domain.triage.model import fingerprint
from domain.triage.ranking import Audience, rank
from domain.values import Language
from integrations.triage import artefact, corpus
from tests.domain.catalogue import make
from tests.support.starter import PHRASES, TODAY

LIFT = make.service(keywords={"ru": ("застрял в лифте",), "kk": ("лифтіде қалдым",)})
WATER = make.service("utilities.no-water", "Нет воды", keywords={"ru": ("вода пропала",)})
LIGHT = make.service("utilities.no-light", "Нет света", keywords={"ru": ("свет погас",)})
CATALOGUE = make.catalogue(LIFT, WATER, LIGHT)


@pytest.fixture(scope="module")
def model():
    return learn()


def learn():
    from integrations.triage.training import train

    examples = [
        *corpus.of_catalogue(CATALOGUE),
        *corpus.known(corpus.read_spoken(PHRASES), CATALOGUE),
    ]
    return train(examples, corpus.read_dangers(PHRASES), catalogue=fingerprint(CATALOGUE))


def test_the_same_phrases_give_the_same_bytes(model):
    assert artefact.encode(learn()) == artefact.encode(model)
    assert artefact.decode(artefact.encode(model)).sha256 == model.sha256


def test_what_was_taught_is_known(model):
    search = SearchIndex(CATALOGUE)
    audience = Audience(public_only=True, day=TODAY, language=Language.RU)
    for service in CATALOGUE.services:
        found = rank(service.names["ru"], model, CATALOGUE, search, audience, 1)
        assert found.services[0].service.code == service.code
        assert found.services[0].by_model


def test_other_words_or_another_catalogue_give_another_name(model):
    from integrations.triage.training import train

    examples = corpus.of_catalogue(CATALOGUE)
    other = train(examples, (), catalogue=fingerprint(CATALOGUE))
    assert other.name.split("-")[0] == model.name.split("-")[0]
    assert other.name != model.name
    changed = make.catalogue(LIFT, WATER)
    assert fingerprint(changed) != fingerprint(CATALOGUE)
