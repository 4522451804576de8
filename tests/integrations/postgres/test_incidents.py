"""Incidents over the real register: one act of the executor, each appeal's own chain and clock."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import orjson
import pytest

from api.worker.ticks import UNIT, Incidents
from domain.access import NOBODY, Principal, Role
from domain.appeals.commands import Accept, PauseWork, Reopen, Resolve, Return, Withdraw
from domain.appeals.replay import check
from domain.appeals.workflow import Action, PauseReason, Status
from domain.eotinish.model import Case, Origin, Tale, Told
from domain.eotinish.ports import Received
from domain.eotinish.use_cases import apply, state_of
from domain.errors import Conflict, InvalidTransition, NotPermitted
from domain.incidents import use_cases
from domain.incidents.commands import Broadcast, Cancel, ChangeIncident, Close
from domain.incidents.model import IncidentKind, Matching
from domain.incidents.workflow import IncidentAction as A
from domain.incidents.workflow import IncidentStatus
from domain.questions import IncidentFilter
from domain.register.chain import broken_link
from domain.sla.clock import ClockState
from domain.sla.policy import Stage
from domain.values import new_id
from integrations.eotinish.contract import read_contract
from tests.support.appeals import add_endpoint, perform, register
from tests.support.city import KISHI
from tests.support.incidents import TEXTS, act, join, make_opening, open_incident
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


async def test_a_step_is_dated_by_the_act_however_late_the_appeal_follows(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    done = await act(house, incident, A.ACCEPT, Accept())
    resolved = await act(house, incident, A.RESOLVE, DONE)
    await asyncio.sleep(0.05)
    await followed(house)
    now = await stored(house, appeal)
    assert now.assignment is not None
    assert (now.assignment.answered_at, now.assignment.done_at) == (
        done.accepted_at, resolved.resolved_at,
    )  # fmt: skip
    resolving = now.clock(Stage.RESOLVE)
    assert resolving is not None
    assert (resolving.state, resolving.met_at) == (ClockState.MET, resolved.resolved_at)


async def test_each_keeps_the_clock_of_its_own_registration(house):
    early = await register(house, at=house.now() - timedelta(hours=2))
    late = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [early, late])
    await followed(house)
    for appeal in (early, late):
        assert set((await stored(house, appeal)).clocks) == set(appeal.clocks)


async def test_one_residents_no_reopens_theirs_alone_and_the_incident_hears_of_it(house):
    one, two = await register(house), await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [one, two])
    await act(house, incident, A.ACCEPT, Accept())
    await act(house, incident, A.RESOLVE, DONE)
    await followed(house)
    await perform(house, one, Action.REOPEN, Reopen("call", "Жоқ"), role=Role.OPERATOR)
    await act(house, incident, A.CLOSE, Close(), role=Role.INSPECTOR)
    await followed(house)
    assert (await stored(house, one)).status is Status.IN_PROGRESS
    assert (await stored(house, two)).status is Status.CHECKED
    inspector = KISHI.principal(Role.INSPECTOR)
    seen = await house.incidents.incident(inspector, incident.id)
    assert (seen.counts, seen.refused) == ({"in_progress": 1, "checked": 1}, 1)
    history = await house.incidents.history(inspector, incident.id, 0, 100)
    refused = [event for event in history if event.type == "incident.refused"]
    assert [event.data for event in refused] == [{"appeals": [one.number]}]


async def test_a_no_that_was_given_to_the_state_reaches_the_incident_like_any_other(house):
    appeal, number = await register(house), "ЖТ-2026-00000901"
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await act(house, incident, A.ACCEPT, Accept())
    await act(house, incident, A.RESOLVE, DONE)
    await followed(house)
    said = {"satisfied": False, "author": "Серікова Айгүл", "text": "Жоқ"}
    agreements = read_contract().agreements("general.land-question", {})
    async with house.units.open(state_of(KISHI.id)) as uow:
        case = Case(appeal.id, KISHI.id, appeal.number, Origin.CITY, number)
        await uow.exchange.open(case, house.now())
        await apply(
            Received(new_id(), b"", 0), Told(Tale.RATED, number, 1, said), uow=uow,
            agreements=agreements, reference=house.references.of(KISHI.id), at=house.now(),
        )  # fmt: skip
        await uow.commit()
    assert (await stored(house, appeal)).status is Status.IN_PROGRESS
    history = await house.incidents.history(KISHI.principal(Role.INSPECTOR), incident.id, 0, 100)
    refused = [event.data for event in history if event.type == "incident.refused"]
    assert refused == [{"appeals": [appeal.number]}]


async def test_work_sent_back_sends_back_every_appeal_and_can_be_done_again(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await act(house, incident, A.ACCEPT, Accept())
    await act(house, incident, A.RESOLVE, DONE)
    await followed(house)
    await act(house, incident, A.RETURN, Return("Жабылмаған"), role=Role.INSPECTOR)
    await followed(house)
    assert (await stored(house, appeal)).status is Status.IN_PROGRESS
    late = await register(house)
    await join(house, incident, [late])
    await followed(house)
    assert (await stored(house, late)).status is Status.IN_PROGRESS
    await act(house, incident, A.RESOLVE, DONE)
    await followed(house)
    for each in (appeal, late):
        assert (await stored(house, each)).status is Status.RESOLVED
        assert (await told(house, each)).count("appeal.resolved") == (2 if each is appeal else 1)


async def test_a_cancelled_incident_lets_its_appeals_go_on_by_themselves(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await act(house, incident, A.ACCEPT, Accept())
    await act(house, incident, A.CANCEL, Cancel("Қате"), role=Role.INSPECTOR)
    await followed(house)
    now = await stored(house, appeal)
    assert now.membership is None
    assert now.status is Status.IN_PROGRESS
    assert (await told(house, appeal))[-1] == "appeal.parted"


async def test_an_appeal_of_another_executor_goes_to_the_incidents(house):
    appeal = await register(house, service="general.unclassified", answers={})
    assert appeal.assigned().organisation == KISHI.department
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await followed(house)
    now = await stored(house, appeal)
    assert now.assigned().organisation == KISHI.water
    assert (await told(house, appeal))[-2:] == ["appeal.redirected", "appeal.assigned"]


async def test_what_waits_runs_on_and_is_resolved_with_the_rest(house):
    appeal = await register(house, service="general.unclassified", answers={})
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await act(house, incident, A.ACCEPT, Accept())
    await followed(house)
    waiting = PauseWork(PauseReason.AWAITING_RESIDENT, "есік жабық")
    await perform(house, appeal, Action.PAUSE, waiting)
    await act(house, incident, A.RESOLVE, DONE)
    await followed(house)
    now = await stored(house, appeal)
    assert (now.status, now.pause) == (Status.RESOLVED, None)


async def test_who_was_registered_after_the_work_was_done_is_not_resolved_by_it(house):
    incident = await open_incident(house)
    await act(house, incident, A.ACCEPT, Accept())
    await act(house, incident, A.RESOLVE, DONE)
    # This process has not looked at the incidents since: its snapshot is a second old.
    appeal = await register(house)
    assert appeal.membership is not None
    await followed(house)
    now = await stored(house, appeal)
    assert now.membership is None
    assert now.status is Status.IN_PROGRESS
    assert (await told(house, appeal))[-1] == "appeal.parted"


async def test_joining_waits_for_the_act_under_way_and_is_refused_after_it(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await act(house, incident, A.ACCEPT, Accept())
    async with house.units.open(KISHI.principal(Role.EXECUTOR)) as uow:
        await use_cases.perform(
            incident.id, A.RESOLVE, DONE, uow=uow,
            reference=house.references.of(KISHI.id), at=house.now(),
        )  # fmt: skip
        joining = asyncio.create_task(join(house, incident, [appeal]))
        await waits(house)
        await uow.commit()
    with pytest.raises(InvalidTransition) as refused:
        await joining
    assert refused.value.params["status"] == "resolved"
    assert (await stored(house, appeal)).membership is None


async def test_an_act_waits_for_joining_and_moves_who_joined(house):
    appeal = await register(house)
    incident = await open_incident(house)
    await act(house, incident, A.ACCEPT, Accept())
    async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
        await use_cases.join_appeals(
            incident.id, [appeal.number], uow=uow,
            reference=house.references.of(KISHI.id), at=house.now(),
        )  # fmt: skip
        resolving = asyncio.create_task(act(house, incident, A.RESOLVE, DONE))
        await waits(house)
        # Nobody who registers meanwhile waits for either of them.
        meanwhile = await asyncio.wait_for(register(house), 5)
        assert meanwhile.membership is not None
        await uow.commit()
    await resolving
    await followed(house)
    assert (await stored(house, appeal)).status is Status.RESOLVED
    # The work was reported done before this one was registered: it tells of something else.
    late = await stored(house, meanwhile)
    assert (late.status, late.membership) == (Status.IN_PROGRESS, None)


async def test_who_is_joined_while_the_executor_speaks_is_resolved_as_well(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await act(house, incident, A.ACCEPT, Accept())
    spoken = house.now()
    await join(house, incident, [appeal])
    await act(house, incident, A.RESOLVE, DONE, at=spoken)
    await followed(house)
    assert (await stored(house, appeal)).status is Status.RESOLVED


async def waits(house):
    for _ in range(200):
        if await fetch(
            house,
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()",
        ):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def test_an_appeal_is_joined_to_one_incident_at_a_time(house):
    appeal, closed = await register(house), await register(house)
    one = await open_incident(house, matching=Matching.SUGGESTED)
    two = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, one, [appeal])
    with pytest.raises(Conflict, match="joined-to-another"):
        await join(house, two, [appeal])
    with pytest.raises(Conflict, match="nothing-changed"):
        await join(house, one, [appeal])
    await perform(house, closed, Action.WITHDRAW, Withdraw("call"), role=Role.OPERATOR)
    with pytest.raises(Conflict, match="appeal-not-open"):
        await join(house, one, [closed])


async def test_a_thousand_joined_appeals_are_resolved_in_batches_whoever_dies_between(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await act(house, incident, A.ACCEPT, Accept())
    await followed(house)
    await copies(house, appeal, 999)
    await act(house, incident, A.RESOLVE, DONE)
    died, turns = 0, 0
    mortal = Incidents(house)
    while True:
        turns += 1
        if died < 3 and turns % 7 == 3:
            died += 1
            with pytest.raises(RuntimeError):
                await dying_turn(house)
            continue
        if not await mortal.tend(KISHI.id):
            break
    assert died == 3
    assert turns - died == 1000 / UNIT + 1
    (row,) = await fetch(
        house,
        "SELECT count(*) FILTER (WHERE status = 'resolved') AS resolved,"
        " count(*) FILTER (WHERE incident_followed = $2) AS followed, max(version) AS version"
        " FROM appeal WHERE incident_id = $1",
        incident.id, (await acts_of(house, incident)),
    )  # fmt: skip
    assert (row["resolved"], row["followed"]) == (1000, 1000)
    (events,) = await fetch(
        house,
        "SELECT count(*) AS events, count(DISTINCT appeal_id) AS appeals FROM event e"
        " JOIN appeal a ON a.id = e.appeal_id WHERE a.incident_id = $1"
        " AND e.type = 'appeal.resolved'",
        incident.id,
    )
    assert (events["events"], events["appeals"]) == (1000, 1000)


async def acts_of(house, incident):
    (row,) = await fetch(house, "SELECT acts FROM incident WHERE id = $1", incident.id)
    return row["acts"]


async def dying_turn(house):
    """A turn that is cut off after its writes and before its commit."""
    async with house.units.open(Principal(NOBODY, Role.SYSTEM, KISHI.id)) as uow:
        tended = await use_cases.tend(
            uow=uow, reference=house.references.of(KISHI.id), at=house.now(), limit=UNIT
        )
        assert tended.followed == UNIT
        raise RuntimeError("the machine went dark")


async def copies(house, appeal, count):
    """So many appeals like this one, with their clocks and assignments; the chain of each goes on
    from the same head.
    """
    await fetch(
        house,
        "INSERT INTO appeal SELECT (jsonb_populate_record(a, jsonb_build_object("
        " 'id', md5(n::text)::uuid, 'number', 'C-' || n, 'assignment_id', md5('s' || n)::uuid)))"
        ".* FROM appeal a, generate_series(1, $2::int) n WHERE a.id = $1",
        appeal.id, count,
    )  # fmt: skip
    await fetch(
        house,
        "INSERT INTO clock SELECT (jsonb_populate_record(k, jsonb_build_object("
        " 'appeal_id', md5(n::text)::uuid))).*"
        " FROM clock k, generate_series(1, $2::int) n WHERE k.appeal_id = $1",
        appeal.id, count,
    )  # fmt: skip
    await fetch(
        house,
        "INSERT INTO assignment SELECT (jsonb_populate_record(s, jsonb_build_object("
        " 'id', md5('s' || n)::uuid, 'appeal_id', md5(n::text)::uuid))).*"
        " FROM assignment s, generate_series(1, $2::int) n WHERE s.appeal_id = $1",
        appeal.id, count,
    )  # fmt: skip


async def test_two_schedulers_share_the_work_and_do_nothing_twice(house):
    appeals = [await register(house) for _ in range(12)]
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, appeals)
    await act(house, incident, A.ACCEPT, Accept())
    schedulers = [Incidents(house), Incidents(house)]
    for _ in range(3):
        await asyncio.gather(*(one.turn() for one in schedulers))
    for appeal in appeals:
        assert (await told(house, appeal)).count("appeal.accepted") == 1


async def test_planned_works_begin_by_themselves_at_their_time(house):
    at = house.now()
    works = await open_incident(
        house, kind=IncidentKind.PLANNED_WORKS, matching=Matching.AUTOMATIC,
        planned_from=at + timedelta(hours=1), planned_to=at + timedelta(hours=3),
    )  # fmt: skip
    assert works.status is IncidentStatus.ANNOUNCED
    assert (await register(house)).membership is None
    await followed(house)
    assert await status_of(house, works) == "announced"
    async with house.units.open(Principal(NOBODY, Role.SYSTEM, KISHI.id)) as uow:
        tended = await use_cases.tend(
            uow=uow, reference=house.references.of(KISHI.id),
            at=at + timedelta(hours=1), limit=UNIT,
        )  # fmt: skip
        await uow.commit()
    assert [one.id for one in tended.started] == [works.id]
    assert await status_of(house, works) == "active"


async def late_works(house, **end):
    """An outage that was published three days ago and should have ended so long ago."""
    at = house.now()
    return await open_incident(house, at=at - timedelta(days=3), planned_to=at - timedelta(**end))


async def told_of_end(house, incident):
    rows = await fetch(
        house,
        "SELECT data ->> 'planned_to' AS planned_to FROM incident_event"
        " WHERE incident_id = $1 AND type = 'incident.overdue' ORDER BY sequence",
        incident.id,
    )
    return [datetime.fromisoformat(row["planned_to"]) for row in rows]


async def test_what_runs_past_its_end_is_told_once_to_those_whose_it_is(house):
    endpoint = await add_endpoint(house, event_types=frozenset({"incident.overdue"}))
    late, fine = await late_works(house, hours=30), await late_works(house, hours=-1)
    open_ended = await open_incident(house)
    schedulers = [Incidents(house), Incidents(house)]
    for _ in range(3):
        await asyncio.gather(*(one.turn() for one in schedulers))
    # One that begins anew knows of nothing that was told.
    await Incidents(house).turn()
    assert await told_of_end(house, late) == [late.planned_to]
    heard = await fetch(house, "SELECT payload FROM delivery WHERE endpoint_id = $1", endpoint.id)
    assert [orjson.loads(row["payload"])["data"]["id"] for row in heard] == [str(late.id)]
    assert await told_of_end(house, fine) == await told_of_end(house, open_ended) == []
    seen = await house.incidents.incident(KISHI.principal(Role.INSPECTOR), late.id)
    assert seen.incident.status is IncidentStatus.ACTIVE, "it is said, and nothing is done"


async def turn(house, at, past=frozenset()):
    """A turn of the scheduler at a time; what it knows to be told."""
    async with house.units.open(Principal(NOBODY, Role.SYSTEM, KISHI.id)) as uow:
        tended = await use_cases.tend(
            uow=uow, reference=house.references.of(KISHI.id), at=at, limit=UNIT, past=past
        )
        await uow.commit()
    return tended.past


async def test_another_end_that_passes_is_told_again(house):
    late, now = await late_works(house, hours=30), house.now()
    past = await turn(house, now - timedelta(hours=20))
    again = ChangeIncident(planned_to=now - timedelta(hours=1))
    await act(house, late, A.CHANGE, again, role=Role.INSPECTOR)
    await house.references.refresh(now)
    past = await turn(house, now - timedelta(hours=2), past)
    assert past == frozenset(), "it has not passed"
    for _ in range(2):
        past = await turn(house, now, past)
    assert await told_of_end(house, late) == [late.planned_to, again.planned_to]


async def test_a_turn_in_which_nothing_passed_its_end_asks_for_no_history(house):
    await late_works(house, hours=30)
    scheduler = Incidents(house)
    await scheduler.turn()
    async with house.units.open(Principal(NOBODY, Role.SYSTEM, KISHI.id)) as uow:
        asked = []
        past = uow.incidents.past

        async def spied(*said):
            asked.append(said)
            return await past(*said)

        uow.incidents.past = spied
        tended = await use_cases.tend(
            uow=uow, reference=house.references.of(KISHI.id), at=house.now(), limit=UNIT,
            past=scheduler._past[KISHI.id],
        )  # fmt: skip
    assert tended.overdue == ()
    assert asked == []


@pytest.mark.parametrize(("hours", "joins"), [(23, True), (25, False)])
async def test_an_appeal_joins_what_runs_late_for_a_day(house, hours, joins):
    late = await late_works(house, hours=hours)
    appeal = await register(house)
    joined = appeal.membership.incident if appeal.membership else None
    assert joined == (late.id if joins else None)
    assert appeal.status is Status.ASSIGNED


async def test_lists_are_asked_for_what_runs_past_its_end(house):
    late, fine = await late_works(house, hours=30), await late_works(house, hours=-1)
    inspector = KISHI.principal(Role.INSPECTOR)
    wanted = IncidentFilter(overdue_at=house.now())
    found = await house.incidents.incidents(inspector, wanted, None, 9)
    assert [one.incident.id for one in found] == [late.id]
    everything = await house.incidents.incidents(inspector, IncidentFilter(), None, 99)
    assert {late.id, fine.id} <= {one.incident.id for one in everything}


async def status_of(house, incident):
    (row,) = await fetch(house, "SELECT status FROM incident WHERE id = $1", incident.id)
    return row["status"]


async def test_what_ended_long_ago_is_watched_no_more_unless_somebody_lags(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await act(house, incident, A.CANCEL, Cancel("Қате"), role=Role.INSPECTOR)
    later = house.now() + timedelta(hours=1)
    assert await house.incidents.settle(later) == 0
    await followed(house)
    assert await house.incidents.settle(house.now()) == 0
    assert await house.incidents.settle(later) == 1


async def test_the_history_of_an_incident_only_grows(house):
    incident = await open_incident(house)
    for statement in (
        "UPDATE incident_event SET type = 'x'",
        "DELETE FROM incident_event",
        "TRUNCATE incident_event",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
            await fetch(house, statement)
    assert incident.sequence == 1


async def test_subscribers_of_owner_executor_and_centre_hear_and_nobody_else(house):
    centre = await add_endpoint(house, organisation=KISHI.centre)
    water = await add_endpoint(house, organisation=KISHI.water)
    above = await add_endpoint(house, organisation=KISHI.department)
    deaf = await add_endpoint(house, event_types=frozenset({"appeal.assigned"}))
    incident = await open_incident(house, role=Role.HEAD, executor=None)
    rows = await fetch(
        house,
        "SELECT endpoint_id, type, payload FROM delivery WHERE type LIKE 'incident.%'"
        " AND payload LIKE $1",
        f"%{incident.id}%".encode(),
    )
    heard = {(row["endpoint_id"], row["type"]) for row in rows}
    assert heard == {
        (endpoint.id, f"incident.{name}")
        for endpoint in (centre, water, above)
        for name in ("opened", "accepted")
    }
    assert deaf.id not in {row["endpoint_id"] for row in rows}
    message = orjson.loads(rows[0]["payload"])
    assert set(message["data"]) == {
        "id", "sequence", "status", "kind", "services", "organisation_id", "links",
    }  # fmt: skip


async def test_what_is_not_committed_is_told_to_nobody(house):
    await add_endpoint(house)
    (before,) = await fetch(house, "SELECT count(*) FROM delivery")
    async with house.units.open(KISHI.principal(Role.INSPECTOR)) as uow:
        await use_cases.open_incident(
            make_opening(), uow=uow, reference=house.references.of(KISHI.id), at=house.now()
        )
    (after,) = await fetch(house, "SELECT count(*) FROM delivery")
    assert before == after


async def test_a_utility_publishes_for_its_own_services_alone(house):
    incident = await open_incident(house, role=Role.EXECUTOR, executor=None)
    assert (incident.owner, incident.executor) == (KISHI.water, KISHI.water)
    assert incident.accepted_at is not None
    for refused in (
        {"services": ("lifts.car-fell",), "executor": None},
        {"executor": KISHI.department},
    ):
        with pytest.raises(NotPermitted):
            await open_incident(house, role=Role.HEAD, **refused)


async def test_the_chain_of_a_joined_appeal_is_whole_and_its_clocks_are_told_by_it(house):
    appeal = await register(house)
    incident = await open_incident(house, matching=Matching.SUGGESTED)
    await join(house, incident, [appeal])
    await act(house, incident, A.ACCEPT, Accept())
    await act(house, incident, A.BROADCAST, Broadcast(WORD), role=Role.INSPECTOR)
    await act(house, incident, A.RESOLVE, DONE)
    await followed(house)
    now = await stored(house, appeal)
    rows = await fetch(
        house, "SELECT canonical FROM event WHERE appeal_id = $1 ORDER BY sequence", appeal.id
    )
    events = [orjson.loads(row["canonical"]) for row in rows]
    links = [(row["canonical"], event["previous"]) for row, event in zip(rows, events, strict=True)]
    assert broken_link(links) is None
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert check(now.clocks, events, house.references.of(KISHI.id).promises) == ()
