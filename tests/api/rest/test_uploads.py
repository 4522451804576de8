"""Photos and papers over HTTP: what comes in is cleaned or refused, what goes out cannot harm."""

import asyncio
import io
from hashlib import sha256
from uuid import uuid4

import pytest
from PIL import Image

from domain.access import Role
from tests.integrations.media.files import IIN, exif_photo, pdf, picture, pixel_bomb
from tests.support.rest import Callers, assert_problem, intake, pointers
from tests.support.sql import fetch

UPLOADS = "/v1/attachments"
SCRIPT = b"<< /S /JavaScript /JS (app.alert(109)) >>"


async def _send(callers: Callers, content: bytes, name="люк.jpg", kind="image/jpeg", **options):
    files = {"file": (name, content, kind)}
    return await callers.call("POST", UPLOADS, role=Role.CITIZEN, files=files, **options)


async def test_a_photo_comes_back_without_place_and_name(callers: Callers):
    sent = exif_photo()
    kept = await _send(callers, sent)
    assert kept.status_code == 201
    said = kept.json()
    assert said["original_sha256"] == sha256(sent).hexdigest()
    assert kept.headers["location"].endswith(f"{UPLOADS}/{said['id']}")
    path = said["content_url"].partition("/v1")[2]
    content = await callers.call("GET", f"/v1{path}", role=Role.CITIZEN)
    assert sha256(content.content).hexdigest() == said["sha256"]
    assert IIN not in content.content
    assert not Image.open(io.BytesIO(content.content)).getexif()
    assert content.headers["content-type"] == "image/jpeg"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in content.headers["content-security-policy"]
    again = await callers.call(
        "GET", f"/v1{path}", role=Role.CITIZEN, headers={"if-none-match": content.headers["etag"]}
    )
    assert again.status_code == 304


async def test_a_repeated_upload_is_the_same_upload(callers: Callers):
    key, photo = uuid4().hex, picture()
    first = await _send(callers, photo, key=key)
    again = await _send(callers, photo, key=key)
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    other = await _send(callers, picture(size=(32, 32)), key=key)
    assert_problem(other, 422, "idempotency-key-reused")


async def test_a_key_of_long_ago_keeps_its_file(callers: Callers):
    """Answers are kept for two days, and files for longer."""
    key, photo = uuid4().hex, picture()
    assert (await _send(callers, photo, key=key)).status_code == 201
    await fetch(callers.house, "DELETE FROM idempotency WHERE key = $1", key)
    for content in (picture(size=(32, 32)), photo):
        assert_problem(await _send(callers, content, key=key), 409, "conflict")


async def test_parallel_repeats_of_an_upload_keep_one_file(callers: Callers):
    key, photo = uuid4().hex, picture()
    answers = await asyncio.gather(*(_send(callers, photo, key=key) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    ("content", "name", "kind", "rule"),
    [
        (pdf(b"/OpenAction " + SCRIPT), "хат.pdf", "application/pdf", "active-content"),
        (b"", "a.jpg", "image/jpeg", "empty"),
        (b"MZ" + bytes(100), "a.jpg", "image/jpeg", "unsupported-type"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "IMG_0109.HEIC", "image/heic", "heic"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "image/svg+xml",
         "unsupported-type"),
        (pixel_bomb, "a.png", "image/png", "too-many-pixels"),
    ],
)  # fmt: skip
async def test_a_hostile_file_is_refused(callers: Callers, content, name, kind, rule):
    content = content() if callable(content) else content
    answer = await _send(callers, content, name, kind)
    assert_problem(answer, 422, "invalid")
    assert pointers(answer) == {"/file": rule}


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a\r\nset-cookie: x=1.jpg", 'q";filename="evil.exe', "CON", ".htaccess",
     "фото\u202egpj.exe", "я" * 500, "a;b.jpg", "%00.php"],
)  # fmt: skip
async def test_a_hostile_name_becomes_a_harmless_one(callers: Callers, name: str):
    kept = await _send(callers, picture(), name)
    assert kept.status_code == 201, kept.text
    filename = kept.json()["filename"]
    assert filename.endswith(".jpg")
    assert not set(filename) & set('/\\"\r\n;%\u202e\0')
    path = f"{UPLOADS}/{kept.json()['id']}/content"
    content = await callers.call("GET", path, role=Role.CITIZEN)
    assert "set-cookie" not in content.headers
    assert content.headers["content-disposition"].isascii()


async def test_a_form_without_its_file_or_with_more_is_refused(callers: Callers):
    path, role = UPLOADS, Role.CITIZEN
    empty = await callers.call("POST", path, role=role, files={"other": ("a", b"x", "text/plain")})
    assert pointers(empty) == {"/other": "unknown"}
    both = [("file", ("a.jpg", picture(), "image/jpeg"))] * 2
    assert_problem(await callers.call("POST", path, role=role, files=both), 400, "malformed")
    assert_problem(await callers.call("POST", path, {}, role=role), 415, "unsupported-media-type")
    broken = {"content-type": "multipart/form-data"}
    answer = await callers.call("POST", path, role=role, content=b"x", headers=broken)
    assert_problem(answer, 400, "malformed")


async def test_too_large_a_file_is_refused(callers: Callers):
    answer = await _send(callers, bytes(21 * 1024 * 1024))
    assert_problem(answer, 413, "too-large")


async def test_an_upload_joins_one_appeal_and_is_seen_by_its_executor(callers: Callers):
    id = (await _send(callers, picture())).json()["id"]
    path = f"{UPLOADS}/{id}/content"
    assert (await callers.call("GET", path, role=Role.EXECUTOR)).status_code == 404
    body = intake(applicant=..., attachments=[id], channel="app")
    number = (await callers.call("POST", "/v1/appeals", body, role=Role.CITIZEN)).json()["number"]
    assert (await callers.call("GET", path, role=Role.EXECUTOR)).status_code == 200
    listed = await callers.call("GET", f"/v1/appeals/{number}/attachments", role=Role.EXECUTOR)
    assert [item["id"] for item in listed.json()["items"]] == [id]
    taken = await callers.call("POST", "/v1/appeals", body, role=Role.CITIZEN)
    assert pointers(taken) == {"/attachments/0": "unknown-attachment"}
