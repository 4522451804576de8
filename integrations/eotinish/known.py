"""The names that a contract may use, message by message: what the city has a value for or makes
something of, what it may hold, and without what a message would be of no use. A name that is not
here would be left out in silence.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain.eotinish.model import Notice, Tale
from integrations.eotinish.names import PARTS

Kinds = frozenset[str]
TEXT: Kinds = frozenset({"text"})
CODE: Kinds = frozenset({"text", "long"})
"""A word or a number of the state's, which is looked up and not counted with."""
LONG: Kinds = frozenset({"long"})
DATE: Kinds = frozenset({"date"})
FLAG: Kinds = frozenset({"boolean"})
TEXTS: Kinds = frozenset({"texts"})


@dataclass(frozen=True, slots=True)
class Known:
    """A message's names with the kinds that each may be of. `needed` must stand in it, and always
    come where `comes`; of each set of `one_of` at least one.
    """

    names: Mapping[str, Kinds]
    needed: frozenset[str]
    comes: bool = False
    one_of: tuple[frozenset[str], ...] = ()


def _names(before: str = "") -> dict[str, Kinds]:
    whole = "author" if before else "name"
    return dict.fromkeys((whole, *(f"{before}{part}" for part in (*PARTS, "company"))), TEXT)


_NOTICE: Mapping[str, Kinds] = {
    "message_id": TEXT, "sequence": CODE, "own_number": TEXT, "number": TEXT, "at": DATE,
    "state": CODE, "text": TEXT, "executor": TEXT, "files": TEXTS,
}  # fmt: skip
_TOLD_BY_US = frozenset({"message_id", "sequence", "own_number", "state"})
"""Without these a repeat could not be told from a new message, nor an order be kept."""
_APPLICANT: Mapping[str, Kinds] = {
    **_names(), "applicant": CODE, "phone": TEXT, "email": TEXT, "iin": TEXT, "address": TEXT,
    "type": CODE, "language": CODE,
}  # fmt: skip

_ANEW: Mapping[str, Kinds] = {"type": CODE, "address": TEXT, "deadline": DATE}

_NOTICES: Mapping[str, tuple[Mapping[str, Kinds], frozenset[str]]] = {
    Notice.REGISTER: ({**_APPLICANT, "anonymous": FLAG}, frozenset({"type", "text"})),
    Notice.EXTENDED: ({"deadline": DATE}, frozenset({"number", "deadline"})),
    Notice.REOPENED: ({"deadline": DATE}, frozenset({"number"})),
    Notice.CLASSIFIED: (_ANEW, frozenset({"number", "type"})),
    Notice.CORRECTED: (_ANEW, frozenset({"number", "text"})),
    Notice.ATTACHED: ({}, frozenset({"number", "files", "text"})),
    Notice.FINISHED: ({}, frozenset({"number", "text"})),
    Notice.RATED: ({"rating": LONG, "satisfied": FLAG}, frozenset({"number", "satisfied"})),
}

_TALE: Mapping[str, Kinds] = {
    "number": TEXT, "version": LONG, "at": DATE, "state": CODE, "deadline": DATE, "text": TEXT,
    "to": TEXT, "decision": CODE, "files": TEXTS,
}  # fmt: skip
_WORD: Mapping[str, Kinds] = {**_names("author_"), "satisfied": FLAG, "rating": LONG}
_ASSIGNED: Mapping[str, Kinds] = {
    **_APPLICANT, "region": TEXT, "category": CODE, "own_number": TEXT,
}  # fmt: skip
_TALES: Mapping[str, tuple[Mapping[str, Kinds], frozenset[str]]] = {
    Tale.ASSIGNED: (_ASSIGNED, frozenset({"type", "text"})),
    Tale.EXTENDED: ({}, frozenset({"deadline"})),
    Tale.DECIDED: ({}, frozenset({"text"})),
    Tale.RATED: (_WORD, frozenset({"satisfied"})),
    Tale.WITHDRAWN: (_WORD, frozenset()),
}
_AUTHOR = frozenset(_names("author_"))
_PLACE = frozenset({"number", "version"})

_ROW: Mapping[str, Kinds] = {
    "number": TEXT, "own_number": TEXT, "state": CODE, "version": LONG, "sequence": LONG,
    "deadline": DATE,
}  # fmt: skip
_OTHERS: Mapping[tuple[str, str], Known] = {
    ("answers", "taken"): Known({"number": TEXT, "at": DATE}, frozenset({"number"}), comes=True),
    ("questions", "list"): Known({"after": TEXT, "limit": CODE}, frozenset({"after", "limit"})),
    ("questions", "again"): Known({"number": TEXT, "version": CODE}, _PLACE),
    ("rows", "listed"): Known(_ROW, frozenset(_ROW) - {"own_number", "deadline"}, comes=True),
}
GROUPS: Mapping[str, frozenset[str]] = {
    "notices": frozenset(Notice),
    "tales": frozenset(Tale),
    **{group: frozenset(n for g, n in _OTHERS if g == group) for group, _ in _OTHERS},
}
"""Each group of messages, and the names that must stand in it."""


def known_of(group: str, name: str) -> Known:
    """What is known of a message of a group."""
    if group == "notices":
        more, needed = _NOTICES.get(name, ({}, frozenset({"number"})))
        return Known({**_NOTICE, **more}, _TOLD_BY_US | needed)
    if group == "tales":
        more, needed = _TALES.get(name, ({}, frozenset()))
        author = (_AUTHOR,) if name in (Tale.RATED, Tale.WITHDRAWN) else ()
        return Known({**_TALE, **more}, _PLACE | needed, one_of=author)
    return _OTHERS[group, name]


def judge_names(group: str, name: str, fields: Iterable[tuple[str, str, bool]]) -> Iterator[str]:
    """What stands against a message's fields, each by name, kind, and whether it always comes."""
    known = known_of(group, name)
    held = {field: (kind, required) for field, kind, required in fields}
    for field, (kind, _) in held.items():
        kinds = known.names.get(field)
        if kinds is None:
            yield f"nothing here is called {field}"
        elif kind not in kinds:
            yield f"{field} must be {' or '.join(sorted(kinds))}, and is {kind}"
    for field in sorted(known.needed - set(held)):
        yield f"lacks the field {field}"
    for names in known.one_of:
        if not names & set(held):
            yield f"lacks one of the fields {', '.join(sorted(names))}"
    always = known.needed if known.comes else _PLACE if group == "tales" else frozenset()
    for field in sorted(always & set(held)):
        if not held[field][1]:
            yield f"{field} must be required"
