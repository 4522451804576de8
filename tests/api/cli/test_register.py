"""The register is proved from the database or from its export alone, and a forger is found."""

from contextlib import contextmanager

import orjson
import psycopg
import pytest

from domain.appeals.commands import Accept
from domain.appeals.workflow import Action
from domain.register.canonical import leaf_hash
from domain.register.checkpoint import origin_of, parse_checkpoint, parse_key
from tests.support.appeals import perform, register
from tests.support.city import KISHI
from tests.support.register import signed

TABLES = {
    "event": ("canonical", "hash", "sequence"),
    "appeal": ("head", "sequence"),
    "log_leaf": ("hash", "index"),
    "log_tile": ("hashes", "root"),
    "checkpoint": ("note", "root"),
}
ID = {"event": "id", "appeal": "id", "log_leaf": "event_id", "log_tile": "index",
      "checkpoint": "size"}  # fmt: skip


@pytest.fixture
async def appeal(house):
    """An appeal with a history, sealed and signed."""
    appeal = await register(house)
    appeal = await perform(house, appeal, Action.ACCEPT, Accept())
    await signed(house)
    return appeal


@contextmanager
def forger(url):
    """A superuser who has put the guards aside; what it did is undone at the end."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            connection.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        try:
            yield connection
        finally:
            for table, columns in TABLES.items():
                changes = ", ".join(f'"{name}" = k."{name}"' for name in columns)
                same = f't."{ID[table]}" = k."{ID[table]}"'
                connection.execute(
                    f"UPDATE {table} t SET {changes} FROM kept_{table} k WHERE {same}"
                )
                connection.execute(
                    f"INSERT INTO {table} SELECT * FROM kept_{table} ON CONFLICT DO NOTHING"
                )
                connection.execute(f"DROP TABLE kept_{table}")
                connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


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


def _forge_words_and_leaf(connection, appeal):
    """Everything is mended but what was signed."""
    _forge_words_and_hash(connection, appeal)
    connection.execute(
        "UPDATE log_leaf SET hash = e.hash FROM event e WHERE e.id = event_id AND e.appeal_id = %s",
        [appeal.id],
    )


def _delete_the_last(connection, appeal):
    connection.execute(
        "DELETE FROM event_personal WHERE event_id IN (SELECT id FROM event"
        " WHERE appeal_id = %s AND sequence = 3)", [appeal.id],
    )  # fmt: skip
    connection.execute("DELETE FROM outbox")
    connection.execute("DELETE FROM event WHERE appeal_id = %s AND sequence = 3", [appeal.id])


def _swap_two_leaves(connection, appeal):
    connection.execute(
        "UPDATE log_leaf SET hash = (SELECT o.hash FROM log_leaf o WHERE o.index = 1 - l.index)"
        ' FROM log_leaf l WHERE l.index = log_leaf."index" AND l.index < 2'
    )


def _move_the_head(connection, appeal):
    connection.execute("UPDATE appeal SET head = %s WHERE id = %s", [bytes(32), appeal.id])


def _forge_the_checkpoint(connection, appeal):
    connection.execute("UPDATE checkpoint SET note = replace(note, E'\\n\\n', E'x\\n\\n')")


FORGERIES = {
    "words": (_forge_words, "edited"),
    "words and hash": (_forge_words_and_hash, "edited"),
    "words, hash and leaf": (_forge_words_and_leaf, "rewritten"),
    "an event": (_delete_the_last, "deleted"),
    "the order": (_swap_two_leaves, "rewritten"),
    "the head": (_move_the_head, "disagrees"),
    "the checkpoint": (_forge_the_checkpoint, "form"),
}


def test_an_honest_register_is_whole(ikomek, appeal):
    answer = ikomek("register", "verify")
    assert answer.status == 0, answer.out
    assert "whole" in answer.out
    assert "--key" in answer.err
    answer = ikomek("register", "verify", "--number", appeal.number)
    assert answer.out == "The chain is whole: 3 events.\n"


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forger_is_found_in_the_database_and_in_the_export_alone(
    ikomek, appeal, city_database, tmp_path, name
):
    forge, kind = FORGERIES[name]
    export = tmp_path / "register.jsonl"
    with forger(city_database) as connection:
        forge(connection, appeal)
        assert ikomek("register", "export", export).status == 0
        for answer in (ikomek("register", "verify"), ikomek("register", "verify", export)):
            assert answer.status == 1
            assert f"{kind}: " in answer.out
            assert f"broken: {kind}" in answer.err or kind in answer.err
    assert ikomek("register", "verify").status == 0


@pytest.mark.parametrize(
    ("forge", "said"),
    [(_forge_words, "event 1 (appeal.registered"), (_move_the_head, "the appeal says")],
)
def test_a_forged_chain_of_one_appeal_is_named(ikomek, appeal, city_database, forge, said):
    with forger(city_database) as connection:
        forge(connection, appeal)
        answer = ikomek("register", "verify", "--number", appeal.number)
        assert answer.status == 1
        assert answer.out.startswith(appeal.number)
        assert said in answer.out


def test_a_tile_that_is_not_of_the_leaves_is_found(ikomek, appeal, city_database):
    with forger(city_database) as connection:
        connection.execute(
            "INSERT INTO log_tile SELECT city_id, 0, 0, decode(repeat('00', 8192), 'hex'), hash"
            ' FROM log_leaf WHERE "index" = 0'
        )
        answer = ikomek("register", "verify")
        assert answer.status == 1
        assert "tile 0 of level 0" in answer.out
        connection.execute("DELETE FROM log_tile")


def test_an_unknown_number_is_not_called_whole(ikomek):
    assert ikomek("register", "verify", "--number", "KIS-2026-999999").status == 2


def test_an_export_holds_hashes_instead_of_personal_texts(ikomek, appeal, tmp_path):
    export = tmp_path / "register.jsonl"
    assert ikomek("register", "export", export).status == 0
    first, *lines = [orjson.loads(line) for line in export.read_bytes().splitlines()]
    assert first["origin"] == origin_of(KISHI.code)
    leaves = [line for line in lines if "hash" in line]
    assert [leaf["index"] for leaf in leaves] == list(range(len(leaves)))
    assert "Айгүл" not in export.read_text()


def test_the_export_of_one_day_is_held_to_the_checkpoint_of_another(
    ikomek, appeal, tmp_path, city_database
):
    kept, export = tmp_path / "kept.txt", tmp_path / "register.jsonl"
    answer = ikomek("register", "checkpoint")
    kept.write_text(answer.out)
    assert parse_checkpoint(kept.read_text()).origin == "ikomek109/kishi"
    ikomek("register", "export", export)
    key = orjson.loads(export.read_bytes().splitlines()[0])["keys"][0]
    trusting = ("--checkpoint", kept, "--key", key)
    assert ikomek("register", "verify", export, *trusting).status == 0
    assert ikomek("register", "verify", *trusting).err.count("--key") == 0
    lines = export.read_bytes().splitlines(keepends=True)
    tail = next(at for at, line in enumerate(lines) if b'"appeal"' in line[:10])
    last = max(at for at, line in enumerate(lines[:tail]) if b'"hash"' in line)
    export.write_bytes(b"".join(lines[:last] + lines[tail:]))
    answer = ikomek("register", "verify", export, *trusting)
    assert answer.status == 1
    assert "truncated: a checkpoint from outside" in answer.out


def test_what_is_no_export_or_no_key_is_told_so(ikomek, appeal, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("Айгүл\n")
    answer = ikomek("register", "verify", other)
    assert answer.status == 1
    assert "no export" in answer.err
    assert ikomek("register", "verify", "--key", "x").status == 2


@pytest.fixture
async def news(house, appeal):
    """An appeal that nobody has sealed yet."""
    return await register(house)


def test_another_key_is_taken_over_knowingly_and_what_the_old_one_signed_stays(
    ikomek, news, monkeypatch
):
    # Another machine than the one that signed before: its home is empty.
    answer = ikomek("register", "checkpoint", "--sign")
    assert answer.status == 1
    assert "adopt-key" in answer.err
    key = ikomek("register", "adopt-key").out.strip()
    assert key.startswith("ikomek109/kishi+")
    answer = ikomek("register", "checkpoint", "--sign")
    assert parse_checkpoint(answer.out).signatures[0].key_id == parse_key(key).id
    assert ikomek("register", "verify").status == 0
    answer = ikomek("register", "verify", "--key", key)
    assert "re-signed: " in answer.out
