"""An organisation's word about its own works reaches as far as its duties, whatever it says.

Heat answers for manholes on the left bank. An outage that it publishes for the whole city would
draw everybody's appeals, and with them who asked, out of their executors' hands into its own.
"""

from collections.abc import Mapping
from uuid import UUID

from domain.access import Role
from tests.support.city import KISHI, MANHOLE
from tests.support.incidents import TEXTS
from tests.support.rest import Callers
from tests.support.worker import eventually, scheduling
from tests.walls.town import LEFT, Place, Town

EVERYWHERE = {"kind": "outage", "services": [MANHOLE], "area": {"city": True}, "texts": TEXTS}


async def _published(
    callers: Callers, said: Mapping[str, object], seen_from: UUID, role: Role = Role.HEAD
) -> str:
    """An outage that the process of the API knows of."""
    made = await callers.call("POST", "/v1/incidents", said, role=role)
    assert made.status_code == 201, made.text
    id = str(made.json()["id"])

    async def known() -> bool:
        return id in await _told_at(callers, seen_from)

    await eventually(known)
    return id


async def _told_at(callers: Callers, building: UUID) -> set[str]:
    """What a resident is told of at an address."""
    where = {"building": str(building)}
    found = await callers.call("GET", "/v1/incidents", params=where, role=Role.CITIZEN)
    return {one["id"] for one in found.json()["items"]}


async def _followed(callers: Callers, number: str) -> bool:
    seen = await callers.call("GET", f"/v1/appeals/{number}")
    return bool(seen.json()["status"] == "in_progress")


async def test_an_outage_draws_no_appeal_from_where_its_publisher_has_no_duties(town: Town):
    ours, theirs = town.callers(Place.OURS), town.callers(Place.THEIRS)
    outage = await _published(theirs, EVERYWHERE, LEFT.house)
    drawn = await theirs.register()
    foreign = await ours.register(location={"building": str(KISHI.house)})
    assert drawn["incident"] == outage
    assert (foreign["incident"], foreign["incidents"]) == (None, [])
    assert await _told_at(ours, KISHI.house) == set()
    async with scheduling(town.house):
        await eventually(lambda: _followed(theirs, drawn["number"]))
    path = f"/v1/appeals/{foreign['number']}"
    seen = await ours.call("GET", path)
    assert seen.json()["assignment"]["organisation"]["id"] == str(KISHI.water)
    assert (await theirs.call("GET", f"{path}/applicant", role=Role.HEAD)).status_code == 404


async def test_what_the_centre_or_who_answers_everywhere_publishes_holds_everywhere(town: Town):
    ours, theirs = town.callers(Place.OURS), town.callers(Place.THEIRS)
    everywhere = EVERYWHERE | {"executor": str(LEFT.water), "matching": "suggested"}
    by_the_centre = await _published(ours, everywhere, KISHI.house, Role.INSPECTOR)
    by_water = await _published(ours, EVERYWHERE | {"matching": "suggested"}, KISHI.house)
    for callers in (ours, theirs):
        assert {by_the_centre, by_water} <= await _told_at(callers, callers.city.house)
