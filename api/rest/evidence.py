"""What evidence will be needed, as the service and the appeal tell it beforehand."""

from typing_extensions import TypedDict

from api import stage_texts
from api.evidence_texts import NEEDS, PIECES
from domain.appeals.evidence import Asked
from domain.catalogue.evidence import STAGES, Evidence, Need, Piece
from domain.values import in_language


class ActNumberView(TypedDict):
    """The form of an act's number: a regular expression, and one that fits."""

    pattern: str
    example: str


class NeedView(TypedDict):
    """What the report of a stage must bring: so many different photos, a position within so many
    metres, an act's number; 0 and null are not asked for. `text` says it in words.
    """

    stage: str
    photos: int
    within_metres: int | None
    act_number: ActNumberView | None
    text: str


class AskedView(NeedView):
    """The same for one appeal. `waived` an inspector let go; with `placeless` a position would be
    asked for, had the appeal a place.
    """

    waived: list[str]
    placeless: bool


def evidence_view(evidence: Evidence, language: str) -> list[NeedView]:
    """What the stages of a service need, in their order."""
    return [
        _need(stage, evidence[stage], _words(evidence[stage], language))
        for stage in STAGES
        if stage in evidence
    ]


def asked_view(asked: Asked, language: str) -> AskedView:
    """What one act of an appeal will need."""
    words = _words(asked.need, language)
    for stage, form in asked.acts:
        named = in_language(stage_texts.STAGES[stage], language)
        words.append(_said("act_of_stage", language, stage=named, example=form.example))
    if asked.placeless:
        words.append(_said("placeless", language))
    if asked.waived:
        pieces = ", ".join(in_language(PIECES[one], language) for one in sorted(asked.waived))
        words.append(_said("waived", language, pieces=pieces))
    return {
        **_need(asked.stage, asked.need, words),
        "waived": sorted(str(piece) for piece in asked.waived),
        "placeless": asked.placeless,
    }


def _need(stage: str, need: Need, words: list[str]) -> NeedView:
    act = need.act
    return {
        "stage": str(stage),
        "photos": need.photos,
        "within_metres": need.within,
        "act_number": {"pattern": act.pattern, "example": act.example} if act else None,
        "text": "; ".join(words),
    }


def _words(need: Need, language: str) -> list[str]:
    facts = {
        "photos": need.photos,
        "within": need.within,
        "example": need.act.example if need.act else None,
    }
    asked = need.pieces()
    return [_said(str(piece), language, **facts) for piece in Piece if piece in asked]


def _said(key: str, language: str, **facts: object) -> str:
    return in_language(NEEDS[key], language).format_map(facts)
