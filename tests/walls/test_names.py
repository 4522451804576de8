"""Foreign things that are named in what somebody sends, not in the path: they are as absent ones.

Who may do the thing does it with their own object, and names beside it what is of another place:
an upload, an appeal, an organisation, a house. The answer does not tell whether there is one.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.support.incidents import opening
from tests.support.rest import intake
from tests.walls.doors import DONE, RestDoor, Said, Told
from tests.walls.policy import Kind
from tests.walls.things import Things
from tests.walls.town import QUARTERS, Place, Town

HOUSE, ORGANISATION = "house", "organisation"


@dataclass(frozen=True)
class Naming:
    """Somebody names `what` in an operation on their own thing of `kind`."""

    operation: str
    who: str
    what: Kind | str
    body: Any = None
    kind: Kind | None = None
    status: str = "assigned"
    query: Any = None
    strangers: tuple[Place, ...] = (Place.THEIRS, Place.ELSEWHERE)


_DONE = {"text": "Жабылды", "no_photo_reason": "Түн"}
_ABROAD = (Place.ELSEWHERE,)
"""The inspector sees all of the city, and its organisations and houses are everybody's."""
NAMINGS = (
    Naming("registerAppeal", "citizen", Kind.UPLOAD,
           intake(applicant=..., channel="app", attachments=["@"])),
    Naming("registerAppeal", "citizen", HOUSE,
           intake(applicant=..., channel="app", location={"building": "@"}), strangers=_ABROAD),
    Naming("attachAppeal", "citizen", Kind.UPLOAD, {"attachments": ["@"]}, Kind.APPEAL),
    Naming("attachAppeal", "executor", Kind.UPLOAD, {"attachments": ["@"]}, Kind.APPEAL),
    Naming("reportAppeal", "executor", Kind.UPLOAD,
           {"stage": "secure", "attachments": ["@"]}, Kind.APPEAL, "in_progress"),
    Naming("resolveAppeal", "executor", Kind.UPLOAD, _DONE | {"evidence": ["@"]}, Kind.APPEAL,
           "in_progress"),
    Naming("resolveIncident", "executor", Kind.UPLOAD, _DONE | {"evidence": ["@"]}, Kind.INCIDENT,
           "accepted"),
    Naming("correctAppeal", "operator", HOUSE, {"location": {"building": "@"}}, Kind.APPEAL,
           strangers=_ABROAD),
    Naming("assignAppeal", "inspector", ORGANISATION, {"organisation": "@"}, Kind.APPEAL,
           "registered", strangers=_ABROAD),
    Naming("redirectAppeal", "inspector", ORGANISATION, {"organisation": "@"}, Kind.APPEAL,
           strangers=_ABROAD),
    Naming("assignIncident", "inspector", ORGANISATION, {"organisation": "@"}, Kind.INCIDENT,
           "active", strangers=_ABROAD),
    Naming("openIncident", "inspector", ORGANISATION, opening() | {"executor": "@"},
           strangers=_ABROAD),
    Naming("openIncident", "inspector", HOUSE, opening() | {"area": {"buildings": ["@"]}},
           strangers=_ABROAD),
    Naming("openIncident", "inspector", Kind.APPEAL, opening() | {"appeals": ["@"]},
           strangers=_ABROAD),
    Naming("joinIncident", "inspector", Kind.APPEAL, {"appeals": ["@"]}, Kind.INCIDENT, "active",
           strangers=_ABROAD),
    Naming("partIncident", "inspector", Kind.APPEAL, {"appeals": ["@"], "reason": "Басқа"},
           Kind.INCIDENT, "active", strangers=_ABROAD),
    Naming("resolveRoute", "executor", HOUSE, query={"service": "@manhole", "building": "@"},
           strangers=_ABROAD),
    Naming("explainRoute", "executor", ORGANISATION,
           query={"service": "@manhole", "organisation": "@"}, strangers=_ABROAD),
)  # fmt: skip


@pytest.mark.parametrize("naming", NAMINGS, ids=lambda one: f"{one.operation}-{one.what}")
async def test_what_is_named_of_another_place_is_as_absent(town: Town, naming: Naming):
    things, door = Things(town), RestDoor(town.app)
    token = town.tokens[naming.who]
    thing = None
    if naming.kind is not None:
        thing = await things.fresh(naming.kind, Place.OURS, naming.status)

    async def told(name: str) -> Told:
        body, query = _filled(naming.body, name), _filled(naming.query or {}, name)
        said = Said(body, query, thing.name if thing else None)
        answer = await door.ask(naming.operation, token, said)
        return Told(answer.outcome, answer.text.replace(name, "…"), answer.headers)

    for place in naming.strangers:
        foreign = await _foreign(things, naming.what, place)
        known = isinstance(naming.what, Kind)
        absent = things.absent(Kind(naming.what), place).name if known else str(uuid4())
        answer = await told(foreign)
        assert answer.outcome != DONE
        assert answer == await told(absent)


async def _foreign(things: Things, what: Kind | str, place: Place) -> str:
    city = QUARTERS[place]
    if what == HOUSE:
        return str(city.house)
    if what == ORGANISATION:
        return str(city.water)
    return (await things.fresh(Kind(what), place, "assigned")).name


def _filled(said: Any, name: str) -> Any:
    if isinstance(said, dict):
        return {key: _filled(value, name) for key, value in said.items()}
    if isinstance(said, list):
        return [_filled(value, name) for value in said]
    return {"@": name, "@manhole": "manholes.open-on-road"}.get(said, said) if said else said


@pytest.mark.parametrize("path", ["/v1/incidents/no-id", "/v1/attachments/1", "/v1/appeals/109"])
async def test_what_is_no_id_names_nothing(town: Town, path: str):
    callers = town.callers(Place.OURS)
    answer = await callers.call("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
