"""What becomes of each 'done' is counted, and the count is what the register tells."""

import re
from datetime import timedelta
from importlib import import_module

import psycopg
import pytest

from domain.access import Role
from domain.appeals.commands import (
    Accept,
    Assign,
    Check,
    Confirm,
    Decline,
    Reopen,
    Resolve,
    Return,
    Withdraw,
)
from domain.appeals.workflow import Action
from domain.questions import Period
from integrations.postgres.completions import counted
from integrations.postgres.scope import Parameters
from tests.support.appeals import perform, register
from tests.support.city import KISHI
from tests.support.sql import fetch

A, R = Action, Role
DONE = (A.RESOLVE, Resolve("дайын", no_photo_reason="түн"), R.EXECUTOR)
CHECKED = (A.CHECK, Check(), R.INSPECTOR)
RETURNED = (A.RETURN, Return("жоқ"), R.INSPECTOR)
CONFIRMED = (A.CONFIRM, Confirm("call", 5), R.OPERATOR)
REFUSED = (A.REOPEN, Reopen("call", "жоқ"), R.OPERATOR)
WITHDRAWN = (A.WITHDRAW, Withdraw("call"), R.OPERATOR)
STORIES = {
    "right": (DONE, CHECKED, CONFIRMED),
    "open": (DONE,),
    "refused": (DONE, REFUSED, DONE, CONFIRMED),
    "refused after yes": (DONE, CONFIRMED, REFUSED, DONE),
    "returned": (DONE, RETURNED, DONE, CHECKED, REFUSED),
    "withdrawn": (DONE, WITHDRAWN),
    "withdrawn at work": (DONE, REFUSED, WITHDRAWN),
    "never done": (),
}
VERDICTS: dict[str, list[str | None]] = {
    "right": ["confirmed"],
    "open": [None],
    "refused": ["refused", "confirmed"],
    "refused after yes": ["refused", None],
    "returned": ["returned", "refused"],
    "withdrawn": ["withdrawn"],
    "withdrawn at work": ["refused"],
    "never done": [],
}
SQL = "SELECT number, verdict FROM completion WHERE appeal_id = $1 ORDER BY number"


@pytest.fixture(scope="module")
async def lived(house):
    """An appeal of each story, at the water utility; one that the department did at last."""
    found = {}
    for name, steps in STORIES.items():
        appeal = await register(house)
        for action, command, role in ((A.ACCEPT, Accept(), R.EXECUTOR), *steps):
            appeal = await perform(house, appeal, action, command, role=role)
        found[name] = appeal
    other = await register(house)
    await perform(house, other, A.DECLINE, Decline("біздікі емес"))
    await perform(house, other, A.ASSIGN, Assign(KISHI.department), role=R.INSPECTOR)
    for action, command in ((A.ACCEPT, Accept()), DONE[:2]):
        await perform(house, other, action, command, organisation=KISHI.department)
    found["department"] = other
    return found


@pytest.mark.parametrize("story", STORIES)
async def test_each_done_has_the_verdict_that_followed(house, lived, story):
    rows = await fetch(house, SQL, lived[story].id)
    assert [row["verdict"] for row in rows] == VERDICTS[story]
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))


async def figures(house, role, **changes):
    at = house.now()
    period = Period(at - timedelta(days=1), at + timedelta(days=1), **changes)
    rows = await house.completions.executors(KISHI.principal(role), period, after=0, limit=50)
    return {(row["organisation_id"], row["service"]): dict(row) for row in rows}


async def test_the_figures_of_an_executor_are_the_sum_of_its_stories(house, lived):
    told = (await figures(house, R.AUDITOR))[KISHI.water, None]
    verdicts = [verdict for story in VERDICTS.values() for verdict in story]
    assert told["done"] == len(verdicts) == 10
    for verdict in ("confirmed", "refused", "returned", "withdrawn"):
        assert told[verdict] == verdicts.count(verdict), verdict
    assert told["awaiting"] == verdicts.count(None)
    assert (told["first_done"], told["first_judged"], told["first_right"]) == (7, 5, 1)


async def test_everybody_judges_those_below_them(house, lived):
    both = {KISHI.water, KISHI.department}
    for role in (R.INSPECTOR, R.AUDITOR):
        assert {id for id, _ in await figures(house, role)} == both
    assert {id for id, _ in await figures(house, R.HEAD)} == {KISHI.water}
    assert await figures(house, R.ADMINISTRATOR) == {}
    at = house.now()
    period = Period(at - timedelta(days=1), at)
    akims = {"centre": both, "elsewhere": set()}
    for district, seen in akims.items():
        who = KISHI.principal(R.AKIM, district=district)
        rows = await house.completions.executors(who, period, after=0, limit=50)
        assert {row["organisation_id"] for row in rows} == seen


async def test_figures_are_of_the_period_the_service_and_the_executor_asked_for(house, lived):
    at = house.now()
    who = KISHI.principal(R.AUDITOR)
    past = Period(at - timedelta(days=9), at - timedelta(days=8))
    assert await house.completions.executors(who, past, after=0, limit=50) == []
    service = lived["right"].service
    assert set(await figures(house, R.AUDITOR, by_service=True)) == {
        (KISHI.water, service), (KISHI.department, service)
    }  # fmt: skip
    assert await figures(house, R.AUDITOR, service="no.such") == {}
    assert {id for id, _ in await figures(house, R.AUDITOR, organisation=KISHI.department)} == {
        KISHI.department
    }


async def test_what_is_counted_is_what_the_events_tell(house, lived, city_database):
    """The migration makes the table from the events alone: it must say the same."""
    everything = "SELECT * FROM completion ORDER BY appeal_id, number"
    before = [dict(row) for row in await fetch(house, everything)]
    assert len(before) == 11
    told = import_module("migrations.versions.0008_evidence").TOLD
    with psycopg.connect(city_database) as connection:
        connection.execute("CREATE TEMP TABLE kept AS TABLE completion")
        connection.execute("TRUNCATE completion")
        connection.execute(told)
        columns = "appeal_id, number, organisation_id, service, district, done_at, verdict"
        for one, other in (("kept", "completion"), ("completion", "kept")):
            rows = connection.execute(
                f"SELECT {columns}, judged_at FROM {one}"
                f" EXCEPT SELECT {columns}, judged_at FROM {other}"
            ).fetchall()
            assert rows == []
        connection.rollback()


@pytest.fixture(scope="module")
async def crowd(house, lived):
    """Three years of work: a hundred thousand done, few of them in the last days."""
    await fetch(
        house,
        "INSERT INTO completion SELECT city_id, appeal_id, number + n, organisation_id, service,"
        " district, done_at - n * interval '1 hour', verdict, judged_at FROM completion,"
        " generate_series(1, 20000) n WHERE appeal_id = $1",
        lived["withdrawn"].id,
    )
    await fetch(house, "ANALYZE completion")


@pytest.mark.parametrize("role", [R.INSPECTOR, R.HEAD], ids=str)
async def test_a_period_is_read_and_not_the_years_before_it(house, crowd, role):
    at, parameters = house.now(), Parameters()
    period = Period(at - timedelta(days=3), at + timedelta(hours=1))
    statement = counted(KISHI.principal(role), period, parameters, 0, 50)
    rows = await fetch(
        house, f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}", *parameters.values
    )
    found = "\n".join(row[0] for row in rows)
    assert "ix_completion_" in found
    assert max(int(n) for n in re.findall(r"actual rows=(\d+)", found)) < 200
