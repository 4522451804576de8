"""Every list says what a plain look through the register would say, without looking through it."""

import importlib
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.access import Role
from domain.appeals.commands import Assign, Correct, Whereabouts, Withdraw
from domain.appeals.workflow import Action
from domain.questions import AppealFilter, Page
from domain.sla.clock import ClockState
from integrations.postgres import session
from integrations.postgres.cards import likeness, words
from integrations.postgres.scope import Parameters, visible
from tests.support.appeals import perform, register
from tests.support.city import KISHI
from tests.support.sql import fetch

CROWD = 8_000
LATE = datetime(2027, 1, 1, tzinfo=UTC)
BIG = r"(Parallel )?Seq Scan on (appeal|card|clock|assignment|event)\b"
CARDS = importlib.import_module("migrations.versions.0009_a_million_appeals")._CARDS

ROWS = """
INSERT INTO appeal SELECT r.* FROM appeal a, generate_series(1, $5) n,
  LATERAL jsonb_populate_record(a, jsonb_build_object(
    'id', md5(n::text)::uuid, 'number', 'KIS-2025-' || lpad(n::text, 6, '0'),
    'registered_at', a.registered_at - n * interval '20 minutes',
    'citizen_id', CASE WHEN n % 997 = 0 THEN $2::text END,
    'status', CASE WHEN n % 301 = 1 THEN 'in_progress' WHEN n % 500 = 2 THEN 'withdrawn'
                   ELSE 'closed' END,
    'due_at', CASE WHEN n % 301 = 1 THEN a.registered_at - n * interval '20 minutes' END,
    'confirmation', jsonb_build_object('by', $2::text, 'role', 'citizen', 'how', 'app',
                                       'at', '2026-01-01T00:00:00.000000Z', 'rating', 5), 'first_contact', n % 3 = 0, 'emergency', n % 700 = 0,
    'service', 'a.s' || n % 200, 'category', 'a.c' || n % 40, 'sphere', 'sphere-' || n % 8,
    'district', 'd' || n % 4, 'channel', (ARRAY['phone', 'phone', 'app', 'web', 'email'])[1 + n % 5],
    'kind', CASE WHEN n % 11 = 0 THEN 'thanks' ELSE 'complaint' END,
    'criticality', CASE WHEN n % 60 = 0 THEN 'emergency' ELSE 'normal' END,
    'organisation_id', CASE WHEN n % 50 = 0 THEN $3::text ELSE $4::text END,
    'text', CASE WHEN n % 400 = 0 THEN 'Қақпағы жоқ люк № ' || n ELSE 'Жарық жоқ ' || n END,
    'address', CASE WHEN n % 900 = 0 THEN 'Юг, 7' ELSE 'Абая ' || n % 90 END)) r
 WHERE a.id = $1
"""  # noqa: E501
GIVEN = """
INSERT INTO assignment (id, city_id, appeal_id, organisation_id, state, offered_at)
SELECT md5('s' || a.id)::uuid, a.city_id, a.id, a.organisation_id,
       CASE WHEN a.status = 'in_progress' THEN 'offered' ELSE 'done' END, a.registered_at
  FROM appeal a WHERE a.number LIKE 'KIS-2025-%'
"""
CLOCKS = """
INSERT INTO clock SELECT r.* FROM clock k, appeal a,
  LATERAL jsonb_populate_record(k, jsonb_build_object('appeal_id', a.id,
    'next_at', NULL, 'district', a.district, 'organisation_id', a.organisation_id,
    'due_at', a.registered_at + interval '1 day',
    'state', CASE WHEN a.status = 'in_progress' THEN 'breached' ELSE 'met' END)) r
 WHERE k.appeal_id = $1 AND a.number LIKE 'KIS-2025-%'
"""


@pytest.fixture(scope="module")
async def crowd(house):
    """A year of appeals, of which one was registered as it should be."""
    one = await register(house)
    await fetch(
        house, ROWS, one.id, str(KISHI.citizen), str(KISHI.water), str(KISHI.department), CROWD
    )
    await fetch(house, GIVEN)
    await fetch(house, CLOCKS, one.id)
    await fetch(house, f"{CARDS} WHERE a.number LIKE 'KIS-2025-%'")
    await fetch(house, "ANALYZE appeal, card, clock, assignment")
    return one


def literal(value: Any) -> str:
    """A value as SQL says it, of whatever type is wanted there."""
    if isinstance(value, list):
        quoted = ("NULL" if one is None else f'"{one}"' for one in value)
        value = f"{{{','.join(quoted)}}}"
    return "NULL" if value is None else f"'{value}'"


class Watched:
    """A driver that asks for the plan of what it is asked, each time before it answers: that of a
    prepared statement, as it would be in the transaction's setting.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self.plans: list[str] = []

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        await self._driver.execute(f"PREPARE watched AS {statement}")
        said = f"({', '.join(map(literal, values))})" if values else ""
        asked = f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE watched{said}"
        plan = await self._driver.fetch(asked)
        await self._driver.execute("DEALLOCATE watched")
        self.plans.append("\n".join(row[0] for row in plan))
        found: list[Any] = await self._driver.fetch(statement, *values)
        return found

    async def execute(self, statement: str) -> None:
        await self._driver.execute(statement)

    async def fetchval(self, statement: str, *values: object) -> Any:
        return (await self.fetch(statement, *values))[0][0]

    def check(self, most: int) -> None:
        """No big table was read whole, and no step brought or passed over more rows than `most`."""
        for plan in self.plans:
            assert not re.search(BIG, plan), plan
            seen = re.findall(r"(?:actual rows=|Rows Removed by Filter: )(\d+)", plan)
            assert max(map(int, seen)) <= most, plan


@pytest.fixture
def watched(monkeypatch):
    """Every driver that the lists borrow."""
    seen: list[Watched] = []
    enter = session.inside

    @asynccontextmanager
    async def inside(engine, door, **kwargs):
        async with enter(engine, door, **kwargs) as driver:
            seen.append(Watched(driver))
            yield seen[-1]

    monkeypatch.setattr("integrations.postgres.lists.inside", inside)
    return seen


COLUMNS = {"organisation": "organisation_id", "incident": "incident_id"}


async def looked_through(house, who, wanted: AppealFilter, limit: int) -> list[str]:
    """What a plain look through the register finds."""
    parameters = Parameters()
    asked = [visible(who, parameters)]
    for name in ("service", "category", "sphere", "district", "organisation", "channel", "kind",
                 "criticality", "emergency", "incident"):  # fmt: skip
        if (value := getattr(wanted, name)) is not None:
            asked.append(f"a.{COLUMNS.get(name, name)} = {parameters.add(value)}")
    if wanted.statuses:
        asked.append(f"a.status = ANY({parameters.add(list(wanted.statuses))})")
    if wanted.overdue_at:
        asked.append(f"a.due_at < {parameters.add(wanted.overdue_at)}")
    if wanted.registered_from:
        asked.append(f"a.registered_at >= {parameters.add(wanted.registered_from)}")
    if wanted.registered_to:
        asked.append(f"a.registered_at < {parameters.add(wanted.registered_to)}")
    if wanted.text:
        asked.append(
            f"concat_ws(' ', a.text, a.address) ILIKE {parameters.add(f'%{wanted.text}%')}"
        )
    found = await fetch(
        house,
        f"SELECT a.number FROM appeal a WHERE {' AND '.join(asked)}"
        f" ORDER BY a.registered_at DESC, a.id DESC LIMIT {limit}",
        *parameters.values,
    )
    return [row["number"] for row in found]


WANTED: dict[str, dict[str, Any]] = {
    "all": {},
    "a service": {"service": "a.s7"},
    "a service that nobody asked for": {"service": "a.s999"},
    "a category": {"category": "a.c3"},
    "a sphere": {"sphere": "sphere-1"},
    "a district": {"district": "d1"},
    "a service of another district": {"service": "a.s7", "district": "d2"},
    "a district and a sphere that never meet": {"district": "d1", "sphere": "sphere-2"},
    "an organisation": {"organisation": KISHI.water},
    "a channel": {"channel": "email"},
    "a kind": {"kind": "thanks"},
    "thanks for a service": {"kind": "thanks", "service": "a.s7"},
    "a criticality": {"criticality": "emergency"},
    "emergencies": {"emergency": True},
    "no emergencies": {"emergency": False},
    "emergencies by mail": {"emergency": True, "channel": "email"},
    "what is in progress": {"statuses": ["in_progress"]},
    "what is in progress in a district": {"statuses": ["in_progress"], "district": "d2"},
    "what is open or registered": {"statuses": ["in_progress", "registered", "assigned"]},
    "what was taken back": {"statuses": ["withdrawn"]},
    "what was taken back in a district": {"statuses": ["withdrawn"], "district": "d2"},
    "what was closed": {"statuses": ["closed"]},
    "what was closed or taken back": {"statuses": ["closed", "withdrawn"], "service": "a.s2"},
    "a word": {"text": "люк"},
    "a word among others": {"text": "қақпағы жоқ люк"},
    "a word that nobody said": {"text": "тасбақа"},
    "a word of a service": {"text": "люк", "service": "a.s0"},
    "a word of two letters": {"text": "юг"},
    "an incident without appeals": {"incident": UUID(int=1)},
}


AKIM = KISHI.principal(Role.AKIM, district="d2")
OF_SEVERAL = KISHI.principal(Role.AKIM, district="d2", districts=("d1", "d2", "d9"))
"""The akim of a district in which two lie, of which one has no appeal."""
WHO = {
    "inspector": KISHI.principal(Role.INSPECTOR),
    "executor": KISHI.principal(Role.EXECUTOR),
    "akim": AKIM,
    "akim of several": OF_SEVERAL,
    "citizen": KISHI.principal(Role.CITIZEN),
}


@pytest.mark.parametrize("who", WHO.values(), ids=WHO)
@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
async def test_a_list_is_what_a_look_through_the_register_finds(house, crowd, watched, wanted, who):
    asked = AppealFilter(**wanted)
    found = [appeal.number for appeal in await house.lists.appeals(who, asked, None, 51)]
    assert found == await looked_through(house, who, asked, 51)
    watched[0].check(most=1000)


@pytest.mark.parametrize("who", [KISHI.principal(), OF_SEVERAL], ids=["operator", "akim"])
@pytest.mark.parametrize(
    "wanted",
    [{}, {"service": "a.s7"}, {"district": "d1"}, {"statuses": ["in_progress"]}, {"text": "абая"},
     {"overdue_at": LATE}],
    ids=str,
)  # fmt: skip
async def test_pages_follow_each_other_without_a_gap(house, crowd, wanted, who):
    asked = AppealFilter(**wanted)
    pages: list[str] = []
    after = None
    for _ in range(4):
        page = await house.lists.appeals(who, asked, after, 30)
        pages += [appeal.number for appeal in page]
        after = Page(page[-1].registered_at, page[-1].id) if page else after
    assert pages == await looked_through(house, who, asked, len(pages))


@pytest.mark.parametrize(("limit", "asked"), [(1, 1), (51, 4)])
async def test_what_fills_a_page_early_is_looked_for_no_further(
    house, crowd, watched, limit, asked
):
    who = KISHI.principal(Role.EXECUTOR)
    found = await house.lists.appeals(who, AppealFilter(service="a.s50"), None, limit)
    assert len(found) == min(limit, 40)
    (plan,) = [plan for plan in watched[0].plans if "cards_of_organisations" in plan]
    assert f"Function Scan on cards_of_organisations f (actual rows={{}} loops={asked})" in (
        re.sub(r"actual rows=[0-9.]+", "actual rows={}", plan)
    )


async def test_what_never_met_is_not_looked_for(house, crowd, watched):
    """Both are common, and their entries would have to be held against each other."""
    never = AppealFilter(sphere="sphere-2", service="a.s7"), AppealFilter(kind="suggestion")
    for asked in never:
        for role in (Role.EXECUTOR, Role.INSPECTOR):
            assert await house.lists.appeals(KISHI.principal(role), asked, None, 51) == []
            assert not [plan for plan in watched[-1].plans if "cards_of_" in plan]


async def test_of_what_is_open_too_that_which_never_met_is_not_looked_for(house, crowd, watched):
    asked = AppealFilter(kind="suggestion", statuses=["in_progress"])
    assert await house.lists.appeals(KISHI.principal(Role.INSPECTOR), asked, None, 51) == []
    (plan,) = watched[0].plans
    scans = [line for line in plan.splitlines() if re.search(r"Scan .*\bappeal a", line)]
    assert scans, plan
    assert all("never executed" in line for line in scans), plan


@pytest.mark.parametrize("statuses", [[], ["in_progress"]], ids=str)
async def test_what_an_organisation_never_dealt_with_is_not_looked_for(
    house, crowd, watched, statuses
):
    """Every fifth comes by mail, none of them to the one that has every fiftieth."""
    asked = AppealFilter(channel="email", statuses=statuses)
    assert await house.lists.appeals(KISHI.principal(Role.EXECUTOR), asked, None, 51) == []
    assert not [plan for plan in watched[0].plans if "cards_of_" in plan]
    scans = [line for line in watched[0].plans[-1].splitlines() if "appeal a" in line]
    assert scans, watched[0].plans
    assert all("never executed" in line or "actual rows=0" in line for line in scans)
    # A city is asked of one organisation in the same way.
    of_one = AppealFilter(channel="email", organisation=KISHI.water)
    assert await house.lists.appeals(KISHI.principal(), of_one, None, 51) == []
    assert not [plan for plan in watched[1].plans if "cards_of_" in plan]


async def test_what_an_organisation_deals_with_since_a_correction_is_looked_for(house, crowd):
    appeal = await register(house)
    assert appeal.assignment is not None
    own = frozenset({appeal.assignment.organisation})
    who = replace(KISHI.principal(Role.EXECUTOR), organisations=own)
    wanted = AppealFilter(service="lifts.dirty-car")
    assert await house.lists.appeals(who, wanted, None, 51) == []
    said = Correct(service="lifts.dirty-car", answers={})
    await perform(house, appeal, Action.CORRECT, said, role=Role.OPERATOR)
    (found,) = await house.lists.appeals(who, wanted, None, 51)
    assert found.id == appeal.id


async def test_of_a_lump_no_more_is_looked_at_than_is_shown(house, crowd, watched):
    """Of the cards of two months the newest that fill the page, and no appeal besides."""
    found = await house.lists.appeals(KISHI.principal(Role.EXECUTOR), AppealFilter(), None, 20)
    assert len(found) == 20
    (plan,) = [plan for plan in watched[0].plans if "cards_of_organisations" in plan]
    (loops,) = re.findall(r"using pk_appeal on appeal a_\d \(actual .* loops=(\d+)\)", plan)
    assert int(loops) == 20, plan
    assert "Memoize" not in plan


async def test_what_is_open_is_read_in_the_order_of_its_index(house, crowd, watched):
    asked = AppealFilter(statuses=["in_progress"])
    assert len(await house.lists.appeals(KISHI.principal(), asked, None, 5)) == 5
    (plan,) = watched[0].plans
    assert "using ix_appeal_open on" in plan
    watched[0].check(most=10)


OPEN = ["registered", "assigned", "in_progress"]


@pytest.mark.parametrize(
    ("who", "wanted", "walks"),
    [(AKIM, None, 3), (OF_SEVERAL, "d1", 3), (OF_SEVERAL, None, 3 * 3)],
    ids=["one district", "one of several", "several"],
)
async def test_of_each_district_what_is_open_is_read_in_the_order_of_its_index(
    house, crowd, watched, who, wanted, walks
):
    asked = AppealFilter(statuses=OPEN, district=wanted)
    assert len(await house.lists.appeals(who, asked, None, 5)) == 5
    (plan,) = watched[0].plans
    # Each walk ends with the page: what comes out of it was sorted by nothing but the index.
    (scan,) = re.findall(r"Index Scan using ix_appeal_open_district on .* loops=(\d+)\)", plan)
    assert int(scan) == walks, plan
    watched[0].check(most=5 * walks)


async def test_what_a_district_that_is_none_of_theirs_has_is_not_looked_for(house, crowd, watched):
    for asked in (AppealFilter(district="d3"), AppealFilter(statuses=OPEN, district="d3")):
        assert await house.lists.appeals(OF_SEVERAL, asked, None, 51) == []
        assert watched[-1].plans == []


async def test_cards_are_looked_up_by_the_facets_of_all_their_districts(house, crowd, watched):
    """Of a rarity no more appeals are looked at than are shown."""
    asked = AppealFilter(service="a.s50", registered_to=crowd.registered_at - timedelta(days=60))
    found = [each.number for each in await house.lists.appeals(OF_SEVERAL, asked, None, 51)]
    assert found == await looked_through(house, OF_SEVERAL, asked, 51)
    assert found
    (plan,) = [plan for plan in watched[0].plans if "cards_of_city" in plan]
    first, *_ = re.findall(r"using pk_appeal on appeal a_\d \(actual .* loops=(\d+)\)", plan)
    assert int(first) == len(found), plan


async def test_what_waits_for_its_resident_is_not_stepped_over(house, crowd, watched):
    """Twenty lie on the desk, done and unconfirmed, between those that are in progress."""
    done = (
        "WITH it AS (SELECT a.id FROM desk d JOIN appeal a ON a.id = d.appeal_id"
        f" WHERE d.organisation_id = '{KISHI.department}' AND a.status = 'in_progress'"
        " ORDER BY d.registered_at DESC OFFSET 1 LIMIT 20)"
    )
    await fetch(house, f"{done} UPDATE appeal a SET status = 'resolved' FROM it WHERE a.id = it.id")
    who = replace(KISHI.principal(Role.EXECUTOR), organisations=frozenset({KISHI.department}))
    asked = AppealFilter(statuses=["in_progress"])
    found = [one.number for one in await house.lists.appeals(who, asked, None, 3)]
    assert found == await looked_through(house, who, asked, 3)
    plan = watched[0].plans[-1]
    (walked,) = re.findall(r"ix_desk_status on desk d \(actual rows=(\d+)", plan)
    assert int(walked) == 3, plan
    await fetch(house, "UPDATE appeal SET status = 'in_progress' WHERE status = 'resolved'")


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (KISHI.principal(Role.INSPECTOR), "in_progress"),
        (KISHI.principal(Role.CITIZEN), "closed"),
        (OF_SEVERAL, "in_progress"),
    ],
    ids=["inspector", "citizen", "akim of several"],
)
async def test_a_status_named_twice_is_asked_once(house, crowd, who, status):
    twice = AppealFilter(statuses=[status, status])
    found = [one.number for one in await house.lists.appeals(who, twice, None, 9)]
    assert found
    assert found == await looked_through(house, who, twice, 9)


async def test_an_akim_of_few_does_not_walk_the_register_for_them(house, crowd, watched):
    """A village that nobody ever wrote from, in a city of thousands."""
    who = KISHI.principal(Role.AKIM, district="village", districts=("village",))
    assert await house.lists.appeals(who, AppealFilter(), None, 51) == []
    watched[0].check(most=4)


async def test_what_met_by_a_correction_is_looked_for(house, crowd):
    appeal = await register(house, service="general.unclassified", answers={})
    wanted = AppealFilter(service="lifts.company-unknown", sphere="lifts", kind=str(appeal.kind))
    assert await house.lists.appeals(KISHI.principal(), wanted, None, 51) == []
    said = Correct(service="lifts.company-unknown", answers={})
    corrected = await perform(house, appeal, Action.CORRECT, said, role=Role.OPERATOR)
    assert corrected.sphere == "lifts"
    (found,) = await house.lists.appeals(KISHI.principal(), wanted, None, 51)
    assert found.id == appeal.id


async def test_a_period_long_ago_is_found_as_fast(house, crowd, watched):
    day = crowd.registered_at - timedelta(days=200)
    asked = AppealFilter(
        service="a.s7", registered_from=day, registered_to=day + timedelta(days=30)
    )
    found = await house.lists.appeals(KISHI.principal(), asked, None, 51)
    assert [one.number for one in found] == await looked_through(
        house, KISHI.principal(), asked, 51
    )
    watched[0].check(most=1000)


@pytest.mark.parametrize("wanted", [{"statuses": ["in_progress"]}, {"overdue_at": LATE}], ids=str)
async def test_a_resident_is_asked_for_their_own_and_not_for_all_that_is_open(
    house, crowd, watched, wanted
):
    who, asked = KISHI.principal(Role.CITIZEN), AppealFilter(**wanted)
    found = [appeal.number for appeal in await house.lists.appeals(who, asked, None, 51)]
    assert found == await looked_through(house, who, asked, 51)
    assert "ix_appeal_citizen" in watched[0].plans[0]
    watched[0].check(most=30)


async def test_marks_alone_are_no_words_and_find_nothing(house, crowd):
    assert await house.lists.appeals(KISHI.principal(), AppealFilter(text="?!"), None, 51) == []


async def test_a_number_is_found_by_its_end(house, crowd):
    found = await house.lists.appeals(KISHI.principal(), AppealFilter(text="2025-000400"), None, 51)
    assert [appeal.number for appeal in found] == ["KIS-2025-000400"]


@pytest.mark.parametrize("said", ["KIS-2025-000400", " kis 2025 000400 ", "Kis2025000400"])
async def test_a_whole_number_is_looked_up_and_not_searched(house, crowd, watched, said):
    found = await house.lists.appeals(KISHI.principal(), AppealFilter(text=said), None, 51)
    assert [appeal.number for appeal in found] == ["KIS-2025-000400"]
    assert "uq_appeal_city_id" in watched[0].plans[0]
    watched[0].check(most=3)


async def test_a_whole_number_of_somebody_elses_is_not_found(house, crowd):
    who, asked = KISHI.principal(Role.EXECUTOR), AppealFilter(text="KIS-2025-000401")
    assert await house.lists.appeals(who, asked, None, 51) == []


def test_words_are_small_letters_with_a_space_before_each():
    assert (
        words("Люк № 7, АБАЯ-көшесі!", None, "KIS-2026-000001")
        == " люк 7 абая көшесі kis 2026 000001"
    )
    assert likeness("Люк!") == "%люк%"
    assert likeness("юг") == "% юг%"


async def test_a_card_follows_what_is_corrected_and_taken_back(house, crowd):
    appeal = await register(house)
    said = Correct(text="Мүлде басқа сөздер", where=Whereabouts(building=KISHI.flats))
    await perform(house, appeal, Action.CORRECT, said, role=Role.OPERATOR)
    asked = AppealFilter(text="мүлде басқа")
    found = await house.lists.appeals(KISHI.principal(Role.EXECUTOR), asked, None, 51)
    assert [one.number for one in found] == [appeal.number]
    await perform(house, appeal, Action.WITHDRAW, Withdraw("call"), role=Role.OPERATOR)
    asked = AppealFilter(text="мүлде басқа", statuses=["withdrawn"])
    found = await house.lists.appeals(KISHI.principal(Role.EXECUTOR), asked, None, 51)
    assert [one.number for one in found] == [appeal.number]


async def test_the_cards_of_the_revision_are_those_of_the_statements(house, crowd):
    (own,) = await fetch(house, "SELECT * FROM card WHERE appeal_id = $1", crowd.id)
    (made,) = await fetch(
        house,
        f"WITH made AS ({CARDS[CARDS.index('SELECT') :]} WHERE a.id = $1) SELECT * FROM made",
        crowd.id,
    )  # fmt: skip
    assert tuple(made) == tuple(own)[: len(tuple(made))]


@pytest.mark.parametrize("name", ["inspector", "akim", "akim of several", "executor"])
@pytest.mark.parametrize("states", [(), ("breached",), ("met", "cancelled")], ids=str)
async def test_clocks_are_listed_in_the_order_of_their_index(house, crowd, watched, name, states):
    who = WHO[name]
    found = await house.lists.clocks(
        who, states=states, stage=None, due_before=None, after=None, limit=51
    )
    due = [clock.due_at for clock, _, _ in found]
    assert due == sorted(due)
    assert {str(clock.state) for clock, _, _ in found} <= set(states or ClockState)
    assert not re.search(r"Seq Scan on (clock|appeal)\b", watched[0].plans[0])
    if (districts := who.confined) is not None:
        rows = await fetch(
            house,
            "SELECT k.due_at FROM clock k WHERE k.district = ANY($1) AND k.state = ANY($2)"
            " ORDER BY k.due_at LIMIT 51",
            list(districts), list(states or ClockState),
        )  # fmt: skip
        assert due == [row["due_at"] for row in rows]
    if name == "executor":
        assert "Index Scan using ix_clock_executor" in watched[0].plans[0]
        # Of each state and stage a page at most, however many clocks are others'.
        watched[0].check(most=51 * 3)


async def test_a_clock_is_listed_to_whoever_must_keep_it_now(house, crowd):
    async def listed(organisation: UUID) -> set[str]:
        who = KISHI.principal(Role.EXECUTOR, organisation=organisation)
        found = await house.lists.clocks(
            who, states=("running",), stage=None, due_before=None, after=None, limit=100
        )
        return {number for _, number, _ in found}

    appeal = await register(house)
    assert appeal.number in await listed(KISHI.water)
    elsewhere = Assign(KISHI.centre, "Су емес")
    await perform(house, appeal, Action.REDIRECT, elsewhere, role=Role.INSPECTOR)
    assert appeal.number not in await listed(KISHI.water)
    assert appeal.number in await listed(KISHI.centre)


@pytest.mark.parametrize("states", [(), ("offered",), ("declined",)], ids=str)
async def test_assignments_are_listed_in_the_order_of_their_index(house, crowd, watched, states):
    found = await house.lists.assignments(KISHI.principal(Role.EXECUTOR), states, None, 51)
    offered = [given.offered_at for given, _ in found]
    assert offered == sorted(offered, reverse=True)
    watched[0].check(most=60)
