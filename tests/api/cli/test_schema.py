"""Migrations, the doctor and the generated files at the command line."""

import psycopg
import pytest

from api.commands.contracts import workflow_page
from domain.appeals.workflow import PAUSE_RULES, TRANSITIONS
from integrations.postgres import migrate


@pytest.fixture
def empty(nowhere, server, monkeypatch):
    """The program before a database where nothing was made yet."""
    with server.database() as name:
        monkeypatch.setenv("DATABASE_URL", server.url_of(name))
        yield nowhere


def test_migrate_goes_up_step_by_step_and_never_back(empty):
    first, *_, last = migrate.revisions()
    assert "\tdone" not in empty("migrate", "--status").out
    assert empty("migrate", "--to", first).status == 0
    assert f"{first}\tdone" in empty("migrate", "--status").out
    assert f"{last}\tto come" in empty("migrate", "--status").out
    assert empty("migrate").status == 0
    assert "to come" not in empty("migrate", "--status").out
    assert empty("migrate", "--to", first).status == 1
    assert empty("migrate", "--to", "9999").status == 2


def test_a_command_before_the_migration_says_what_is_missing(empty):
    answer = empty("token", "list")
    assert answer.status == 1
    assert "ikomek migrate" in answer.err


def test_the_doctor_finds_a_sound_house_sound(ikomek):
    answer = ikomek("doctor")
    assert answer.status == 0, answer.out
    found = {line.split("\t")[0]: line.split("\t")[1] for line in answer.out.splitlines()[1:]}
    assert set(found.values()) == {"ok"}
    assert {"database", "migrations", "role", "walls", "broker", "storage", "clock", "disk"} <= set(
        found
    )


def test_the_doctor_finds_a_role_that_could_forget(ikomek, city_database):
    with psycopg.connect(city_database, autocommit=True) as connection:
        connection.execute("GRANT DELETE ON event TO ikomek_app")
        try:
            answer = ikomek("doctor")
        finally:
            connection.execute("REVOKE DELETE ON event FROM ikomek_app")
    assert answer.status == 1
    assert "role\tWRONG" in answer.out


@pytest.mark.parametrize(
    ("torn", "mended"),
    [
        (
            "ALTER TABLE card NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE card FORCE ROW LEVEL SECURITY",
        ),
        (
            "ALTER TABLE card DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE card ENABLE ROW LEVEL SECURITY",
        ),
    ],
)
def test_the_doctor_finds_a_wall_that_was_torn_down(ikomek, city_database, torn, mended):
    with psycopg.connect(city_database, autocommit=True) as connection:
        connection.execute(torn)
        try:
            answer = ikomek("doctor")
        finally:
            connection.execute(mended)
    assert answer.status == 1
    assert "walls\tWRONG\ttorn down: card" in answer.out


def test_the_doctor_finds_a_broker_that_is_away(ikomek, monkeypatch):
    monkeypatch.setenv("BROKER_URL", "amqp://127.0.0.1:1")
    answer = ikomek("doctor")
    assert answer.status == 1
    assert "broker\tWRONG" in answer.out


@pytest.mark.parametrize("what", ["openapi", "workflow"])
def test_a_generated_file_is_current_until_somebody_touches_it(nowhere, tmp_path, what):
    target = tmp_path / "generated.yaml"
    assert nowhere(what, "export", target, "--check").status == 1
    assert nowhere(what, "export", target).status == 0
    assert nowhere(what, "export", target, "--check").status == 0
    target.write_text(target.read_text() + "\n# mine\n")
    answer = nowhere(what, "export", target, "--check")
    assert answer.status == 1
    assert f"ikomek {what} export" in answer.err


def test_the_workflow_page_names_every_action_and_every_pause():
    page = workflow_page()
    for action in TRANSITIONS:
        assert f"| {action} |" in page
    for reason in PAUSE_RULES:
        assert f"| {reason} |" in page
