"""Kept files in a folder of this machine or in a bucket that speaks S3."""

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, S3Store

from domain.errors import Conflict, Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from obstore import Attributes
    from obstore.store import ClientConfig, RetryConfig, S3Config

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,7}")
PROBE = "health/probe"
HEALTH_SECONDS = 5.0
CLIENT = {"timeout": "30s", "connect_timeout": "3s"}
RETRY = cast("RetryConfig", {"max_retries": 2})
# obstore raises these of Python beside its own.
TROUBLE = (BaseError, OSError)


class ObjectStore:
    """A FileStore: every key is written once, and only ever with the same bytes.

    A key is up to eight parts of Latin letters, digits, `.`, `_` and `-`, parted by
    `/`; each part begins with a letter or digit. Another key raises Invalid.
    """

    def __init__(self, store: LocalStore | S3Store, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    async def put(self, key: str, content: bytes, media_type: str) -> None:
        """Keep the file, on disk when this returns. Raises Conflict, Unavailable."""
        try:
            await self._create(checked(key), content, media_type)
        except AlreadyExistsError:
            # The same file twice is a repeated call; two files under one key are a fault.
            if await self.get(key) != content:
                raise Conflict(reason="file-exists", key=key) from None
        except TROUBLE as trouble:
            raise Unavailable(what="file-store") from trouble

    async def get(self, key: str) -> bytes:
        """The file's bytes. Raises NotFound, Unavailable."""
        try:
            found = await obstore.get_async(self._store, checked(key))
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            raise NotFound(kind="file", id=key) from None
        except TROUBLE as trouble:
            raise Unavailable(what="file-store") from trouble

    async def delete(self, key: str) -> None:
        """Forget the file; one that is not there is fine. Raises Unavailable."""
        try:
            await obstore.delete_async(self._store, checked(key))
        except FileNotFoundError:
            return
        except TROUBLE as trouble:
            raise Unavailable(what="file-store") from trouble

    async def healthy(self) -> bool:
        """Whether a file can be written now; asked by writing one."""
        # A folder that vanished (an unmounted disk) must not be made anew beneath us.
        if self._folder and not self._folder.is_dir():
            return False
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await obstore.put_async(self._store, PROBE, b"109", mode="overwrite")
        except (*TROUBLE, TimeoutError):
            return False
        return True

    async def _create(self, key: str, content: bytes, media_type: str) -> None:
        if self._folder is None:
            described = cast("Attributes", {"Content-Type": media_type})
            await obstore.put_async(
                self._store, key, content, attributes=described, mode="create", use_multipart=False
            )
            return
        if not self._folder.is_dir():
            raise Unavailable(what="file-store")
        await obstore.put_async(self._store, key, content, mode="create", use_multipart=False)
        await asyncio.to_thread(_settle, self._folder, key)


def open_store(url: str) -> ObjectStore:
    """The store at `file:///folder`, a plain folder, or `s3://bucket/prefix?endpoint=…&region=…`.

    A folder is made with mode 0700 when it is not there. Credentials of S3 come from
    the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or the machine's role).
    Raises ValueError for another scheme.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return _open_bucket(parts.netloc, parts.path.strip("/"), parse_qs(parts.query))
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return _open_folder(Path(unquote(parts.path)))
    if "://" not in url and url:
        return _open_folder(Path(url))
    raise ValueError(f"no file store is known by the scheme of {parts.scheme or 'an empty URL'!r}")


def checked(key: str) -> str:
    """The key, when it is one. Raises Invalid at `/key`."""
    if not KEY.fullmatch(key) or key == PROBE:
        raise Invalid.at("/key", "malformed")
    return key


def _open_folder(folder: Path) -> ObjectStore:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ObjectStore(LocalStore(folder.resolve()), folder.resolve())


def _open_bucket(bucket: str, prefix: str, query: dict[str, list[str]]) -> ObjectStore:
    if not bucket or query.keys() - {"endpoint", "region"}:
        raise ValueError("an S3 store is s3://bucket/prefix with endpoint and region alone")
    endpoint = query.get("endpoint", [None])[0]
    region = query.get("region", ["us-east-1"])[0]
    # Plain HTTP is for a store on the same machine, and only where the URL says so.
    plain = bool(endpoint) and str(endpoint).startswith("http://")
    client = cast("ClientConfig", {**CLIENT, "allow_http": plain})
    place: S3Config = {"region": region, **({"endpoint": endpoint} if endpoint else {})}
    store = S3Store(
        bucket, prefix=prefix or None, config=place, client_options=client, retry_config=RETRY
    )
    return ObjectStore(store)


def _settle(folder: Path, key: str) -> None:
    """Wait until the file and the folders that name it are on the disk (fsync(2))."""
    path = folder / key
    for place in (path, *path.relative_to(folder).parents):
        descriptor = os.open(folder / place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
