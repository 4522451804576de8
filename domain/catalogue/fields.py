"""Reading the single fields of an imported entry; a bad one is reported, never guessed."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from domain.catalogue.forms import check_form
from domain.catalogue.problems import Problem, Spot
from domain.values import Language

LANGUAGES = tuple(Language)
DEMANDED = (Language.KK, Language.RU)
"""Kazakh and Russian are required by law; English falls back to them."""

CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
DOTTED_DATE = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")

MAX_CODE = 100
MAX_NAME = 200
MAX_DESCRIPTION = 1_000
MAX_ANSWER = 4_000
MAX_KEYWORDS = 50
MAX_POSITION = 1_000_000
SEPARATOR = ";"
"""Joins keywords in a table, so no keyword may hold it."""


class Desk:
    """Reads values and keeps every problem met; what it returns after one is a stopgap."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def complain(self, spot: Spot, code: str, **params: object) -> None:
        """Report a problem at the spot."""
        self.problems.append(spot.problem(code, **params))

    def mapping(self, value: object, spot: Spot) -> Mapping[str, object]:
        """A mapping; anything else is reported and read as empty."""
        if isinstance(value, Mapping):
            return value
        self.complain(spot, "type", expected="mapping")
        return {}

    def sequence(self, value: object, spot: Spot) -> Sequence[object]:
        """A list; anything else is reported and read as empty."""
        if isinstance(value, list):
            return value
        self.complain(spot, "type", expected="list")
        return ()

    def keys(
        self, entry: Mapping[str, object], known: Collection[str], needed: Collection[str], at: Spot
    ) -> None:
        """Report unknown keys, and needed ones that are absent."""
        for key in entry:
            if key not in known:
                self.complain(at.at(str(key)), "unknown", key=str(key))
        for key in needed:
            if entry.get(key) is None:
                self.complain(at.at(key), "required")

    def code(self, value: object, spot: Spot, *, within: str = "") -> str:
        """A code: lower-case words joined by - and ., beginning with `within` and a dot."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.complain(spot, "type", expected="text")
            return ""
        if len(value) > MAX_CODE:
            self.complain(spot, "too-long", limit=MAX_CODE, length=len(value))
        elif not CODE.fullmatch(value):
            self.complain(spot, "bad-code", value=value)
        elif within and not value.startswith(within + "."):
            self.complain(spot, "outside", value=value, within=within)
        return value

    def choice(self, value: object, known: Collection[str], spot: Spot, code: str) -> str:
        """One of the known words, else a problem with the code."""
        if value is not None and (not isinstance(value, str) or value not in known):
            self.complain(spot, code, value=str(value))
        return str(value)

    def text(self, value: object, limit: int, spot: Spot, *, lines: bool = False) -> str:
        """A text in NFC without edge blanks; unless `lines`, also in one line."""
        if not isinstance(value, str):
            self.complain(spot, "type", expected="text")
            return ""
        text = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
        text = text if lines else " ".join(text.split())
        if found := CONTROL.search(text):
            self.complain(spot, "control-character", character=f"U+{ord(found[0]):04X}")
        if len(text) > limit:
            self.complain(spot, "too-long", limit=limit, length=len(text))
        return text

    def texts(
        self, value: object, limit: int, spot: Spot, *, lines: bool = False
    ) -> dict[str, str]:
        """A text in kk and ru, and perhaps en; {} for none at all."""
        if value is None:
            return {}
        given = self._languages(value, spot)
        texts = {
            language.value: self.text(given[language], limit, spot.at(language), lines=lines)
            for language in LANGUAGES
            if given.get(language) is not None
        }
        texts = {language: text for language, text in texts.items() if text}
        for language in DEMANDED:
            if language not in texts:
                self.complain(spot.at(language), "missing-language", language=language.value)
        return texts

    def keywords(self, value: object, spot: Spot) -> dict[str, tuple[str, ...]]:
        """What callers say, by language; doubles and blanks are dropped."""
        given = self._languages({} if value is None else value, spot)
        found: dict[str, tuple[str, ...]] = {}
        for language in LANGUAGES:
            if words := self._words(given.get(language), spot.at(language)):
                found[language.value] = words
        return found

    def _words(self, value: object, spot: Spot) -> tuple[str, ...]:
        listed = self.sequence([] if value is None else value, spot)
        words = [self.text(word, MAX_NAME, spot.at(n)) for n, word in enumerate(listed)]
        if len(words) > MAX_KEYWORDS:
            self.complain(spot, "too-many", limit=MAX_KEYWORDS, count=len(words))
        for number, word in enumerate(words):
            if SEPARATOR in word:
                self.complain(spot.at(number), "separator", value=word)
        return tuple(dict.fromkeys(filter(None, words)))

    def _languages(self, value: object, spot: Spot) -> Mapping[str, object]:
        given = self.mapping(value, spot)
        for language in given:
            if language not in LANGUAGES:
                self.complain(spot.at(str(language)), "unknown", key=str(language))
        return given

    def flag(self, value: object, spot: Spot, *, default: bool) -> bool:
        """True or false."""
        if value is None:
            return default
        if not isinstance(value, bool):
            self.complain(spot, "type", expected="true-or-false")
        return value is True

    def position(self, value: object, spot: Spot, *, default: int) -> int:
        """A place in an order, counted from 0."""
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.complain(spot, "type", expected="integer")
            return default
        if not 0 <= value <= MAX_POSITION:
            self.complain(spot, "out-of-range", minimum=0, maximum=MAX_POSITION)
        return value

    def day(self, value: object, spot: Spot) -> date | None:
        """A date: YYYY-MM-DD, or DD.MM.YYYY as spreadsheets here write it."""
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        try:
            text = str(value)
            dotted = DOTTED_DATE.fullmatch(text)
            return date.fromisoformat("-".join(reversed(dotted.groups())) if dotted else text)
        except ValueError:
            self.complain(spot, "bad-date", value=str(value))
            return None

    def form(self, value: object, spot: Spot) -> Mapping[str, object] | None:
        """A form that passes `check_form`; each of its faults is a problem of its own."""
        if value is None:
            return None
        for fault in check_form(value):
            steps = [step for step in fault.pointer.split("/") if step]
            self.complain(spot.at(*steps), "bad-form", rule=fault.rule, **fault.params)
        return value if isinstance(value, Mapping) else None
