"""What a service demands to see before a stage of it counts as reached.

Part of a service's version: an appeal is judged by what stood there when it was registered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import jsonschema_rs

from domain.catalogue.localised import compiled
from domain.sla.policy import Stage

STAGES = (Stage.ARRIVE, Stage.SECURE, Stage.RESOLVE)
"""Stages that somebody reports; an answer is its own evidence."""


class Piece(StrEnum):
    """One kind of evidence."""

    PHOTO = "photo"
    POSITION = "position"
    ACT_NUMBER = "act_number"


@dataclass(frozen=True, slots=True)
class ActForm:
    """How the number of an act (a signed paper about the work) looks; `example` is one. `others`
    are patterns of which it may be instead (any_of); a catalogue's own form has none.
    """

    pattern: str
    example: str
    others: tuple[str, ...] = ()

    @property
    def patterns(self) -> frozenset[str]:
        """All that a number may be of."""
        return frozenset({self.pattern, *self.others})

    def fits(self, number: str) -> bool:
        """Whether the whole of `number` is of this form."""
        return any(_matcher(one).is_valid({"number": number}) for one in self.patterns)


def any_of(forms: Iterable[ActForm]) -> ActForm | None:
    """The form of a number that is of one of these at least, with an example of each; None where
    there is none.
    """
    told: list[ActForm] = []
    for form in forms:
        if not any(form.patterns <= one.patterns for one in told):
            told.append(form)
    if len(told) < 2:
        return next(iter(told), None)
    first, *rest = told
    others = dict.fromkeys(one for form in rest for one in sorted(form.patterns))
    examples = dict.fromkeys(form.example for form in told)
    return ActForm(first.pattern, "; ".join(examples), (*first.others, *others))


@dataclass(frozen=True, slots=True)
class Need:
    """The evidence of one stage: so many photos, a position within so many metres of the place,
    the number of an act. What is 0 or None is not asked for.
    """

    photos: int = 0
    within: int | None = None
    act: ActForm | None = None

    def pieces(self) -> frozenset[Piece]:
        """What is asked for at all."""
        asked = (
            (Piece.PHOTO, self.photos > 0),
            (Piece.POSITION, self.within is not None),
            (Piece.ACT_NUMBER, self.act is not None),
        )
        return frozenset(piece for piece, wanted in asked if wanted)

    def document(self) -> dict[str, object]:
        """As it stands in a catalogue's file."""
        act = self.act and {"pattern": self.act.pattern, "example": self.act.example}
        parts = {"photos": self.photos or None, "within_metres": self.within, "act": act}
        return {name: value for name, value in parts.items() if value is not None}


Evidence = Mapping[Stage, Need]
"""Stage → what it needs; a stage that is not there needs nothing."""


def evidence_document(evidence: Evidence) -> dict[str, object]:
    """As it stands in a catalogue's file, stages in their order."""
    return {str(stage): evidence[stage].document() for stage in STAGES if stage in evidence}


def parse_evidence(document: Mapping[str, Any]) -> dict[Stage, Need]:
    """What `evidence_document` wrote."""
    return {
        Stage(stage): Need(
            said.get("photos", 0),
            said.get("within_metres"),
            ActForm(said["act"]["pattern"], said["act"]["example"]) if "act" in said else None,
        )
        for stage, said in document.items()
    }


@lru_cache(maxsize=512)
def _matcher(pattern: str) -> jsonschema_rs.Draft202012Validator:
    """The engine of the forms: it matches in linear time, whatever somebody wrote.

    Raises jsonschema_rs.ValidationError for what is no regular expression.
    """
    number = {"type": "string", "pattern": f"^(?:{pattern})$"}
    return compiled({"type": "object", "properties": {"number": number}})


def is_pattern(pattern: str) -> bool:
    """Whether an `ActForm` can be made of it."""
    try:
        _matcher(pattern)
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True
