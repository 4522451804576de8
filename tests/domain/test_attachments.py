"""Names of files come from strangers and go into headers, folders and eyes."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attachments import (
    ACCEPTED,
    EXTENSIONS,
    MAX_BYTES,
    MAX_NAME_BYTES,
    MediaKind,
    check_size,
    content_disposition,
    safe_filename,
)
from domain.errors import Invalid

HOSTILE_NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\system32\\cmd.exe": "cmd.exe",
    "/dev/nul": "_nul",
    "con.jpg": "_con.jpg",
    'a"; filename="virus.exe': "a_filename=_virus.exe",
    "a.jpg\r\nSet-Cookie: admin=1": "a.jpg_Set-Cookie_admin=1",
    "photo\u202egpj.exe": "photogpj.exe",
    "photo.jpg\0.exe": "photo.jpg.exe",
    ".htaccess": "htaccess",
    "....": "file",
    "": "file",
    " \t\n": "file",
    "фото ямы.jpg": "фото_ямы.jpg",
    "Қабанбай көшесі.png": "Қабанбай_көшесі.png",
    "-rf *": "rf",
    "$(reboot).pdf": "(reboot).pdf",
    "a%2f..%2fb.jpg": "a_2f.._2fb.jpg",
    "a" * 4000 + ".jpg": "a" * 146 + ".jpg",
    "a|b<c>d?.pdf": "a_b_c_d_.pdf",
    "\ufeffname\u200b.jpg": "name.jpg",
    "a\uff0f..\uff0fb.jpg": "b.jpg",
}


@pytest.mark.parametrize(("name", "safe"), HOSTILE_NAMES.items())
def test_a_hostile_name_becomes_a_harmless_one(name, safe):
    assert safe_filename(name) == safe


@given(st.text(max_size=300))
def test_every_name_is_harmless(name):
    safe = safe_filename(name)
    assert safe
    assert len(safe.encode()) <= MAX_NAME_BYTES
    assert not re.search(r'[\x00-\x20\x7f<>:"|?*;%\\/\u202a-\u202e\u2066-\u2069]', safe)
    assert not safe.startswith((".", "-", "~"))
    assert safe_filename(safe) == safe


@given(st.text(max_size=300), st.sampled_from(sorted(EXTENSIONS)))
def test_the_extension_is_that_of_the_type(name, media_type):
    safe = safe_filename(name, media_type)
    assert safe.endswith("." + EXTENSIONS[media_type])
    assert len(safe.encode()) <= MAX_NAME_BYTES


def test_a_photo_is_never_called_a_program():
    assert safe_filename("photo.jpg.exe", "image/jpeg") == "photo.jpg.jpg"


@given(st.text(max_size=300))
def test_the_header_has_one_line_and_says_the_name_twice(name):
    header = content_disposition(name, "image/jpeg")
    found = re.fullmatch(
        r"attachment; filename=\"([A-Za-z0-9._-]+)\"; filename\*=UTF-8''([A-Za-z0-9._~%-]+)", header
    )
    assert found
    assert unquote(found[2]) == safe_filename(name, "image/jpeg")


def test_the_header_shows_a_photo_in_the_page_when_asked():
    assert content_disposition("яма.jpg", "image/jpeg", inline=True) == (
        "inline; filename=\"_.jpg\"; filename*=UTF-8''%D1%8F%D0%BC%D0%B0.jpg"
    )


@pytest.mark.parametrize("kind", MediaKind)
def test_the_last_byte_of_the_limit_is_still_welcome(kind):
    check_size(kind, MAX_BYTES[kind])
    with pytest.raises(Invalid) as refusal:
        check_size(kind, MAX_BYTES[kind] + 1)
    assert refusal.value.faults[0].rule == "too-large"


def test_every_kind_has_a_limit_and_every_type_an_extension():
    assert set(MAX_BYTES) == set(ACCEPTED) == set(MediaKind)
    assert {name for names in ACCEPTED.values() for name in names} == set(EXTENSIONS)
