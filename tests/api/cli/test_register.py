"""The register is proved from the database alone, and a forger is found."""

from contextlib import contextmanager
from hashlib import sha256

import orjson
import psycopg
import pytest

from domain.register.canonical import leaf_hash
from tests.support.appeals import register


@pytest.fixture
async def appeal(house):
    return await register(house)


@contextmanager
def forger(url):
    """A superuser who has put the guard aside; what it did is undone at the end."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE event DISABLE TRIGGER USER")
        connection.execute("CREATE TABLE kept AS SELECT * FROM event")
        connection.execute("CREATE TABLE kept_appeal AS SELECT id, head, sequence FROM appeal")
        try:
            yield connection
        finally:
            connection.execute(
                "UPDATE event SET canonical = k.canonical, hash = k.hash,"
                " sequence = k.sequence FROM kept k WHERE k.id = event.id"
            )
            connection.execute(
                "UPDATE appeal SET head = k.head, sequence = k.sequence"
                " FROM kept_appeal k WHERE k.id = appeal.id"
            )
            connection.execute("DROP TABLE kept, kept_appeal")
            connection.execute("ALTER TABLE event ENABLE TRIGGER USER")  # fmt: skip


def _forge_words(connection, appeal):
    connection.execute(
        "UPDATE event SET canonical = convert_to(replace(convert_from(canonical, 'UTF8'),"
        " 'operator', 'akim'), 'UTF8') WHERE appeal_id = %s AND sequence = 1",
        [appeal.id],
    )


def _forge_words_and_hash(connection, appeal):
    _forge_words(connection, appeal)
    (canonical,) = connection.execute(
        "SELECT canonical FROM event WHERE appeal_id = %s AND sequence = 1", [appeal.id]
    ).fetchone()
    connection.execute(
        "UPDATE event SET hash = %s WHERE appeal_id = %s AND sequence = 1",
        [leaf_hash(bytes(canonical)), appeal.id],
    )


def _skip_a_number(connection, appeal):
    connection.execute(
        "UPDATE event SET sequence = sequence + 5 WHERE appeal_id = %s AND sequence = 2",
        [appeal.id],
    )


def _move_the_head(connection, appeal):
    connection.execute(
        "UPDATE appeal SET head = %s WHERE id = %s", [sha256(b"").digest(), appeal.id]
    )


def test_an_honest_register_is_whole(ikomek, appeal):
    answer = ikomek("register", "verify")
    assert answer.status == 0, answer.out
    assert "whole" in answer.out
    assert ikomek("register", "verify", "--number", appeal.number).status == 0


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (_forge_words, "event 1 (appeal.registered"),
        (_forge_words_and_hash, "event 2 (appeal.assigned"),
        (_skip_a_number, "event 2 is missing"),
        (_move_the_head, "the appeal says"),
    ],
    ids=["words", "words and hash", "a gap", "the head"],
)
def test_a_forged_event_is_named(ikomek, appeal, city_database, forge, said):
    with forger(city_database) as connection:
        forge(connection, appeal)
        answer = ikomek("register", "verify")
        assert answer.status == 1
        (line,) = answer.out.splitlines()
        assert line.startswith(appeal.number)
        assert said in line
    assert ikomek("register", "verify").status == 0


def test_an_unknown_number_is_not_called_whole(ikomek):
    assert ikomek("register", "verify", "--number", "KIS-2026-999999").status == 2


def test_an_export_proves_itself_without_the_program(ikomek, appeal, tmp_path):
    target = tmp_path / "register.jsonl"
    assert ikomek("register", "export", target, "--number", appeal.number).status == 0
    lines = [orjson.loads(line) for line in target.read_bytes().splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    previous = "00" * 32
    for line in lines:
        assert sha256(b"\x00" + line["canonical"].encode()).hexdigest() == line["hash"]
        assert orjson.loads(line["canonical"])["previous"] == previous
        previous = line["hash"]
    assert "Айгүл" not in target.read_text()
