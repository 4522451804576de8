"""Builders that hide what does not matter."""

from datetime import date

from domain.catalogue.exchange import References
from domain.catalogue.model import Catalogue, Category, Criticality, Service, Sphere

REFERENCES = References(
    policies=frozenset({"default", "person-in-lift"}), kinds=frozenset({"lift-company", "utility"})
)


def names(ru, kk=None, en=None):
    return {"kk": kk or f"{ru} kk", "ru": ru, "en": en or f"{ru} en"}


def service(code="lifts.person-trapped", ru="Человек в лифте", **changes):
    sphere = code.partition(".")[0]
    parts = {
        "code": code,
        "version": 1,
        "category": f"{sphere}.emergency",
        "sphere": sphere,
        "names": names(ru),
        "description": None,
        "criticality": Criticality.EMERGENCY,
        "policy": "person-in-lift",
        "responsible": "lift-company",
        "public": True,
        "keywords": {},
        "first_call_answer": None,
        "form": None,
        "valid_from": date(2026, 1, 1),
        "valid_to": None,
    }
    return Service(**parts | changes)


def catalogue(*services):
    spheres = {s.sphere: Sphere(s.sphere, names(s.sphere), 0) for s in services}
    categories = {
        s.category: Category(s.category, s.sphere, names(s.category), 0) for s in services
    }
    return Catalogue.ordered(spheres.values(), categories.values(), services)


def form(**properties):
    return {"type": "object", "properties": properties}


def question(**schema):
    return {"title": {"kk": "Сұрақ", "ru": "Вопрос"}} | schema


def entry(**changes):
    """A service as it stands in a YAML file."""
    parts = {
        "code": "lifts.person-trapped",
        "names": {"kk": "Адам лифтіде қалды", "ru": "Человек застрял в лифте"},
        "criticality": "emergency",
        "policy": "person-in-lift",
        "responsible": "lift-company",
        "valid_from": "2026-01-01",
    }
    return {key: value for key, value in (parts | changes).items() if value is not ...}


def content(*entries, **changes):
    """A YAML file of one sphere with one category."""
    category = {
        "code": "lifts.emergency",
        "names": {"kk": "Шұғыл", "ru": "Срочно"},
        "services": list(entries),
    }
    sphere = {"code": "lifts", "names": {"kk": "Лифтілер", "ru": "Лифты"}}
    return {"sphere": sphere, "categories": [category]} | changes
