"""A generated city is one that could have been: whole chains, true clocks, the same by its seed."""

from datetime import UTC, datetime

import psycopg
import pytest

from api.commands import semey
from api.commands.clocks import check
from api.commands.database import in_office
from api.commands.register import verify
from benchmarks.generator import Wanted, fill
from tests.conftest import TEST_KEYS, make_settings

UNTIL = datetime(2026, 9, 1, 6, tzinfo=UTC)
APPEALS = 150


@pytest.fixture(scope="module")
def generated(server, template, tmp_path_factory):
    """Two databases that were filled alike."""
    with server.database(template) as city, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IKOMEK_KEYS", TEST_KEYS)
        in_office(semey.load, make_settings(server.url_of(city), tmp_path_factory.mktemp("home")))
        with server.database(city) as first, server.database(city) as second:
            for name in (first, second):
                fill(Wanted(server.url_of(name), APPEALS, seed=7, until=UNTIL, processes=1))
            yield server.url_of(first), server.url_of(second)


def read(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_every_chain_is_whole_and_every_clock_is_what_its_events_tell(
    generated, monkeypatch, capsys
):
    monkeypatch.setenv("DATABASE_URL", generated[0])
    monkeypatch.setenv("IKOMEK_KEYS", TEST_KEYS)
    verify()
    check()
    said = capsys.readouterr().out
    assert "The register is whole" in said
    assert f"Every clock is what its events tell: {APPEALS} appeals" in said


def test_the_same_seed_makes_the_same_register(generated):
    first, second = (read(url, "SELECT id, hash FROM event ORDER BY id") for url in generated)
    assert len(first) > 3 * APPEALS
    assert first == second


def test_numbers_follow_the_arrivals_and_go_on_after_them(generated):
    numbers = [
        row[0] for row in read(generated[0], "SELECT number FROM appeal ORDER BY registered_at")
    ]
    assert numbers == [f"SEM-2026-{number:06d}" for number in range(1, APPEALS + 1)]
    assert read(generated[0], "SELECT filled_to FROM number_series") == [(APPEALS,)]


def test_nothing_waits_to_be_told_and_nothing_overdue_waits_to_be_acted_on(generated):
    assert read(generated[0], "SELECT count(*) FROM outbox") == [(0,)]
    late = f"SELECT count(*) FROM clock WHERE next_at < '{UNTIL:%Y-%m-%d %H:%M:%S+00}'"
    assert read(generated[0], late) == [(0,)]
