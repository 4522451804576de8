"""A login that may not do what is needed hears so in one plain sentence; a broker that answers
is found, whatever kind of BROKER_URL names it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from api.worker.broker import BROKERS
from tests.api.cli.conftest import Ikomek
from tests.support.postgres import Server

PASSWORD = "not-a-secret"


@pytest.fixture
def login(server: Server) -> Iterator[str]:
    """The name of a login that may do nothing."""
    name = sql.Identifier(f"stranger_{uuid4().hex[:8]}")
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(PASSWORD))
        )
        yield str(name.as_string(None)).strip('"')
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))


def _as(url: str, login: str) -> str:
    front, _, rest = url.partition("://")
    return f"{front}://{login}:{PASSWORD}@{rest.rpartition('@')[2]}"


def _one_sentence(text: str) -> bool:
    return "Traceback" not in text and "sqlalchemy" not in text and "asyncpg" not in text


@pytest.mark.parametrize("may_read", [True, False])
def test_a_login_that_may_not_act_as_the_platform_is_told_so(
    ikomek: Ikomek,
    city_database: str,
    login: str,
    may_read: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = sql.Identifier(login)
    with psycopg.connect(city_database, autocommit=True) as connection:
        if may_read:
            connection.execute(sql.SQL("GRANT SELECT ON alembic_version TO {}").format(name))
        monkeypatch.setenv("DATABASE_URL", _as(city_database, login))
        doctor, tokens = ikomek("doctor"), ikomek("token", "list")
        connection.execute(sql.SQL("REVOKE ALL ON alembic_version FROM {}").format(name))
    assert doctor.status == tokens.status == 1
    (wrong,) = (line for line in doctor.out.splitlines() if "\tWRONG\t" in line)
    for said in (wrong, tokens.err):
        assert f"The login '{login}' may not act as ikomek_app" in said
        assert "ALTER ROLE ikomek_app PASSWORD" in said
        assert _one_sentence(said)


def test_an_owner_who_cannot_act_as_the_platform_migrates_and_is_told_what_comes_next(
    nowhere: Ikomek, server: Server, login: str, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`template` stands, and with it the role: whoever owns the database need not make it."""
    with server.database() as name:
        with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                sql.Identifier(name), sql.Identifier(login)
            ))  # fmt: skip
        monkeypatch.setenv("DATABASE_URL", _as(server.url_of(name), login))
        answer = nowhere("migrate")
        assert answer.status == 0, answer.err
        assert f"The login '{login}' may not act as ikomek_app" in answer.err
        assert _one_sentence(answer.err)


def test_a_stranger_to_the_database_hears_why_it_cannot_migrate(
    nowhere: Ikomek, server: Server, login: str, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.database() as name:
        monkeypatch.setenv("DATABASE_URL", _as(server.url_of(name), login))
        answer = nowhere("migrate")
    assert answer.status == 1
    assert "The login may not migrate this database" in answer.err
    assert _one_sentence(answer.err)


def test_the_first_migration_of_a_cluster_asks_for_the_right_to_make_roles(
    nowhere: Ikomek, server: Server, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.postgres.rights.APP_ROLE", f"no_such_{uuid4().hex[:8]}")
    with server.database() as name:
        monkeypatch.setenv("DATABASE_URL", _as(server.url_of(name), login))
        answer = nowhere("migrate")
    assert answer.status == 1
    assert f"ALTER ROLE {login} CREATEROLE" in answer.err
    assert _one_sentence(answer.err)


@pytest.fixture
def port() -> Iterator[int]:
    """Where something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("scheme", [kind for kind in BROKERS if kind[:4] in ("amqp", "redi")])
def test_the_doctor_hears_every_broker_that_the_platform_can_speak_to(
    ikomek: Ikomek, port: int, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", f"{scheme}://user:word@127.0.0.1:{port}/0")
    assert "broker\tok" in ikomek("doctor").out


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_the_doctor_hears_a_broker_in_a_database(
    ikomek: Ikomek, city_database: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", f"{scheme}://{city_database.partition('://')[2]}")
    assert "broker\tok" in ikomek("doctor").out
    monkeypatch.setenv("BROKER_URL", f"{scheme}://127.0.0.1:1/none")
    assert "broker\tWRONG" in ikomek("doctor").out


def test_the_doctor_hears_a_broker_behind_a_socket_file(
    ikomek: Ikomek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "r"
    monkeypatch.setenv("BROKER_URL", f"unix://{place}")
    assert "broker\tWRONG" in ikomek("doctor").out
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()
        assert "broker\tok" in ikomek("doctor").out


def test_the_doctor_is_content_with_one_of_several_brokers_and_with_no_nonsense(
    ikomek: Ikomek, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", f"amqp://127.0.0.1:1;amqp://127.0.0.1:{port}")
    assert "broker\tok" in ikomek("doctor").out
    for wrong in ("kafka://127.0.0.1", "amqp://127.0.0.1:none", "nonsense"):
        monkeypatch.setenv("BROKER_URL", wrong)
        assert "broker\tWRONG\tBROKER_URL" in ikomek("doctor").out
