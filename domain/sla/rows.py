"""Reading catalogue rows: every bad field is noted with its JSON Pointer, then all are refused.

A reader answers with a harmless value after noting a fault, so that one reading names them all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from domain.errors import Fault, Invalid
from domain.sla.durations import parse_duration
from domain.values import Language

_Choice = TypeVar("_Choice", bound=StrEnum)
_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SOME_DAY = date(1970, 1, 1)


def _child(pointer: str, name: object) -> str:
    """The pointer of a field within `pointer`, escaped as RFC 6901 asks."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


def day_of(value: object) -> date | None:
    """A date, given as one or as `YYYY-MM-DD`; None when it is neither."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


class Row:
    """One mapping of a document, at `pointer`, whose faults join those of its document."""

    __slots__ = ("faults", "pointer", "source")

    def __init__(
        self, source: object, pointer: str = "", faults: list[Fault] | None = None
    ) -> None:
        self.pointer = pointer
        self.faults: list[Fault] = [] if faults is None else faults
        self.source: Mapping[str, object] = source if isinstance(source, Mapping) else {}
        if not isinstance(source, Mapping):
            self.faults.append(Fault(pointer, "type", {"expected": "object"}))

    def refuse(self) -> None:
        """Raise Invalid with all faults noted so far, if any."""
        if self.faults:
            raise Invalid(self.faults)

    def fault(self, name: str, rule: str, /, **params: object) -> None:
        """Note a fault of one field."""
        self.fault_at(_child(self.pointer, name), rule, **params)

    def fault_at(self, pointer: str, rule: str, /, **params: object) -> None:
        """Note a fault anywhere in the document."""
        self.faults.append(Fault(pointer, rule, params))

    def only(self, *known: str) -> None:
        """Fields outside `known` are slips of the pen, not extensions."""
        for name in self.source:
            if name not in known:
                self.fault(str(name), "unknown")

    def has(self, name: str) -> bool:
        return self.source.get(name) is not None

    def required(self, name: str) -> bool:
        """Whether the field is there; its absence is a fault."""
        if not self.has(name):
            self.fault(name, "required")
        return self.has(name)

    def code(self, name: str) -> str:
        value = self.source.get(name)
        if self.required(name) and not (isinstance(value, str) and _CODE.fullmatch(value)):
            self.fault(name, "code", value=value)
        return str(value)

    def flag(self, name: str) -> bool:
        """A yes or no; absence is no."""
        value = self.source.get(name, False)
        if not isinstance(value, bool):
            self.fault(name, "type", expected="boolean")
        return value is True

    def choice(self, name: str, options: type[_Choice]) -> _Choice:
        value = self.source.get(name)
        members = {str(option): option for option in options}
        if self.required(name) and not (isinstance(value, str) and value in members):
            self.fault(name, "unknown-value", value=value, allowed=list(members))
        return members.get(str(value), next(iter(options)))

    def day(self, name: str) -> date:
        found = day_of(self.source.get(name))
        if self.required(name) and found is None:
            self.fault(name, "date", value=self.source.get(name))
        return found or _SOME_DAY

    def duration(self, name: str, *, positive: bool = False) -> timedelta:
        """A required ISO 8601 duration; `positive` refuses zero."""
        value = self.source.get(name)
        if not self.required(name):
            return timedelta(0)
        try:
            amount = parse_duration(value if isinstance(value, str) else "")
        except Invalid as refusal:
            self.fault(name, refusal.faults[0].rule, value=value)
            return timedelta(0)
        if positive and not amount:
            self.fault(name, "out-of-range", value=value)
        return amount

    def texts(self, name: str) -> Mapping[str, str]:
        """A text in all three languages, none of them blank."""
        if not self.required(name):
            return {}
        texts = Row(self.source[name], _child(self.pointer, name), self.faults)
        texts.only(*Language)
        for language in Language:
            value = texts.source.get(language)
            if texts.required(language) and not (isinstance(value, str) and value.strip()):
                texts.fault(language, "text")
        return {language.value: str(texts.source.get(language)) for language in Language}

    def row(self, name: str) -> "Row":
        return Row(self.source.get(name), _child(self.pointer, name), self.faults)

    def items(self, name: str) -> Iterator[tuple[str, object]]:
        """The pointer and value of each item of a list; an absent list is empty."""
        value = self.source.get(name)
        if not self.has(name):
            return
        if isinstance(value, str) or not isinstance(value, Sequence):
            self.fault(name, "type", expected="array")
            return
        for place, item in enumerate(value):
            yield f"{_child(self.pointer, name)}/{place}", item
