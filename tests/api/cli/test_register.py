"""The register is proved from the database or from its export alone, and a forger is found."""

from contextlib import contextmanager
from dataclasses import dataclass

import orjson
import psycopg
import pytest

from api.bootstrap import read_signer
from domain.access import Role
from domain.appeals.commands import Accept, Comment
from domain.appeals.workflow import Action
from domain.register.canonical import leaf_hash
from domain.register.checkpoint import Checkpoint, origin_of, parse_checkpoint, parse_key
from domain.register.tiles import WIDTH
from domain.register.tree import root_of
from integrations.vault.signer import Signer
from tests.support.appeals import perform, register
from tests.support.city import KISHI
from tests.support.register import WITNESS, cosign, signed

TABLES = (
    "event", "appeal", "log_leaf", "log_tile", "log_key", "checkpoint", "cosignature", "card",
    "clock", "assignment", "event_personal",
)  # fmt: skip
ORIGIN, FORGER = origin_of(KISHI.code), Signer(bytes(32))


@pytest.fixture
async def appeal(house):
    """An appeal with a history, sealed and signed."""
    appeal = await register(house)
    appeal = await perform(house, appeal, Action.ACCEPT, Accept())
    await signed(house)
    return appeal


@pytest.fixture
async def neighbour(house, appeal):
    """Another appeal of the same city, sealed as well."""
    other = await register(house)
    await signed(house)
    return other


@pytest.fixture
async def fresh(house, appeal):
    """Another one that nobody sealed yet."""
    return await register(house)


@dataclass(frozen=True)
class Outside:
    """What somebody keeps who does not trust the house, as options of the command."""

    kept: tuple[object, ...]
    key: tuple[object, ...]
    witness: tuple[object, ...]
    signer: Signer

    def brings(self, *what):
        """Some of it."""
        return [word for one in what for word in getattr(self, one)]


@pytest.fixture
async def outside(house, appeal, tmp_path):
    """The newest checkpoint as its witness keeps it, who cosigned it; and the keys of both."""
    checkpoint = await signed(house)
    word = cosign(checkpoint)
    await house.proofs.cosign(KISHI.id, checkpoint.size, str(WITNESS), str(word), house.now())
    kept = tmp_path / "kept.txt"
    kept.write_text(str(checkpoint.with_signatures([word])))
    signer = read_signer(house.settings)
    return Outside(
        ("--checkpoint", kept), ("--key", signer.key(ORIGIN)), ("--witness", WITNESS), signer
    )


@contextmanager
def forger(url):
    """A superuser who has put the guards aside; what it did is undone at the end."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            connection.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        try:
            yield connection
        finally:
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")
                connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
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


def _insert_an_event(connection, appeal):
    """A second third event, with a leaf of its own after the last one that was signed."""
    (canonical,) = connection.execute(
        "SELECT canonical FROM event WHERE appeal_id = %s AND sequence = 3", [appeal.id]
    ).fetchone()
    forged = bytes(canonical).replace(b'"id":"0', b'"id":"1')
    identity = orjson.loads(forged)["id"]
    connection.execute(
        "INSERT INTO event SELECT (jsonb_populate_record(e, jsonb_build_object('id', %s::text,"
        " 'sequence', 4, 'canonical', %s::bytea, 'hash', %s::bytea))).* FROM event e"
        " WHERE appeal_id = %s AND sequence = 3",
        [identity, forged, leaf_hash(forged), appeal.id],
    )
    connection.execute(
        "INSERT INTO log_leaf SELECT max(city_id::text)::uuid, max(index) + 1, %s, %s"
        " FROM log_leaf", [identity, leaf_hash(forged)],
    )  # fmt: skip


def _rewrite(connection, appeal):
    """Another last event, and everything after it mended but what was signed."""
    (canonical,) = connection.execute(
        "UPDATE event SET canonical = convert_to(replace(convert_from(canonical, 'UTF8'),"
        " 'in_progress', 'resolved'), 'UTF8') WHERE appeal_id = %s AND sequence = 3"
        " RETURNING canonical", [appeal.id],
    ).fetchone()  # fmt: skip
    for statement in (
        "UPDATE event SET hash = %s WHERE appeal_id = %s AND sequence = 3",
        "UPDATE appeal SET head = %s, status = 'resolved' WHERE id = %s",
        "UPDATE log_leaf SET hash = %s WHERE event_id ="
        " (SELECT id FROM event WHERE appeal_id = %s AND sequence = 3)",
    ):
        connection.execute(statement, [leaf_hash(bytes(canonical)), appeal.id])


def _sign(connection, signer):
    """Every checkpoint anew, over the leaves as they are now."""
    rows = connection.execute('SELECT hash FROM log_leaf ORDER BY "index"').fetchall()
    leaves = [bytes(hash) for (hash,) in rows]
    for (size,) in connection.execute("SELECT size FROM checkpoint").fetchall():
        root = root_of(leaves[:size])
        note = str(signer.sign(Checkpoint(ORIGIN, size, root)))
        connection.execute(
            "UPDATE checkpoint SET root = %s, note = %s WHERE size = %s", [root, note, size]
        )


def _sign_with_another_key(connection, appeal):
    _rewrite(connection, appeal)
    _sign(connection, FORGER)


def _name_another_key(connection, appeal):
    _sign_with_another_key(connection, appeal)
    connection.execute("UPDATE log_key SET key = %s", [str(FORGER.key(ORIGIN))])


FORGERIES = {
    "words": (_forge_words, "edited"),
    "words and hash": (_forge_words_and_hash, "edited"),
    "words, hash and leaf": (_forge_words_and_leaf, "rewritten"),
    "an event": (_delete_the_last, "deleted"),
    "another event": (_insert_an_event, "inserted"),
    "the order": (_swap_two_leaves, "rewritten"),
    "the last event and all that hangs on it": (_rewrite, "rewritten"),
    "the key": (_sign_with_another_key, "re-signed"),
    "the head": (_move_the_head, "disagrees"),
    "the checkpoint": (_forge_the_checkpoint, "form"),
}


def _move_to_another_appeal(connection, appeal):
    """Out of one history, and into the end of another."""
    connection.execute(
        "UPDATE event SET appeal_id = o.id, sequence = o.sequence + 1 FROM appeal o"
        " WHERE event.appeal_id = %s AND event.sequence = 3"
        " AND o.id = (SELECT p.id FROM appeal p WHERE p.id <> %s LIMIT 1)", [appeal.id, appeal.id],
    )  # fmt: skip


def _third(change):
    """A forgery of one column of the third event."""

    def forge(connection, appeal):
        connection.execute(
            f"UPDATE event SET {change} WHERE appeal_id = %s AND sequence = 3", [appeal.id]
        )

    return forge


OF_ROWS = {
    "appeal": (_move_to_another_appeal, "appeal, sequence"),
    "place": (_third("sequence = 9"), "sequence"),
    "type": (_third("type = 'appeal.closed'"), "type"),
    "time": (_third("at = at - interval '1 microsecond'"), "at"),
    "readers": (_third("internal = NOT internal"), "internal"),
    "city": (_third("city_id = gen_random_uuid()"), "city"),
    "hash": (_third("hash = sha256('x')"), "hash"),
}
"""What is bound by no hash: by which columns an event is found, and what is said to be its leaf."""


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


@pytest.mark.parametrize("name", OF_ROWS)
def test_a_row_that_tells_of_another_event_than_its_bytes_is_found(
    ikomek, appeal, neighbour, city_database, tmp_path, name
):
    forge, columns = OF_ROWS[name]
    export = tmp_path / "register.jsonl"
    with forger(city_database) as connection:
        forge(connection, appeal)
        answer = ikomek("register", "verify")
        assert answer.status == 1
        assert f"({appeal.id}, 3): its row tells another {columns} than its bytes" in answer.out
        assert "disagrees " in answer.err
        assert ikomek("register", "export", export).status == 0
        assert ikomek("register", "verify", export).status == 0, "where there are bytes alone"
    assert ikomek("register", "verify").status == 0


def _swap_numbers(connection, appeal):
    """Of the appeal and of another one, as a resident would be shown them."""
    (other, number) = connection.execute(
        "SELECT id, number FROM appeal WHERE id <> %s LIMIT 1", [appeal.id]
    ).fetchone()
    for to, of in (("moved", other), (number, appeal.id), (appeal.number, other)):
        connection.execute("UPDATE appeal SET number = %s WHERE id = %s", [to, of])


def _row(change, table="appeal", key="id"):
    """A forgery of one row of the appeal."""

    def forge(connection, appeal):
        connection.execute(f"UPDATE {table} SET {change} WHERE {key} = %s", [appeal.id])

    return forge


def _swap_sealed(connection, appeal):
    """The name for the phone, each with the other's salt."""
    connection.execute(
        "UPDATE event_personal p SET salt = o.salt, sealed = o.sealed FROM event_personal o, event"
        " e WHERE e.id = p.event_id AND o.event_id = p.event_id AND e.appeal_id = %s"
        " AND (p.field, o.field) IN (('name', 'phone'), ('phone', 'name'))", [appeal.id],
    )  # fmt: skip


OF_APPEALS = {
    "number": (_swap_numbers, "its row tells another number than its events"),
    "status": (_row("status = 'resolved'"), "its row tells another status than"),
    "service": (_row("service = 'x'"), "its row tells another service than"),
    "registered": (_row("registered_at = registered_at - '1 day'::interval"),
                   "its row tells another registered_at than"),
    "executor": (_row("organisation_id = gen_random_uuid()"), "another organisation_id than"),
    "text": (_row("text = 'басқа'"), "its row holds another text than was registered"),
    "answered": (_row("answered_at = offered_at", "assignment", "appeal_id"),
                 "tells another answered_at than its events"),
    "desk of the clock": (_row("organisation_id = NULL", "clock", "appeal_id"),
                          "tells another organisation_id than its row"),
    "card": (_row("words = ' x'", "card", "appeal_id"), "its card tells another words than"),
    "sealed": (_swap_sealed, "the sealed name of event"),
}  # fmt: skip
"""What residents, lists and figures are shown, and no byte of any event."""


@pytest.mark.parametrize("name", OF_APPEALS)
def test_a_row_that_tells_another_story_than_its_events_is_found(
    ikomek, appeal, neighbour, city_database, name
):
    forge, says = OF_APPEALS[name]
    with forger(city_database) as connection:
        forge(connection, appeal)
        answer = ikomek("register", "verify")
        assert answer.status == 1
        assert f"disagrees: {appeal.id} (" in answer.out
        assert says in answer.out
    assert ikomek("register", "verify").status == 0


def test_an_appeal_that_vanished_before_it_was_sealed_leaves_its_number(
    ikomek, appeal, fresh, city_database
):
    with forger(city_database) as connection:
        for statement in (
            "DELETE FROM event_personal WHERE event_id IN"
            " (SELECT id FROM event WHERE appeal_id = %s)",
            "DELETE FROM outbox WHERE event_id IN (SELECT id FROM event WHERE appeal_id = %s)",
            *(f"DELETE FROM {table} WHERE appeal_id = %s"
              for table in ("event", "card", "clock", "assignment")),
            "DELETE FROM appeal WHERE id = %s",
        ):  # fmt: skip
            connection.execute(statement, [fresh.id])
        answer = ikomek("register", "verify")
        assert answer.status == 1
        assert answer.out == "deleted: 1 numbers were given to appeals that are not here\n"


def test_rows_of_many_appeals_are_judged_by_several_processes_at_one_moment(
    ikomek, appeal, neighbour, city_database, monkeypatch
):
    monkeypatch.setattr("integrations.postgres.account_rows.FAR", 1)
    answer = ikomek("register", "verify")
    assert answer.status == 0, answer.out
    with forger(city_database) as connection:
        _swap_numbers(connection, appeal)
        answer = ikomek("register", "verify")
        assert answer.out.count("its row tells another number than its events") == 2


def test_the_row_of_one_appeal_is_held_to_its_events_as_well(ikomek, appeal, city_database):
    with forger(city_database) as connection:
        _row("status = 'resolved'")(connection, appeal)
        answer = ikomek("register", "verify", "--number", appeal.number)
        assert answer.status == 1
        assert "another status than its events" in answer.out
        assert "Its rows are not what its events tell." in answer.err


def test_a_row_of_one_appeal_is_held_to_its_bytes_as_well(ikomek, appeal, city_database):
    with forger(city_database) as connection:
        _third("internal = NOT internal")(connection, appeal)
        answer = ikomek("register", "verify", "--number", appeal.number)
        assert answer.status == 1
        assert "event 3 (appeal.accepted" in answer.out
        assert "its row tells another internal than its bytes" in answer.out


def broken(ikomek, export, kind, believed=()):
    """Assert that the database and its export are found broken in this way."""
    assert ikomek("register", "export", export).status == 0
    for answer in (
        ikomek("register", "verify", *believed), ikomek("register", "verify", export, *believed)
    ):  # fmt: skip
        assert answer.status == 1
        assert f"{kind}: " in answer.out


@pytest.mark.parametrize(
    ("what", "kind"),
    [("key", "re-signed"), ("witness", "cosignature"), ("kept", "forked"), ("kept", "two roots")],
)
def test_a_history_signed_anew_by_a_key_that_it_names_is_found_by_what_is_outside(
    ikomek, appeal, outside, city_database, tmp_path, what, kind
):
    with forger(city_database) as connection:
        _name_another_key(connection, appeal)
        assert ikomek("register", "verify").status == 0
        broken(ikomek, tmp_path / "register.jsonl", kind, outside.brings(what))


@pytest.mark.parametrize(
    ("what", "kind"),
    [("witness", "unwitnessed"), ("kept", "forked"), ("kept", "two roots")],
)
def test_a_fork_signed_by_the_logs_own_key_is_found_by_the_witness(
    ikomek, appeal, outside, city_database, tmp_path, what, kind
):
    with forger(city_database) as connection:
        _rewrite(connection, appeal)
        _sign(connection, outside.signer)
        connection.execute("DELETE FROM cosignature")
        assert ikomek("register", "verify", *outside.key).status == 0
        broken(ikomek, tmp_path / "register.jsonl", kind, outside.brings("key", what))


def test_two_roots_of_one_size_are_found_in_the_database_and_in_the_export(
    ikomek, appeal, outside, city_database, tmp_path
):
    """Two rows of one size there cannot be; one may hold the note of another."""
    with forger(city_database) as connection:
        (size,) = connection.execute("SELECT max(size) FROM checkpoint").fetchone()
        forged = outside.signer.sign(Checkpoint(ORIGIN, size, leaf_hash(b"another history")))
        connection.execute(
            "INSERT INTO checkpoint SELECT city_id, 1, %s, at, %s FROM checkpoint WHERE size = %s",
            [forged.root, str(forged), size],
        )
        broken(ikomek, tmp_path / "register.jsonl", "two roots", outside.key)


def test_a_witness_of_an_honest_register_is_told_with_what_it_cosigned_last(
    ikomek, outside, tmp_path
):
    export = tmp_path / "register.jsonl"
    assert ikomek("register", "export", export).status == 0
    believed = outside.brings("key", "witness", "kept")
    size = parse_checkpoint(outside.kept[1].read_text()).size
    for answer in (
        ikomek("register", "verify", *believed), ikomek("register", "verify", export, *believed)
    ):  # fmt: skip
        assert answer.status == 0, answer.out
        assert answer.out.startswith(f"{WITNESS.name} cosigned {size} leaves, 2026-")


def test_keys_of_the_log_and_of_witnesses_are_kept_apart(ikomek, outside):
    for option, key in (("--key", WITNESS), ("--witness", outside.key[1])):
        answer = ikomek("register", "verify", option, key)
        assert answer.status == 2
        assert "--witness" in answer.err


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


@pytest.fixture
async def filled(house, appeal):
    """A log whose leaves fill a tile."""
    while (await signed(house)).size < WIDTH:
        for word in range(64):
            await perform(house, appeal, Action.COMMENT, Comment(f"{word}"), role=Role.OPERATOR)


def test_a_tile_that_is_gone_is_found(ikomek, filled, city_database):
    assert ikomek("register", "verify").status == 0
    with forger(city_database) as connection:
        connection.execute("DELETE FROM log_tile")
        answer = ikomek("register", "verify")
        assert answer.status == 1
        assert answer.out == "disagrees: tile 0 of level 0 is missing\n"
    assert ikomek("register", "verify").status == 0


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
