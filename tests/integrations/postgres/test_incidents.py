"""Incidents over the real register: one act of the executor, each appeal's own chain and clock."""

from datetime import timedelta

import pytest

from api.worker.ticks import Incidents
from domain.access import Role
from domain.appeals.commands import Accept, Resolve
from domain.appeals.workflow import Status
from domain.incidents.commands import Broadcast, Close
from domain.incidents.model import Matching
from domain.incidents.workflow import IncidentAction as A
from tests.support.appeals import register
from tests.support.city import KISHI
from tests.support.incidents import TEXTS, act, join, open_incident
from tests.support.sql import fetch

DONE = Resolve("Қақпақ жабылды", no_photo_reason="түн")
WORD = {"kk": "Түзетілді", "ru": "Исправлено", "en": "Mended"}


async def followed(house):
    """Let every joined appeal catch up."""
    incidents = Incidents(house)
    while await incidents.tend(KISHI.id):
        pass


async def stored(house, appeal):
    return await house.queries.appeal(KISHI.principal(Role.INSPECTOR), appeal.number)


async def told(house, appeal):
    rows = await fetch(
        house, "SELECT type FROM event WHERE appeal_id = $1 ORDER BY sequence", appeal.id
    )
    return [row["type"] for row in rows]


@pytest.fixture(autouse=True)
async def fresh(house):
    """No incident of another test takes this one's appeals."""
    await fetch(house, "UPDATE incident SET status = 'cancelled', settled = true")
    await house.references.refresh(house.now())


async def test_one_act_of_the_executor_moves_every_joined_appeal_in_its_own_chain(house):
    one, two = await register(house), await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [one, two])
    await act(house, incident, A.ACCEPT, Accept())
    await act(house, incident, A.RESOLVE, DONE)
    await followed(house)
    for appeal in (one, two):
        now = await stored(house, appeal)
        assert now.status is Status.RESOLVED
        assert now.number == appeal.number
        assert await told(house, appeal) == [
            "appeal.registered", "appeal.assigned", "appeal.joined", "appeal.accepted",
            "appeal.resolved",
        ]  # fmt: skip


async def test_closing_asks_each_resident_and_closes_nobody(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await act(house, incident, A.ACCEPT, Accept())
    await act(house, incident, A.RESOLVE, DONE)
    await act(house, incident, A.CLOSE, Close(texts=WORD), role=Role.INSPECTOR)
    await followed(house)
    now = await stored(house, appeal)
    assert now.status is Status.CHECKED
    assert now.confirmation is None
    assert (await told(house, appeal))[-2:] == ["appeal.checked", "appeal.broadcast"]


async def test_a_new_appeal_joins_the_outage_that_the_city_knows(house):
    incident = await open_incident(house)
    await act(house, incident, A.ACCEPT, Accept())
    appeal = await register(house)
    assert appeal.membership is not None
    assert appeal.membership.incident == incident.id
    await followed(house)
    assert (await stored(house, appeal)).status is Status.IN_PROGRESS


async def test_a_broadcast_reaches_each_who_was_joined_and_nobody_who_came_later(house):
    incident = await open_incident(house)
    early = await register(house)
    await act(house, incident, A.BROADCAST, Broadcast(WORD), role=Role.INSPECTOR)
    late = await register(house, at=house.now() + timedelta(seconds=1))
    await followed(house)
    assert "appeal.broadcast" in await told(house, early)
    assert "appeal.broadcast" not in await told(house, late)
    assert TEXTS != WORD
