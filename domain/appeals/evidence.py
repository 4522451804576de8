"""Evidence before 'done': what a stage of an appeal needs, whether it came, what is kept of it.

Of a position the register keeps the distance to the place and the accuracy, in whole metres, and
never the position. The register forgets nothing: positions would become a track of a worker's
days, and one beside a home would tell in the clear the place that is sealed for the resident's
sake. The two figures and the metres asked for are enough to judge the decision again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from math import asin, ceil, cos, radians, sin, sqrt

from domain.appeals import commands as c
from domain.appeals.desk import Desk, Step
from domain.appeals.model import Appeal, Waiver
from domain.attachments import MediaKind
from domain.catalogue.evidence import STAGES, ActForm, Need, Piece
from domain.errors import Conflict, EvidenceMissing, Fault
from domain.events import EventType, Fact
from domain.ports import TakenFile
from domain.reference import Reference
from domain.sla.policy import Stage
from domain.values import Coordinates

EARTH = 6_371_008.8
"""Mean radius in metres (IUGG)."""

NOTHING = Need()


@dataclass(frozen=True, slots=True)
class Asked:
    """What one act needs. `waived` an inspector let go, so that none of it is asked for;
    `placeless` says that a position would be, had the appeal a place to compare it with, or
    anybody who stands there. `acts` are the forms that the number must have besides that of
    `need`: those of stages that it ends as well.
    """

    stage: Stage
    need: Need
    waived: frozenset[Piece]
    placeless: bool
    acts: tuple[tuple[Stage, ActForm], ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What a fact says of evidence: figures in the clear, the act's number as a sealed text."""

    data: Mapping[str, object]
    personal: Mapping[str, str]


def asked(
    appeal: Appeal,
    stage: Stage,
    reference: Reference,
    *,
    placeless: bool = False,
    termination: bool = False,
) -> Asked:
    """What must come with the act that reports `stage`, by the version of the service that the
    appeal was registered under; no position where nobody stands at its place (Desk). Of a
    `termination`: what was let go for that counts, and what was let go for the work does not.

    An act brings the evidence of every stage that it ends: who secures has arrived, and who
    resolves at once has done both.
    """
    demanded = reference.evidence.get((appeal.service, appeal.service_version), {})
    every = {one: demanded.get(one, NOTHING) for one in _ended(appeal, stage)}
    # What was let go of the stage that is reported is asked for in no form; what was let go of one
    # before it is asked for by whichever of the others wants it.
    waivers = [one for one in appeal.waivers if one.termination is termination]
    needs = {one: _without(need, _let_go(waivers, one, stage)) for one, need in every.items()}
    whole = reduce(both, needs.values())
    waived = reduce(both, every.values()).pieces() - whole.pieces()
    nowhere = placeless or not _places(appeal, reference)
    unplaced = nowhere and Piece.POSITION in whole.pieces()
    need = _without(whole, frozenset({Piece.POSITION} if unplaced else ()))
    return Asked(stage, need, waived, unplaced, tuple(other_acts(needs, need.act)))


def _let_go(waivers: Iterable[Waiver], *stages: Stage) -> frozenset[Piece]:
    return frozenset(one.piece for one in waivers if one.piece and one.stage in stages)


def other_acts(
    needs: Mapping[Stage, Need], told: ActForm | None
) -> Iterator[tuple[Stage, ActForm]]:
    """The forms of acts that are not the one told, each by the latest stage that has it (`needs`
    begin with that); none where none is asked for.
    """
    known = {told.patterns} if told is not None else None
    for stage, need in needs.items():
        if known is not None and need.act is not None and need.act.patterns not in known:
            known.add(need.act.patterns)
            yield stage, need.act


def ahead(appeal: Appeal, reference: Reference) -> tuple[Asked, ...]:
    """What the acts that are still ahead will need, for whoever prepares for them."""
    if (appeal.service, appeal.service_version) not in reference.evidence:
        return ()
    coming = [
        asked(appeal, stage, reference)
        for stage in STAGES
        if stage is Stage.RESOLVE or _runs(appeal, stage)
    ]
    return tuple(one for one in coming if one.need != NOTHING or one.waived or one.placeless)


def prove(appeal: Appeal, stage: Stage, command: c.Report | c.Resolve, desk: Desk) -> Proof:
    """What is kept of the evidence that came. Raises EvidenceMissing naming all that lacks."""
    wanted = asked(appeal, stage, desk.reference, placeless=desk.placeless)
    everything = [one for one in desk.uploads.values() if one.kind == MediaKind.IMAGE]
    pictures = since(everything, _given_at(appeal))
    photos = {one.original_sha256 for one in pictures}
    seen = {one.original_sha256 for one in pictures if one.seen}
    distance = _distance(appeal, command.position, desk.reference)
    faults = [
        *too_few(wanted.need, everything, pictures, stage),
        *_too_far(wanted.need, command.position, distance),
        *no_act(wanted.need, command.act_number),
        *no_act_of(wanted.acts, command.act_number),
    ]
    if faults:
        raise EvidenceMissing(faults)
    number = command.act_number
    return Proof(
        _told(wanted, (len(photos), len(seen)), command.position, distance),
        {"act_number": number} if number else {},
    )


def waive(appeal: Appeal, command: c.Waive, desk: Desk) -> Step:
    """An inspector lets evidence go, saying why. Raises Conflict where none is asked for, and of a
    termination where there is no procedure before the law to end.

    A termination needs it also where steps before the work are all that stands against it: then
    it says that nobody need come.
    """
    ending = command.termination
    if ending and (appeal.legal is None or not appeal.legal.considered):
        raise Conflict(reason="no-appeal-before-the-law")
    open_ = asked(appeal, command.stage, desk.reference, termination=ending).need.pieces()
    pieces = [piece for piece in Piece if piece in open_ & (command.pieces or open_)]
    if not pieces and not (ending and _want_a_word(appeal, command, desk)):
        raise Conflict(reason="nothing-to-waive")
    let_go: list[Piece | None] = [*pieces] or [None]
    waivers = tuple(Waiver(command.stage, piece, ending) for piece in let_go)
    said = {"stage": str(command.stage), "evidence": [str(piece) for piece in pieces]}
    fact = Fact(
        EventType.EVIDENCE_WAIVED,
        said | ({"termination": True} if ending else {}),
        {"reason": command.reason},
    )
    return Step(replace(appeal, waivers=(*appeal.waivers, *waivers)), (fact,))


def _want_a_word(appeal: Appeal, command: c.Waive, desk: Desk) -> bool:
    """Whether steps are all that stands against a termination."""
    if command.pieces or ends_by_word(appeal):
        return False
    work = asked(appeal, Stage.RESOLVE, desk.reference, termination=True)
    return not work.need.pieces() and bool(unreached(appeal))


def unreached(appeal: Appeal) -> tuple[Stage, ...]:
    """The promised steps before the work that nobody has reported."""
    return tuple(stage for stage in (Stage.ARRIVE, Stage.SECURE) if _runs(appeal, stage))


def ends_by_word(appeal: Appeal) -> bool:
    """Whether an inspector let anything go for ending the procedure."""
    return any(one.termination for one in appeal.waivers)


def metres(one: Coordinates, other: Coordinates) -> float:
    """The distance of two points along the globe (haversine)."""
    south, north = radians(one.latitude), radians(other.latitude)
    east = radians(other.longitude - one.longitude)
    chord = sin((north - south) / 2) ** 2 + cos(south) * cos(north) * sin(east / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(chord)))


def _ended(appeal: Appeal, stage: Stage) -> list[Stage]:
    """The stage and those before it that its report ends, the latest first."""
    before = STAGES[: STAGES.index(stage)]
    return [stage, *(one for one in reversed(before) if _runs(appeal, one))]


def _runs(appeal: Appeal, stage: Stage) -> bool:
    clock = appeal.clock(stage)
    return clock is not None and clock.met_at is None and clock.cancelled_at is None


def both(later: Need, earlier: Need) -> Need:
    """What satisfies the one and the other, but for the form of the earlier's act where both have
    one (Asked.acts).
    """
    radii = [need.within for need in (later, earlier) if need.within is not None]
    return Need(
        max(later.photos, earlier.photos), min(radii, default=None), later.act or earlier.act
    )


def _without(need: Need, gone: frozenset[Piece]) -> Need:
    return Need(
        0 if Piece.PHOTO in gone else need.photos,
        None if Piece.POSITION in gone else need.within,
        None if Piece.ACT_NUMBER in gone else need.act,
    )


def _places(appeal: Appeal, reference: Reference) -> list[Coordinates]:
    """The points that the place is known by: the caller's, and its building's."""
    place = appeal.place
    building = reference.buildings.get(place.building) if place.building else None
    points = (place.coordinates, building.coordinates if building else None)
    return [point for point in points if point is not None]


def _distance(appeal: Appeal, position: c.Position | None, reference: Reference) -> int | None:
    """Whole metres to the nearest point of the place; None where either is unknown."""
    points = _places(appeal, reference)
    if position is None or not points:
        return None
    return round(min(metres(position.point, point) for point in points))


def _given_at(appeal: Appeal) -> datetime | None:
    """When the executor was last given the work: at first, or sent back to it."""
    clock = appeal.clock(Stage.RESOLVE)
    times = [appeal.assignment.offered_at] if appeal.assignment else []
    return max([*times, clock.started_at]) if clock is not None else max(times, default=None)


def since(pictures: Iterable[TakenFile], start: datetime | None) -> list[TakenFile]:
    """The pictures that can show work begun at `start`: one uploaded before it shows what was."""
    return [
        one
        for one in pictures
        if start is None or one.uploaded_at is None or one.uploaded_at >= start
    ]


def too_few(
    need: Need, came: Iterable[TakenFile], late: Iterable[TakenFile], stage: Stage
) -> Iterator[Fault]:
    """Photos that lack: of all that came, or of those that came late enough to show the work."""
    photos, after = ({one.original_sha256 for one in each} for each in (came, late))
    if len(after) < need.photos:
        pointer = "/evidence" if stage is Stage.RESOLVE else "/attachments"
        rule = "photos-missing" if len(photos) < need.photos else "photos-early"
        counted = photos if len(photos) < need.photos else after
        yield Fault(pointer, rule, {"needed": need.photos, "came": len(counted)})


def _too_far(need: Need, position: c.Position | None, distance: int | None) -> Iterator[Fault]:
    within = need.within
    if within is None:
        return
    if position is None or distance is None:
        yield Fault("/position", "position-missing", {"within": within})
        return
    accuracy = ceil(position.accuracy)
    if accuracy > within:
        # Such a fix lies within the circle as well as outside it.
        yield Fault(
            "/position/accuracy", "position-vague", {"accuracy": accuracy, "within": within}
        )
    elif distance > within + accuracy:
        params = {"distance": distance, "accuracy": accuracy, "within": within}
        yield Fault("/position", "position-far", params)


def no_act(need: Need, number: str | None) -> Iterator[Fault]:
    """The number of an act that lacks or is of another form."""
    if need.act is None:
        return
    if number is None:
        yield Fault("/act_number", "act-missing", {"example": need.act.example})
    elif not need.act.fits(number):
        yield Fault("/act_number", "act-form", {"example": need.act.example})


def no_act_of(acts: Iterable[tuple[Stage, ActForm]], number: str | None) -> Iterator[Fault]:
    """Stages whose act the number is none of: they are reported first, each with its own."""
    for stage, form in acts:
        if number is None or not form.fits(number):
            params = {"stage": stage, "example": form.example}
            yield Fault("/act_number", "act-of-stage", params)


def _told(
    wanted: Asked, photos: tuple[int, int], position: c.Position | None, distance: int | None
) -> dict[str, object]:
    said: dict[str, object] = {}
    came, seen = photos
    if wanted.need.photos or seen:
        # A picture that was shown before may be honest (one ditch, two appeals): the inspector
        # who checks the work learns of it and judges.
        said["photos"] = {"came": came, "needed": wanted.need.photos, "seen_before": seen}
    if position is not None and distance is not None:
        said["position"] = {
            "distance": distance,
            "accuracy": ceil(position.accuracy),
            "within": wanted.need.within,
        }
    if wanted.waived:
        said["waived"] = sorted(str(piece) for piece in wanted.waived)
    if wanted.placeless:
        said["placeless"] = True
    return {"shown": said} if said else {}
