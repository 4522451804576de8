"""Keys change, old seals open, tampering shows, and the file is its owner's alone."""

import stat
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from integrations.vault.keyring import Keyring, keyring_file, new_keyring, parse_keyring

INDEX, OLD, NEW = b"i" * 32, b"o" * 32, b"n" * 32
TODAY = Keyring({1: OLD}, INDEX)
TOMORROW = Keyring({1: OLD, 2: NEW}, INDEX)


def key(letter: str) -> str:
    return urlsafe_b64encode(letter.encode() * 32).decode()


@given(st.binary(max_size=300))
def test_what_was_sealed_is_opened(value: bytes):
    assert TODAY.open(TODAY.seal(value)) == value


def test_one_value_is_never_sealed_alike_twice():
    assert len({TODAY.seal(b"+77015550109") for _ in range(50)}) == 50


def test_a_new_key_opens_what_an_old_one_sealed():
    sealed = TODAY.seal(b"Aigul")
    assert TOMORROW.open(sealed) == b"Aigul"
    assert (sealed[0], TOMORROW.seal(b"Aigul")[0]) == (1, 2)


def test_who_has_not_the_key_reads_nothing():
    with pytest.raises(KeyError):
        TODAY.open(TOMORROW.seal(b"Aigul"))
    with pytest.raises(InvalidTag):
        Keyring({1: NEW}, INDEX).open(TODAY.seal(b"Aigul"))


@given(st.data())
def test_every_bit_that_is_turned_shows(data):
    sealed = bytearray(TODAY.seal(b"+77015550109"))
    place = data.draw(st.integers(1, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidTag):
        TODAY.open(bytes(sealed))


def test_a_rotated_key_leaves_the_index_where_it_was():
    assert TODAY.index("+77015550109") == TOMORROW.index("+77015550109")
    assert TODAY.index("+77015550109") != TODAY.index("+77015550110")
    assert Keyring({1: OLD}, NEW).index("+77015550109") != TODAY.index("+77015550109")


def test_a_keyring_is_read_from_one_line():
    ring = parse_keyring(f"index:{key('i')} 1:{key('o')}  2:{key('n')}")
    assert ring == TOMORROW


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"1:{key('o')}",
        f"index:{key('i')}",
        f"index:{key('i')} 1:c2hvcnQ=",
        f"index:c2hvcnQ= 1:{key('o')}",
        f"index:{key('i')} one:{key('o')}",
        f"index:{key('i')} 256:{key('o')}",
        f"index:{key('i')} -1:{key('o')}",
        f"index:{key('i')} {key('o')}",
        f"index:{key('i')} 1:{key('o')} 1:{key('n')}",
        "index",
    ],
)
def test_what_is_no_keyring_is_refused_at_the_start(text: str):
    with pytest.raises(ValueError, match=r".+"):
        parse_keyring(text)


def test_a_refused_keyring_is_not_told():
    with pytest.raises(ValueError, match=r".+") as refused:
        parse_keyring(f"index:{key('i')} one:{key('o')}")
    assert key("o")[:8] not in str(refused.value)


def test_a_first_start_makes_a_file_that_its_owner_alone_reads(tmp_path):
    path = tmp_path / "home" / "keys"
    made = keyring_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keyring_file(path) == made
    assert made.open(made.seal(b"x")) == b"x"


def test_no_two_cities_share_a_keyring():
    assert new_keyring() != new_keyring()
    assert set(parse_keyring(new_keyring()).sealing) == {1}


def test_processes_that_start_together_use_one_keyring(tmp_path):
    path = tmp_path / "keys"
    with ThreadPoolExecutor(8) as crowd:
        made = list(crowd.map(lambda _: keyring_file(path), range(16)))
    assert all(one == made[0] for one in made)
    assert [file.name for file in tmp_path.iterdir()] == ["keys"]
