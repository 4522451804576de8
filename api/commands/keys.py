"""The keys of personal data, changed while the city works: docs/operations.md tells the steps."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import asyncpg
from cyclopts import App

from api.bootstrap import read_keyring
from api.commands.console import Failure, note, out, progress, say, table
from api.commands.database import owner_url, ready_database
from api.commands.environment import read_settings
from api.commands.token_keys import rotate_token_key
from api.commands.webhook_keys import rotate_webhook_key
from api.settings import Settings
from integrations.postgres import resealing
from integrations.vault import rotation
from integrations.vault.files import replace_secret
from integrations.vault.keyring import Keyring, keyring_file, parse_keyring, write_keyring
from integrations.vault.living import LOOKED_AT

LONGEST_WAIT = 60.0
"""Seconds that a transaction may go on which began before a key is retired."""

Result = TypeVar("Result")

app = App(
    name="keys",
    help="Keys: of personal data (list, rotate, reseal, retire), of tokens and of webhooks.",
)

app.command(rotate_token_key)
app.command(rotate_webhook_key)


@app.command(name="list")
def list_() -> None:
    """Each key, and how many values of each column it seals; never the keys themselves."""
    settings = read_settings()
    ring = _ring(settings)
    counted = _as_owner(settings, resealing.counts)
    rows = []
    for id in sorted({*ring.sealing, *(id for found in counted.values() for id in found)}):
        state = "seals" if id == ring.current else "opens" if id in ring.sealing else "MISSING"
        told = {place: found[id] for place, found in counted.items() if id in found}
        words = ", ".join(f"{place} {count}" for place, count in told.items())
        rows.append((id, state, sum(told.values()), words))
    table(("key", "state", "values", "where"), rows)
    if ring.former is not None:
        note("The index key is being changed: ikomek keys reseal --index, then retire index.")


@app.command
def rotate(*, index: bool = False, waiting: bool = False) -> None:
    """Make a new key. In the file of the keyring it seals within a second.

    Parameters
    ----------
    index
        The key of blind indexes instead: values are looked up under both until it is retired.
    waiting
        The key before goes on sealing until `ikomek keys use`: for keyrings that stand on several
        machines or in the environment, where no key may seal that some process cannot open.
    """
    settings = read_settings()
    ring = _ring(settings)
    if index:
        _keep(settings, _changed(rotation.with_new_index, ring))
        say("There is a new index key. Go on: ikomek keys reseal --index")
        return
    waits = waiting or settings.keys is not None
    _keep(settings, _changed(lambda one: rotation.with_new_key(one, waiting=waits), ring))
    fresh = max(ring.sealing) + 1
    onward = f"keys use {fresh}, when every process has it" if waits else "keys reseal"
    say(f"There is a key {fresh}. Go on: ikomek {onward}")


@app.command
def use(key: int, /) -> None:
    """Seal with a key of the keyring from now on.

    Parameters
    ----------
    key
        Its id.
    """
    settings = read_settings()
    _keep(settings, _changed(lambda ring: rotation.sealing_with(ring, key), _ring(settings)))
    say(f"Key {key} seals. Go on: ikomek keys reseal")


@app.command
def reseal(*, index: bool = False) -> None:
    """Seal everything anew that another key sealed, in portions, while the city works.

    What is cut off goes on where it was. No byte of an event is touched.

    Parameters
    ----------
    index
        Make the blind indexes anew under today's index key instead.
    """
    settings = read_settings()
    work = _reindex if index else _reseal
    done = _as_owner(settings, lambda connection: work(connection, settings))
    say(f"{done} {'indexes are made' if index else 'values are sealed'} anew.")


@app.command
def retire(key: str, /) -> None:
    """Take a key out of the keyring; refused while anything needs it.

    Parameters
    ----------
    key
        The id of a sealing key, or `index` for the index key before.
    """
    settings = read_settings()
    ring = _ring(settings)
    if key == "index":
        left = _as_owner(settings, lambda connection: _stale_indexes(connection, settings))
        if left:
            raise Failure(f"{left} indexes are of the key before.", "ikomek keys reseal --index")
        _keep(settings, rotation.without_former_index(ring))
    else:
        id = _number(key)
        without = _changed(lambda one: rotation.without_key(one, id), ring)
        left = _as_owner(settings, lambda connection: _sealed_with(connection, id))
        if left:
            raise Failure(f"{left} values are sealed with key {id}.", "ikomek keys reseal")
        _keep(settings, without)
    say(f"Retired: {key}.")
    note("Back-ups made before can be read with the keyring of before alone: keep it with them.")


async def _reseal(connection: Any, settings: Settings) -> int:
    ring, keyring = _ring(settings), read_keyring(settings)
    # By then every process that follows the file seals with the new key.
    await asyncio.sleep(LOOKED_AT)
    done = 0
    for place in resealing.SEALED:
        with progress(f"Sealing {place}") as advance:
            async for count in resealing.reseal(connection, place, keyring, ring.current):
                done += count
                advance(count)
    return done


async def _reindex(connection: Any, settings: Settings) -> int:
    keyring, done = read_keyring(settings), 0
    await asyncio.sleep(LOOKED_AT)
    for place in resealing.INDEXED:
        with progress(f"Indexing {place}") as advance:
            async for count in resealing.reindex(connection, place, keyring):
                done += count
                advance(count)
    return done


async def _stale_indexes(connection: Any, settings: Settings) -> int:
    await _all_over(connection)
    keyring, left = read_keyring(settings), 0
    for place in resealing.INDEXED:
        async for count in resealing.reindex(connection, place, keyring, write=False):
            left += count
    return left


async def _sealed_with(connection: Any, id: int) -> int:
    await _all_over(connection)
    counted = await resealing.counts(connection)
    return sum(found.get(id, 0) for found in counted.values())


async def _all_over(connection: Any) -> None:
    """Wait until every transaction is over that may write what it sealed before now."""
    await asyncio.sleep(LOOKED_AT)
    try:
        async with asyncio.timeout(LONGEST_WAIT):
            await resealing.outlast(connection)
    except TimeoutError:
        raise Failure(
            "A transaction has been going on for long: it may still write what it sealed.",
            "Look at pg_stat_activity, and run it again.",
        ) from None


def _ring(settings: Settings) -> Keyring:
    if settings.keys is not None:
        return parse_keyring(settings.keys)
    return keyring_file(settings.home / "keys")


def _keep(settings: Settings, ring: Keyring) -> None:
    if settings.keys is None:
        replace_secret(settings.home / "keys", write_keyring(ring))
        return
    # The text alone goes to standard output, so that scripts can take it.
    out.print(write_keyring(ring), markup=False)
    note("This is the keyring now: put it into IKOMEK_KEYS of every process.")


def _changed(change: Callable[[Keyring], Keyring], ring: Keyring) -> Keyring:
    try:
        return change(ring)
    except ValueError as error:
        raise Failure(f"{str(error).capitalize()}.", "See: ikomek keys list", status=2) from None


def _number(key: str) -> int:
    if not key.isdecimal():
        raise Failure(f"'{key}' is no key: name its number, or `index`.", status=2)
    return int(key)


def _as_owner(settings: Settings, work: Callable[[Any], Coroutine[Any, Any, Result]]) -> Result:
    async def run(url: str) -> Result:
        async with resealing.owner_connection(url) as connection:
            return await work(connection)

    with ready_database(settings) as named:
        try:
            return asyncio.run(run(owner_url(named)))
        except asyncpg.InsufficientPrivilegeError as error:
            raise Failure(
                f"The login may not see or change all that is sealed: {error.args[0]}.",
                "This is the owner's work: set DATABASE_OWNER_URL.",
            ) from error
