"""One imported entry, field by field: every bad field is reported, none stops the reading.

A bad field answers with a harmless value and leaves a problem behind; an entry with
problems never gets further than its report.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from enum import StrEnum
from math import isfinite
from typing import TypeVar
from uuid import UUID

from domain.catalogue.fields import CODE, CONTROL, MAX_CODE
from domain.catalogue.problems import Problem, Spot
from domain.organisations.areas import crosses_itself
from domain.organisations.model import Polygon, TerritoryKind
from domain.values import Language

Choice = TypeVar("Choice", bound=StrEnum)
Read = TypeVar("Read")

NOBODY = UUID(int=0)
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Fields:
    """The fields of one entry. Values come from YAML (typed) or from a table (all text)."""

    def __init__(
        self, spot: Spot, content: object, allowed: Sequence[str], problems: list[Problem]
    ) -> None:
        self._spot, self._problems, self._before = spot, problems, len(problems)
        self._fields: Mapping[str, object] = content if isinstance(content, Mapping) else {}
        if not isinstance(content, Mapping):
            problems.append(spot.problem("not-a-mapping"))
        for name in self._fields:
            if name not in allowed:
                self.refuse(str(name), "unknown-field")

    @property
    def sound(self) -> bool:
        """Whether nothing was wrong so far."""
        return len(self._problems) == self._before

    def refuse(self, name: str, code: str, **params: object) -> None:
        """Report a field; a dotted name points inside it."""
        self._problems.append(self._spot.at(*name.split(".")).problem(code, **params))

    def get(self, name: str) -> object:
        """The raw value; None when absent or empty."""
        value = self._fields.get(name)
        return None if value == "" else value

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.get(name)
        if value is None:
            self.refuse(name, "required")
            return ""
        if isinstance(value, str) and value.strip():
            return self._visible(name, value)
        self.refuse(name, "not-a-text")
        return ""

    def code(self, name: str) -> str:
        """A code that must be there: lower-case words joined by - and ."""
        value = self.text(name)
        if len(value) > MAX_CODE:
            self.refuse(name, "too-long", limit=MAX_CODE, length=len(value))
        elif value and not CODE.fullmatch(value):
            self.refuse(name, "bad-code", value=value)
        return value

    def texts(self, name: str) -> dict[str, str]:
        """A mapping of texts, possibly absent."""
        value = self.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.refuse(name, "not-a-mapping")
            return {}
        for key, each in value.items():
            if not isinstance(each, str) or not each.strip():
                self.refuse(f"{name}.{key}", "not-a-text")
        return {
            str(key): self._visible(f"{name}.{key}", each)
            for key, each in value.items()
            if isinstance(each, str)
        }

    def listed_texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, possibly absent; doubles and blanks are dropped."""
        value = self.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.refuse(name, "not-a-list")
            return ()
        texts = (self._visible(name, each) for each in value)
        return tuple(dict.fromkeys(filter(None, texts)))

    def names(self, needed: Collection[str] = tuple(Language)) -> dict[str, str]:
        """The names in the languages of the city, all of them unless fewer are needed."""
        names = self.texts("names")
        for language in needed:
            if not names.get(language):
                self.refuse(f"names.{language}", "required")
        for extra in names.keys() - set(Language):
            self.refuse(f"names.{extra}", "unknown-field")
        return names

    def one_of(self, name: str, choices: type[Choice], otherwise: Choice) -> Choice:
        """A word of a closed set."""
        value = self.text(name)
        if value in choices.__members__.values():
            return choices(value)
        if value:
            self.refuse(name, "unknown", value=value, allowed=[each.value for each in choices])
        return otherwise

    def listed(self, name: str, known: AbstractSet[str]) -> str:
        """A code that must be among the known."""
        value = self.text(name)
        if value and value not in known:
            self.refuse(name, "unknown", value=value)
        return value

    def optional_listed(self, name: str, known: AbstractSet[str]) -> str | None:
        """A known code, or nothing."""
        return None if self.get(name) is None else self.listed(name, known)

    def reference(self, name: str, known: Mapping[str, UUID]) -> UUID:
        """The id behind a code that must be among the known."""
        return known.get(self.listed(name, known.keys()), NOBODY)

    def optional_reference(self, name: str, known: Mapping[str, UUID]) -> UUID | None:
        """The id behind a known code, or nothing."""
        return None if self.get(name) is None else self.reference(name, known)

    def references(self, name: str, known: Mapping[str, UUID]) -> frozenset[UUID]:
        """The ids behind a list of codes, at least one."""
        value = self.get(name)
        if not isinstance(value, list) or not value:
            self.refuse(name, "required" if value is None or value == [] else "not-a-list")
            return frozenset()
        for place, code in enumerate(value):
            if not isinstance(code, str) or code not in known:
                self.refuse(f"{name}.{place}", "unknown", value=str(code))
        return frozenset(known[c] for c in value if isinstance(c, str) and c in known)

    def polygon(self, name: str) -> Polygon:
        """At least three points [longitude, latitude] in degrees."""
        value = self.get(name)
        points = value if isinstance(value, list) else []
        if len(points) < 3:
            self.refuse(name, "required" if value is None else "too-few-points")
        ring: list[tuple[float, float]] = []
        for place, point in enumerate(points):
            try:
                longitude, latitude = (float(part) for part in point)
                if not (abs(longitude) <= 180 and abs(latitude) <= 90):
                    raise ValueError(point)
                ring.append((longitude, latitude))
            except (TypeError, ValueError):
                self.refuse(f"{name}.{place}", "not-a-point", value=str(point))
        if len(ring) == len(points) >= 3 and crosses_itself(ring):
            self.refuse(name, "crosses-itself")
        return tuple(ring)

    def degrees(self, name: str, limit: int) -> float:
        """A coordinate between -limit and limit; 50,41 is taken as spreadsheets here write it."""
        if self.get(name) is None:
            self.refuse(name, "required")
            return 0.0
        value = self._read(name, "not-a-degree", lambda text: float(text.replace(",", ".")), 0.0)
        if not (isfinite(value) and abs(value) <= limit):
            self.refuse(name, "out-of-range", minimum=-limit, maximum=limit)
            return 0.0
        return value

    def refuse_other_shapes(self, kind: TerritoryKind) -> None:
        """A territory is drawn in one way only."""
        for other in set(TerritoryKind) - {kind}:
            if self.get(other) is not None:
                self.refuse(other, "not-of-this-kind", kind=kind.value)

    def whole(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            self.refuse(name, "not-a-number", value=str(value))
            return default
        return self._read(name, "not-a-number", lambda text: int(text), default)

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        if self.get(name) is None:
            return default
        return self._read(name, "not-a-flag", lambda text: _FLAGS[text.lower()], default)

    def day(self, name: str) -> date | None:
        """A day, ISO 8601, or nothing."""
        if self.get(name) is None:
            return None
        return self._read(name, "not-a-day", date.fromisoformat, None)

    def identity(self, derived: UUID) -> UUID:
        """The id given, else the one derived."""
        return derived if self.get("id") is None else self._read("id", "not-an-id", UUID, derived)

    def _visible(self, name: str, text: str) -> str:
        if found := CONTROL.search(text):
            self.refuse(name, "control-character", character=f"U+{ord(found[0]):04X}")
        return text.strip()

    def _read(self, name: str, code: str, read: Callable[[str], Read], otherwise: Read) -> Read:
        value = str(self.get(name)).strip()
        try:
            return read(value)
        except (ValueError, KeyError):
            self.refuse(name, code, value=value)
            return otherwise
