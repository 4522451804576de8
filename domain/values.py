"""Small values that every room shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from uuid_utils.compat import uuid7


class Language(StrEnum):
    """The languages the city answers in; ISO 639-1."""

    KK = "kk"
    RU = "ru"
    EN = "en"


LocalizedText = Mapping[str, str]
"""A text in Kazakh, Russian and English, keyed kk, ru, en."""


def localized(kk: str, ru: str, en: str) -> LocalizedText:
    """A text in all three languages."""
    return {"kk": kk, "ru": ru, "en": en}


def in_language(text: LocalizedText, language: str) -> str:
    """The text in the language asked for, else Russian, Kazakh, English, in that order."""
    for candidate in (language, Language.RU, Language.KK, Language.EN):
        if found := text.get(candidate):
            return found
    return ""


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A point in WGS 84 degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Box:
    """What lies between two parallels and two meridians, in WGS 84 degrees."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class Circle:
    """What lies within so many metres of a point."""

    centre: Coordinates
    metres: float


def new_id() -> UUID:
    """A fresh identifier, ordered by the time of its making (UUIDv7, RFC 9562)."""
    return uuid7()
