"""What a city and the national register agree on, as values; the files are read elsewhere
(integrations/eotinish/contract.py), and every name that they use is checked there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from domain.appeals.model import Kind
from domain.appeals.workflow import Status
from domain.law.kinds import AppealKind
from domain.values import Language


@dataclass(frozen=True, slots=True)
class Selection:
    """Which appeals go to the national register: those that stand before the law here (domain/law),
    so that they are of one kind and have one term on both sides, where their service is listed and
    not among `never`. `services` are codes, or the beginnings of codes that end in `*`.
    """

    services: tuple[str, ...] = ("*",)
    never: tuple[str, ...] = ()

    def covers(self, service: str, *, lawful: bool) -> bool:
        """Whether an appeal about this service goes out; `lawful` where it stands before the
        law.
        """
        return lawful and _matches(service, self.services) and not _matches(service, self.never)


@dataclass(frozen=True, slots=True)
class Term:
    """How long the state expects an appeal of a type to take: working days, or days."""

    days: int
    working: bool

    def __str__(self) -> str:
        return f"{self.days} {'working' if self.working else 'calendar'} days"


@dataclass(frozen=True, slots=True)
class Agreements:
    """How the words of both sides correspond.

    `types` and `kinds`: our kind → the state's type, and back; `laws`: the state's type → what it
    is before the law. `states`: our status → the state's state, for every status; `languages`
    likewise. `number` is what a national number looks like; where one of its groups matches, the
    number is that of a case's child. `service` takes what the state assigns where `categories`
    (the state's category → our service) says nothing. `terms`: the state's type → its term.
    `forwarded` is the state's state of what was sent on to a body outside the city.
    """

    types: Mapping[Kind, str]
    kinds: Mapping[str, Kind]
    laws: Mapping[str, AppealKind]
    states: Mapping[Status, str]
    languages: Mapping[Language, str]
    number: re.Pattern[str]
    service: str = ""
    categories: Mapping[str, str] | None = None
    terms: Mapping[str, Term] = field(default_factory=dict)
    forwarded: str = ""

    def type_of(self, kind: Kind, lawful: AppealKind | None) -> str:
        """The state's type of an appeal: by what it is before the law, else by its kind."""
        named = (type for type, law in self.laws.items() if law is lawful)
        return next(named, None) or self.types[kind]

    def state_of(self, status: Status, *, forwarded: bool = False) -> str:
        """The state's state of an appeal: one that was sent on to another body, and not taken back
        by the resident, is finished with us and with nobody else.
        """
        sent_on = forwarded and bool(self.forwarded) and status is not Status.WITHDRAWN
        return self.forwarded if sent_on else self.states[status]

    def is_child(self, number: str) -> bool:
        """Whether a number is that of a part of another case, which the state gave away."""
        found = self.number.fullmatch(number)
        return found is not None and any(found.groups())

    def named(self, type: str) -> Sequence[tuple[Kind, AppealKind | None]]:
        """All that goes out as this type of the state: our kind, and what it is before the law."""
        return [
            (kind, law)
            for kind in self.types
            for law in (None, *self.laws.values())
            if self.type_of(kind, law) == type
        ]

    def kind_of(self, type: str | None) -> Kind | None:
        """Our kind for a type of the state; None for one that nobody agreed on."""
        return self.kinds.get(type or "")

    def language_of(self, code: str | None) -> Language:
        """Our language for the state's code; Russian where it names none that we speak."""
        return next((one for one, said in self.languages.items() if said == code), Language.RU)

    def service_of(self, category: str | None) -> str:
        """Our service for a category of the state."""
        return (self.categories or {}).get(category or "", self.service)


def _matches(service: str, patterns: tuple[str, ...]) -> bool:
    return any(_pattern(one).fullmatch(service) for one in patterns)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    stem = text.removesuffix("*")
    return re.compile(re.escape(stem) + (".*" if stem != text else ""))
