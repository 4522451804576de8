"""What a city and the national register agree on, as values; the files are read elsewhere
(integrations/eotinish/contract.py), and every name that they use is checked there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from domain.appeals.model import Kind
from domain.appeals.workflow import Status
from domain.values import Language


@dataclass(frozen=True, slots=True)
class Selection:
    """Which appeals the law sends to the national register: by kind, and by service.

    `services` are codes, or the beginnings of codes that end in `*`. An appeal goes out when its
    kind is listed and its service is, and is not among `never`.
    """

    kinds: frozenset[str]
    services: tuple[str, ...] = ("*",)
    never: tuple[str, ...] = ()

    def covers(self, kind: str, service: str) -> bool:
        """Whether an appeal of this kind about this service goes out."""
        return (
            kind in self.kinds
            and _matches(service, self.services)
            and not _matches(service, self.never)
        )


@dataclass(frozen=True, slots=True)
class Agreements:
    """How the words of both sides correspond.

    `types` and `kinds`: our kind → the state's type, and back. `states`: our status → the state's
    state, for every status; `languages` likewise. `number` is what a national number looks like.
    `service` takes what the state assigns where `categories` (the state's category → our service)
    says nothing.
    """

    types: Mapping[Kind, str]
    kinds: Mapping[str, Kind]
    states: Mapping[Status, str]
    languages: Mapping[Language, str]
    number: re.Pattern[str]
    service: str = ""
    categories: Mapping[str, str] | None = None

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
