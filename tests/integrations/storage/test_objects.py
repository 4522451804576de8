"""Files are kept once, whole, and for the city's eyes alone."""

import asyncio
import os
import re
import stat
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from domain.errors import Conflict, Invalid, NotFound, Unavailable
from integrations.storage.objects import ObjectStore, open_store

PHOTO = b"\xff\xd8\xff photo of a manhole"


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as the store asks for: conditional PUT, GET, DELETE."""

    objects: dict[str, tuple[bytes, str]]
    log_message = lambda *_: None  # noqa: E731

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("If-None-Match") == "*" and self.path in self.objects:
            return self.answer(412)
        self.objects[self.path] = (body, self.headers.get("Content-Type", ""))
        self.answer(200)

    def do_GET(self):
        if self.path not in self.objects:
            return self.answer(404)
        self.answer(200, self.objects[self.path][0])

    def do_POST(self):
        # DeleteObjects: the keys stand in the body, whole.
        wanted = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = re.findall(r"<Key>(.*?)</Key>", wanted)
        for key in keys:
            self.objects.pop(f"/photos/{key}", None)
        said = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self.answer(200, f"<DeleteResult>{said}</DeleteResult>".encode())

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Mon, 05 Jan 2026 09:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def bucket(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    handler = type("OneBucket", (Bucket,), {"objects": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def bucket_url(server) -> str:
    return f"s3://photos/semey?endpoint=http://127.0.0.1:{server.server_port}&region=kz-1"


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path) -> ObjectStore:
    if request.param == "folder":
        return open_store(f"file://{tmp_path}/files")
    return open_store(bucket_url(request.getfixturevalue("bucket")))


async def test_a_kept_file_comes_back_as_it_was(store):
    await store.put("2026/11/a1.jpg", PHOTO, "image/jpeg")
    assert await store.get("2026/11/a1.jpg") == PHOTO


async def test_the_same_file_may_be_kept_twice(store):
    await store.put("a.jpg", PHOTO, "image/jpeg")
    await store.put("a.jpg", PHOTO, "image/jpeg")
    assert await store.get("a.jpg") == PHOTO


async def test_a_key_never_passes_to_another_file(store):
    await store.put("a.jpg", PHOTO, "image/jpeg")
    with pytest.raises(Conflict) as refusal:
        await store.put("a.jpg", PHOTO + b"!", "image/jpeg")
    assert refusal.value.params["reason"] == "file-exists"
    assert await store.get("a.jpg") == PHOTO


async def test_of_two_files_that_race_for_a_key_one_is_kept_and_one_hears_of_it(store):
    files = [PHOTO + bytes([number]) for number in range(8)]
    puts = [store.put("race.jpg", content, "image/jpeg") for content in files]
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(type(None)) == 1
    assert await store.get("race.jpg") == files[outcomes.index(None)]


async def test_a_file_that_was_never_kept_is_not_found(store):
    with pytest.raises(NotFound):
        await store.get("never.jpg")


async def test_a_file_is_forgotten_once_and_forgetting_again_is_fine(store):
    await store.put("a.jpg", PHOTO, "image/jpeg")
    await store.delete("a.jpg")
    await store.delete("a.jpg")
    with pytest.raises(NotFound):
        await store.get("a.jpg")


@pytest.mark.parametrize(
    "key",
    [
        *("", "/etc/passwd", "../a", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a\\b", "a b"),
        *("қ.jpg", "a\n", "a\0", "%2e%2e/a", "health/probe", "a" * 129, "/".join("a" * 9)),
    ],
)
async def test_a_key_that_could_lead_elsewhere_is_refused(store, key):
    for call in (store.put(key, b"x", "image/jpeg"), store.get(key), store.delete(key)):
        with pytest.raises(Invalid):
            await call


async def test_a_working_store_is_healthy(store):
    assert await store.healthy()


async def test_only_the_city_may_look_into_the_folder(tmp_path):
    open_store(str(tmp_path / "files"))
    assert stat.S_IMODE(os.stat(tmp_path / "files").st_mode) == 0o700


async def test_a_vanished_folder_is_unhealthy_and_is_not_made_anew(tmp_path):
    store = open_store(str(tmp_path / "files"))
    (tmp_path / "files").rename(tmp_path / "gone")
    assert not await store.healthy()
    with pytest.raises(Unavailable):
        await store.put("a.jpg", PHOTO, "image/jpeg")
    assert not (tmp_path / "files").exists()


async def test_a_bucket_keeps_the_prefix_and_the_media_type(bucket):
    await open_store(bucket_url(bucket)).put("a/b.jpg", PHOTO, "image/jpeg")
    assert bucket.RequestHandlerClass.objects == {
        "/photos/semey/a/b.jpg": (PHOTO, "image/jpeg"),
    }


async def test_a_bucket_that_does_not_answer_is_unavailable(monkeypatch, unused_port):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    store = open_store(f"s3://photos?endpoint=http://127.0.0.1:{unused_port}")
    assert not await store.healthy()
    with pytest.raises(Unavailable):
        await store.put("a.jpg", PHOTO, "image/jpeg")


@pytest.fixture
def unused_port() -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.server_close()
    return server.server_port


@pytest.mark.parametrize("url", ["", "ftp://x/y", "file://elsewhere/x", "s3:///x", "s3://b?key=1"])
async def test_a_store_of_an_unknown_kind_does_not_open(url):
    with pytest.raises(ValueError, match="store"):
        open_store(url)
