"""The card of an appeal: what it is found by (finding_tables.py), and how words are looked for."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import md5
from typing import Any

from domain.appeals.model import Appeal, Change
from domain.appeals.workflow import Status

NAMED = ("service", "category", "sphere", "district", "channel", "kind", "criticality")
"""Fields that every card names; `emergency` and `withdrawn` stand on it only where true."""

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\s*([A-Za-z]{2,6})[- ]?([0-9]{4})[- ]?([0-9]{6,9})\s*")


@lru_cache(maxsize=20_000)
def facet(name: str, value: str) -> int:
    """A number for a field's value: the first four bytes of MD5, as a signed integer.

    Two values may share a number; whoever looks up cards asks the appeal itself as well.
    """
    return int.from_bytes(md5(f"{name}={value}".encode(), usedforsecurity=False).digest()[:4], "big", signed=True)  # fmt: skip  # noqa: E501


def day(at: datetime | date) -> int:
    """The facet of a day, in UTC."""
    on = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return facet("day", on.isoformat())


def words(*texts: str | None) -> str:
    """Texts as searches read them: small letters and figures, a space before each word."""
    found = _WORD.findall(" ".join(filter(None, texts)).lower())
    return f" {' '.join(found)}"


def likeness(text: str) -> str:
    """The pattern of words: anywhere in them, but of one or two letters at a word's beginning.

    An index of three letters at once knows where a word begins, and nothing of two within it.
    """
    said = words(text)
    escaped = said.replace("_", r"\_")
    short = all(len(word) < 3 for word in said.split())
    return f"%{escaped}%" if short else f"%{escaped[1:]}%"


def whole_number(text: str | None) -> str | None:
    """The registration number that a text is, if it is one and nothing besides.

    `sem 2026 000123` is SEM-2026-000123. Numbers of one year share most of their letters, so an
    index of words is the slowest way to one of them.
    """
    found = _NUMBER.fullmatch(text or "")
    return f"{found[1].upper()}-{found[2]}-{found[3]}" if found else None


def card_row(change: Change) -> dict[str, object]:
    """The row of `card` after a change; the organisations are those of the change."""
    appeal = change.appeal
    return {
        "appeal_id": appeal.id,
        "city_id": appeal.city,
        "registered_at": appeal.registered_at,
        "facets": facets_of(_named(appeal)),
        "organisations": holders_row(change)["organisations"],
        "words": words(appeal.text, appeal.place.address, appeal.number),
    }


def holders_row(change: Change) -> dict[str, object]:
    """Whom a change gives the appeal to, each once."""
    return {
        "appeal_id": change.appeal.id,
        "organisations": list(dict.fromkeys(one.organisation for one in change.assignments)),
    }


def _named(appeal: Appeal) -> dict[str, object]:
    own = (*NAMED, "emergency", "status", "registered_at")
    said = {name: getattr(appeal, name) for name in own if name != "district"}
    return said | {"district": appeal.place.district}


def facets_of(row: Mapping[str, Any]) -> list[int]:
    """The facets that the row of an appeal asks for."""
    found = [facet(name, str(row[name])) for name in NAMED if row[name] is not None]
    if row["emergency"]:
        found.append(facet("emergency", "true"))
    if row["status"] == Status.WITHDRAWN:
        found.append(facet("status", "withdrawn"))
    return sorted([*found, day(row["registered_at"])])
