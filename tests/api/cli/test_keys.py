"""Keys are changed by command: a new one, everything sealed anew, the old one gone."""

import asyncio
import stat

import pytest

from api.bootstrap import open_house
from integrations.vault.keyring import keyring_file, parse_keyring
from integrations.vault.living import LOOKED_AT, LivingKeyring
from integrations.vault.rotation import with_new_key
from tests.conftest import TEST_KEYS, make_settings
from tests.support.appeals import register
from tests.support.city import KISHI


@pytest.fixture
def keys(ikomek, monkeypatch, tmp_path):
    """The keyring as a file under home."""
    monkeypatch.delenv("IKOMEK_KEYS")
    monkeypatch.setattr("api.commands.keys.LOOKED_AT", 0)
    path = tmp_path / "home" / "keys"
    path.parent.mkdir()
    path.write_text(TEST_KEYS)
    path.chmod(0o600)
    return path


def in_house(url, home, work, **changes):
    async def run():
        async with open_house(make_settings(url, home, keys=None, **changes)) as house:
            await house.references.refresh(house.now())
            return await work(house)

    return asyncio.run(run())


def test_an_index_key_is_changed_as_well(ikomek, keys):
    before = keyring_file(keys)
    assert ikomek("keys", "rotate", "--index").status == 0
    assert keyring_file(keys).former == before.indexing
    assert ikomek("keys", "rotate", "--index").status == 2
    refused = ikomek("keys", "retire", "index")
    assert refused.status == 1
    assert "reseal --index" in refused.err
    assert ikomek("keys", "reseal", "--index").status == 0
    assert ikomek("keys", "retire", "index").status == 0
    assert keyring_file(keys).former is None


def test_a_key_is_changed_from_the_first_to_the_last_step(ikomek, keys, city_database):
    home = keys.parent
    appeal = in_house(city_database, home, register)
    assert ikomek("keys", "rotate").status == 0
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    refused = ikomek("keys", "retire", "1")
    assert refused.status == 1
    assert "sealed with key 1" in refused.err
    assert set(keyring_file(keys).sealing) == {1, 2}
    done = ikomek("keys", "reseal")
    assert done.status == 0, done.err
    assert ikomek("keys", "reseal").out.startswith("0 values")
    retired = ikomek("keys", "retire", "1")
    assert retired.status == 0, retired.err
    assert set(keyring_file(keys).sealing) == {2}
    told = ikomek("keys", "list").out
    assert "2\tseals" in told
    assert "1\t" not in told

    async def read(house):
        return await house.queries.appeal(KISHI.principal(), appeal.number)

    assert in_house(city_database, home, read).applicant == appeal.applicant


def test_in_the_environment_no_key_seals_before_every_process_has_it(ikomek, keys, monkeypatch):
    monkeypatch.setenv("IKOMEK_KEYS", keys.read_text())
    text = ikomek("keys", "rotate").out.splitlines()[0]
    waiting = parse_keyring(text)
    fresh = max(waiting.sealing)
    assert waiting.current == fresh - 1
    monkeypatch.setenv("IKOMEK_KEYS", text)
    used = ikomek("keys", "use", fresh).out.splitlines()[0]
    assert parse_keyring(used).current == fresh


@pytest.mark.parametrize("arguments", [("use", 9), ("retire", 9), ("retire", "x"), ("retire", 2)])
def test_no_key_is_used_or_retired_that_cannot_be(ikomek, keys, arguments):
    answer = ikomek("keys", *arguments)
    assert answer.status in (1, 2)
    assert keys.read_text()


def test_a_process_follows_the_file_within_a_second_and_at_once_when_it_must(keys):
    now = [0.0]
    living = LivingKeyring(keys, monotonic=lambda: now[0])
    assert living.seal(b"x")[0] == 1
    from integrations.vault.files import replace_secret
    from integrations.vault.keyring import write_keyring

    fresh = with_new_key(keyring_file(keys))
    replace_secret(keys, write_keyring(fresh))
    assert living.seal(b"x")[0] == 1
    assert living.open(fresh.seal(b"new")) == b"new"
    assert living.seal(b"x")[0] == 2
    newer = with_new_key(fresh)
    replace_secret(keys, write_keyring(newer))
    now[0] += LOOKED_AT
    assert living.seal(b"x")[0] == 3
    assert living.index("a") == newer.index("a")
    assert living.lookups("a") == newer.lookups("a")
