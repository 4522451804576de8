"""Reading the evidence of an imported service; what is wrong is reported, never guessed."""

from collections.abc import Mapping

from domain.catalogue.evidence import STAGES, ActForm, Need, is_pattern
from domain.catalogue.fields import Desk
from domain.catalogue.problems import Spot
from domain.sla.policy import Stage

MAX_PHOTOS = 10
"""As many as one act can name."""
NEAREST, FARTHEST = 10, 5_000
"""Metres: no telephone knows its place better, and farther off says nothing."""
MAX_PATTERN = 200
MAX_EXAMPLE = 40
PARTS = ("photos", "within_metres", "act")


def read_evidence(desk: Desk, value: object, spot: Spot) -> dict[Stage, Need]:
    """Stage → its need, of a mapping {arrive, secure, resolve: {photos, within_metres, act}}."""
    if value is None:
        return {}
    given = desk.mapping(value, spot)
    desk.keys(given, STAGES, (), spot)
    return {stage: _need(desk, given[stage], spot.at(stage)) for stage in STAGES if stage in given}


def _need(desk: Desk, value: object, spot: Spot) -> Need:
    said = desk.mapping(value, spot)
    desk.keys(said, PARTS, (), spot)
    if isinstance(value, Mapping) and all(said.get(part) is None for part in PARTS):
        desk.complain(spot, "no-evidence")
    photos = _number(desk, said.get("photos"), spot.at("photos"), 1, MAX_PHOTOS)
    within = _number(desk, said.get("within_metres"), spot.at("within_metres"), NEAREST, FARTHEST)
    return Need(photos or 0, within, _act(desk, said.get("act"), spot.at("act")))


def _number(desk: Desk, value: object, spot: Spot, least: int, most: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        desk.complain(spot, "type", expected="integer")
        return None
    if not least <= value <= most:
        desk.complain(spot, "out-of-range", minimum=least, maximum=most)
    return value


def _act(desk: Desk, value: object, spot: Spot) -> ActForm | None:
    if value is None:
        return None
    said = desk.mapping(value, spot)
    desk.keys(said, ("pattern", "example"), ("pattern", "example"), spot)
    if not isinstance(value, Mapping) or any(said.get(n) is None for n in ("pattern", "example")):
        return None
    before = len(desk.problems)
    pattern = desk.text(said["pattern"], MAX_PATTERN, spot.at("pattern"))
    example = desk.text(said["example"], MAX_EXAMPLE, spot.at("example"))
    if len(desk.problems) > before:
        return None
    if not is_pattern(pattern):
        desk.complain(spot.at("pattern"), "bad-pattern", value=pattern)
        return None
    form = ActForm(pattern, example)
    if not form.fits(example):
        desk.complain(spot.at("example"), "bad-example", value=example)
    return form
