"""The register, proved from the database alone: every chain, link by link."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from cyclopts import App
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.console import Failure, Reported, complain, progress, say
from api.commands.database import Office, city_of, in_office
from domain.register.canonical import GENESIS, leaf_hash
from integrations.postgres import office
from integrations.postgres.office import Chain

app = App(name="register", help="The register of events: verify and export it.")


@app.command
def verify(*, number: str | None = None, city: str | None = None) -> None:
    """Walk every appeal's chain and name each first broken link.

    An event's canonical bytes give its hash, each names the hash before it, none is missing,
    and the appeal's own head agrees with the last. Nothing but the events is believed.

    Parameters
    ----------
    number
        Only the appeal with this registration number.
    city
        Only this city; all, if left out.
    """

    async def work(at: Office) -> tuple[int, int, list[str]]:
        appeals, events, broken = 0, 0, list[str]()
        async with _snapshot(at) as connection:
            place = None if city is None else (await city_of(connection, city)).id
            total = await office.count_appeals(connection, place, number)
            with progress("Walking the chains", total) as advance:
                async for chain in office.chains(connection, place, number):
                    appeals, events = appeals + 1, events + len(chain.links)
                    broken += [fault for fault in [fault_of(chain)] if fault]
                    advance(1)
        return appeals, events, broken

    appeals, events, broken = in_office(work)
    if number is not None and not appeals:
        raise Failure(f"There is no appeal {number}.", status=2)
    for fault in broken:
        say(fault)
    if broken:
        complain(f"The register is broken in {len(broken)} of {appeals} appeals.")
        raise Reported
    say(f"The register is whole: {appeals} appeals, {events} events.")


def fault_of(chain: Chain) -> str | None:
    """The first broken link of a chain, in words; None when it is whole."""
    previous = GENESIS
    for place, link in enumerate(chain.links, 1):
        if wrong := _wrong(link, place, previous, chain):
            return f"{chain.number}, event {place} ({link.type}, {link.id}): {wrong}"
        previous = link.hash
    if chain.sequence != len(chain.links) or chain.head != previous:
        return (
            f"{chain.number}: the appeal says {chain.sequence} events ending in "
            f"{chain.head.hex()[:16]}…, the register holds {len(chain.links)} ending in "
            f"{previous.hex()[:16]}…"
        )
    return None


def _wrong(link: office.Link, place: int, previous: bytes, chain: Chain) -> str | None:
    if link.sequence != place:
        return f"event {place} is missing"
    if leaf_hash(link.canonical) != link.hash:
        return "its bytes do not give its hash"
    try:
        said = orjson.loads(link.canonical)
        stands = (said["previous"], said["sequence"], said["id"], said["appeal"], said["type"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "its bytes are no event"
    if stands[0] != previous.hex():
        return "it does not name the hash of the event before it"
    if stands[1:] != (link.sequence, str(link.id), str(chain.appeal), link.type):
        return "its bytes tell of another event than its row"
    return None


@app.command
def export(target: Path, /, *, number: str | None = None, city: str | None = None) -> None:
    """Write every event as one line of JSON: its canonical bytes and their hash in hex.

    SHA-256 of a zero byte and the bytes of `canonical` (as UTF-8) gives `hash`: anyone can
    prove the file without this program. Personal texts stand in it as salted hashes alone.

    Parameters
    ----------
    target
        The file to write.
    number
        Only the appeal with this registration number.
    city
        Only this city; all, if left out.
    """

    async def work(at: Office) -> int:
        async with _snapshot(at) as connection:
            place = None if city is None else (await city_of(connection, city)).id
            total = await office.count_appeals(connection, place, number)
            written = 0
            with target.open("wb") as file, progress("Writing the register", total) as advance:
                async for chain in office.chains(connection, place, number):
                    file.writelines(_lines(chain))
                    written += len(chain.links)
                    advance(1)
        return written

    say(f"Written to {target}: {in_office(work)} events.")


def _lines(chain: Chain) -> Iterator[bytes]:
    for link in chain.links:
        line = {
            "number": chain.number,
            "sequence": link.sequence,
            "canonical": link.canonical.decode(),
            "hash": link.hash.hex(),
        }
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


@asynccontextmanager
async def _snapshot(at: Office) -> AsyncIterator[AsyncConnection]:
    """One state of the register, however long the walk takes and whoever writes meanwhile."""
    async with at.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
