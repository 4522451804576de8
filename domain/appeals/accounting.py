"""The rows of an appeal against the account of its events: every column that the events tell.

Told are faults in words, for who audits; nothing here mends one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.appeals.account import Account, Told
from domain.appeals.model import COUNTING, SAME_DAY, Place
from domain.appeals.places import seal_answers, seal_place
from domain.catalogue.model import Criticality
from domain.ports import Keyring
from domain.register.canonical import commitment
from domain.sla.policy import Stage
from domain.values import Coordinates

Row = Mapping[str, Any]
"""Columns as the database has them; documents with ids and times as texts."""

_ELSEWHERE = frozenset({"route", "responsibility", "emergency", "criticality"})
_APPLICANT = ("name", "phone", "email")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of one appeal. `holders` are those of its card, `personal` the sealed texts
    of its events (`event_id`, `field`, `salt`, `sealed`), `files` its attachments.
    """

    appeal: Row
    clocks: Sequence[Row] = ()
    assignments: Sequence[Row] = ()
    completions: Sequence[Row] = ()
    holders: Sequence[UUID] = ()
    personal: Sequence[Row] = ()
    files: Sequence[Row] = ()


def faults(kept: Kept, told: Account, keyring: Keyring) -> Iterator[str]:
    """All in which the rows tell another story than the events, each in words."""
    row = _whole(kept.appeal)
    if odd := [*_appeal(row, told), *_legal(row, told.legal), *_derived(row, kept.clocks)]:
        yield f"its row tells another {', '.join(odd)} than its events"
    yield from _clocks(row, kept.clocks)
    yield from _assignments(kept.assignments, told.assignments)
    yield from _completions(kept.completions, told.completions)
    if {str(one) for one in kept.holders} != told.holders:
        yield "its card names others than those to whom its events gave it"
    for file in kept.files:
        said = told.files.get(str(file["id"]))
        if said is None or _odd(file, said):
            yield f"its events tell of no such attachment {file['id']}"
    yield from _personal(kept, told, keyring)


def _whole(row: Row) -> Row:
    """The row as it is written today: a waiver of former days was for the work, and one standing
    before the law that has no kind is none (what the state said stands beside it).
    """
    legal = row["legal"]
    return {
        **row,
        "waivers": [{"termination": False} | one for one in row["waivers"]],
        "legal": legal if legal and legal["kind"] else None,
        "state_deadline": legal.get("state_deadline") if legal else None,
    }


def _appeal(row: Row, told: Account) -> Iterator[str]:
    for name, value in told.appeal.items():
        if name not in _ELSEWHERE and not _same(value, row[name]):
            yield name
    pause = told.appeal["pause"]
    if not _same(pause["until"] if pause else None, row["pause_until"]):
        yield "pause_until"
    for name, key in (("route", "reason"), ("responsibility", "responsibility")):
        if name in told.appeal and not _same(told.appeal[name], row["route"][key]):
            yield f"route ({key})"
    # A breach makes an emergency of an appeal where its policy says so, and the event does not.
    for name, urgent in (("emergency", True), ("criticality", Criticality.EMERGENCY)):
        said = {told.appeal.get(name, row[name]), *((urgent,) if told.hurried else ())}
        if row[name] not in said:
            yield name


def _legal(row: Row, told: Told | None) -> Iterator[str]:
    kept = row["legal"]
    if kept is None or told is None:
        if kept is not told:
            yield "legal"
        return
    for name, value in told.items():
        if not _same(value, kept[name]):
            yield f"legal ({name})"


def _derived(row: Row, clocks: Sequence[Row]) -> Iterator[str]:
    """Columns that repeat others, so that an index finds them."""
    legal = row["legal"]
    if row["legal_kind"] != (legal["kind"] if legal else None):
        yield "legal_kind"
    if row["prolonged"] is not bool(legal and legal["prolonged"]):
        yield "prolonged"
    counting = [clock for clock in clocks if clock["state"] in COUNTING]
    law = next((_at(k["due_at"]) for k in counting if k["stage"] == Stage.CONSIDER), None)
    if not _same(law if legal else None, row["law_due_at"]):
        yield "law_due_at"
    due = min((_at(clock["due_at"]) for clock in counting), default=None)
    day = row["state_deadline"] if legal and law else None
    if due is not None and day is not None and due - _at(day) > SAME_DAY:
        due = _at(day)
    if not _same(due, row["due_at"]):
        yield "due_at"


def _clocks(row: Row, clocks: Sequence[Row]) -> Iterator[str]:
    for clock in clocks:
        odd = [n for n in ("city_id", "district", "organisation_id") if clock[n] != row[n]]
        if odd:
            where = f"its clock {clock['stage']}/{clock['round']}"
            yield f"{where} tells another {', '.join(odd)} than its row"


def _assignments(rows: Sequence[Row], told: Mapping[str, Told]) -> Iterator[str]:
    kept = {str(row["id"]): row for row in rows}
    for id in told.keys() - kept.keys():
        yield f"its assignment {id} is missing"
    for id in kept.keys() - told.keys():
        yield f"its events tell of no assignment {id}"
    for id in told.keys() & kept.keys():
        if odd := _odd(kept[id], told[id]):
            yield f"its assignment {id} tells another {', '.join(odd)} than its events"


def _completions(rows: Sequence[Row], told: Sequence[Told]) -> Iterator[str]:
    kept = {row["number"]: row for row in rows}
    if kept.keys() != {one["number"] for one in told}:
        yield f"its work was done {len(told)} times, and {len(kept)} are counted"
        return
    for one in told:
        if odd := _odd(kept[one["number"]], one):
            yield f"its completion {one['number']} tells another {', '.join(odd)} than its events"


def _personal(kept: Kept, told: Account, keyring: Keyring) -> Iterator[str]:
    salts: dict[tuple[str, str], bytes] = {}
    texts: dict[tuple[str, str], str] = {}
    for row in kept.personal:
        place = event, field = str(row["event_id"]), row["field"]
        said = told.sealed.get(event, {}).get(field)
        salts[place] = bytes(row["salt"])
        text = _opened(row["sealed"], keyring)
        if text is None:
            yield f"the sealed {field} of event {event} cannot be opened by the keys that are here"
            continue
        texts[place] = text
        if said is None or commitment(text, salts[place]) != said:
            yield f"the sealed {field} of event {event} is not what was registered"
    if odd := [*_words(kept.appeal, told, salts), *_applicant(kept.appeal, told, texts, keyring)]:
        yield f"its row holds another {', '.join(odd)} than was registered"


def _words(row: Row, told: Account, salts: Mapping[tuple[str, str], bytes]) -> Iterator[str]:
    """The texts of the row itself. Of what was erased there is no salt, and nothing to hold."""
    for name, value in (("text", row["text"]), ("place", _place(row)), ("answers", _answers(row))):
        if name not in told.words:
            if name == "answers" and row["answers"]:
                yield name
            continue
        event, said = told.words[name]
        salt = salts.get((event, name))
        if salt is not None and commitment(value, salt) != said:
            yield name


def _applicant(
    row: Row, told: Account, texts: Mapping[tuple[str, str], str], keyring: Keyring
) -> Iterator[str]:
    sealed = row["applicant"]
    opened = _opened(sealed, keyring) if sealed is not None else "{}"
    if opened is None:
        yield "applicant"
        return
    known = orjson.loads(opened)
    for name in _APPLICANT:
        event, _ = told.words.get(name, ("", ""))
        # What was erased leaves the commitment alone, which nothing here can be held to.
        if event and (event, name) not in texts:
            continue
        if known.get(name) != texts.get((event, name)):
            yield name
    phone = known.get("phone")
    if phone and row["phone_index"] not in keyring.lookups(phone):
        yield "phone_index"


def _opened(sealed: bytes, keyring: Keyring) -> str | None:
    """The text; None where no key that is here opens it."""
    try:
        return keyring.open(bytes(sealed)).decode()
    except Exception:
        return None


def _place(row: Row) -> str:
    point = None
    if row["latitude"] is not None and row["longitude"] is not None:
        point = Coordinates(row["latitude"], row["longitude"])
    return seal_place(
        Place(
            row["building_id"], row["street_id"], row["district"], row["address"],
            row["apartment"], point,
        )
    )  # fmt: skip


def _answers(row: Row) -> str:
    return seal_answers(row["answers"])


def _odd(row: Row, told: Told) -> list[str]:
    return [name for name, value in told.items() if not _same(value, row[name])]


def _same(told: object, kept: Any) -> bool:
    if told == kept:
        return True
    if isinstance(told, datetime):
        return kept is not None and _at(kept) == told
    if isinstance(told, dict):
        return kept is not None and all(_same(value, kept[name]) for name, value in told.items())
    if isinstance(told, list):
        return len(told) == len(kept) and all(map(_same, told, kept))
    return isinstance(kept, UUID) and told == str(kept)


def _at(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
