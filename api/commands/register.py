"""The register, proved from the database or from an export alone, and signed by hand."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import orjson
from cyclopts import App

from api import clock
from api.bootstrap import read_signer
from api.commands.audits import (
    CHUNK,
    Believed,
    Lines,
    audit_file,
    judge,
    judge_rows,
    make_audit,
    rows_of,
)
from api.commands.console import Advance, Failure, Reported, complain, note, progress, say
from api.commands.database import Office, city_of, in_office
from domain.reference import City
from domain.register.audit import Audit
from domain.register.canonical import GENESIS, instant, leaf_hash
from domain.register.checkpoint import origin_of
from domain.register.dates import TOLERANCE
from domain.register.export import footer, header, line
from domain.register.findings import Finding, Kind, summary
from domain.register.moments import milliseconds, told
from domain.register.rows import fault_of_row
from integrations.postgres import office
from integrations.postgres.checkpoints import Checkpoints, StrangeKey
from integrations.postgres.log_export import LogExport, open_export
from integrations.postgres.office import Chain
from integrations.postgres.proofs import Proofs

app = App(name="register", help="The register of events: verify, export and sign it.")


@app.command
def verify(
    export: Path | None = None,
    /,
    *,
    checkpoint: list[Path] | None = None,
    key: list[str] | None = None,
    witness: list[str] | None = None,
    behind: int = 24,
    number: str | None = None,
    city: str | None = None,
) -> None:
    """Prove the register, from the database or from an export alone, or name what is wrong.

    Events give their leaves, leaves the roots that were signed, every event names the leaf
    before it, and each appeal ends where its row says. Older checkpoints that others kept must
    be beginnings of the same log, and so must what witnesses cosigned.

    Parameters
    ----------
    export
        A file of `ikomek register export`; the database, if left out.
    checkpoint
        A checkpoint that was kept outside; may be repeated.
    key
        A verifier key of the log that is trusted; may be repeated. If left out, the register's
        own word.
    witness
        A verifier key of a witness, whose lines are verified and must be there; may be repeated.
    behind
        How many hours the witnesses may be behind.
    number
        Only the chain of the appeal with this registration number, in the database.
    city
        The city, where the database holds several.
    """
    if number is not None:
        _verify_one(number, city)
        return
    believed = Believed(key or [], witness or [], checkpoint or [], timedelta(hours=behind))
    if export is not None:
        with progress("Auditing the export", None) as advance:
            audit = asyncio.run(audit_file(export, believed, advance))
        findings = audit.finish()
    else:
        audit, findings = in_office(lambda at: _verify_database(at, city, believed))
    _report(audit, findings, trusted=bool(key))


def _report(audit: Audit, findings: Sequence[Finding], *, trusted: bool) -> None:
    for finding in findings:
        say(str(finding))
    for witness in audit.witnesses:
        if witness.size:
            say(f"{witness.name} cosigned {witness.size} leaves, {told(witness.at)}.")
    longest, until = audit.waited
    if longest > milliseconds(TOLERANCE):
        note(
            f"Events waited up to {longest // 60_000} minutes for their checkpoint, until"
            f" {told(until)}: what waits can be rewritten, so ask why it did."
        )
    if audit.dates.followed:
        note(
            f"{audit.dates.followed} steps were written more than ten minutes after the act of an"
            " incident that dates them: look whether the platform stood still then."
        )
    if findings:
        complain(f"The register is broken: {summary(findings)}.")
        raise Reported
    newest = audit.newest
    signed = f"signed up to {newest.size}" if newest else "nothing signed yet"
    pending = audit.events - audit.sealed
    say(
        f"The register is whole: {audit.events} events, {signed}, {pending} not sealed yet, "
        f"{audit.checkpoints} checkpoints; as of {told(milliseconds(audit.at))}."
    )
    if newest and not trusted:
        note("The keys were taken from the register itself; name one you trust with --key.")


async def _verify_database(
    at: Office, code: str | None, believed: Believed
) -> tuple[Audit, list[Finding]]:
    place = await _city(at, code)
    async with open_export(at.engine, place.id) as log:
        audit = make_audit(origin_of(place.code), await log.keys(), clock.real(), believed)
        total = await log.count()
        lines = total.events + total.checkpoints + total.appeals
        with progress("Auditing the register", lines) as advance:
            async with aclosing(_chunks(log, rows=True)) as chunks:
                await judge(audit, str(place.id), chunks, advance)
        audit.take([orjson.loads(footer(total.events, total.checkpoints, total.appeals))])
        bent = [Finding(Kind.DISAGREES, says) async for says in log.bent_tiles()]
        if missing := await log.missing():
            bent.append(_miscounted(missing))
        with progress("Auditing the rows", total.appeals) as advance:
            url = at.settings.database_url or ""
            odd = await judge_rows(log, place.id, url, at.keyring, advance)
    return audit, audit.finish() + bent + odd


def _miscounted(missing: int) -> Finding:
    if missing > 0:
        return Finding(Kind.DELETED, f"{missing} numbers were given to appeals that are not here")
    return Finding(Kind.INSERTED, f"{-missing} appeals bear numbers that were never given")


async def _chunks(log: LogExport, *, rows: bool = False) -> AsyncGenerator[Lines, None]:
    chunk: Lines = []
    async for record in log.records(rows=rows):
        chunk.append(line(record))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    yield chunk


async def _city(at: Office, code: str | None) -> City:
    async with at.engine.connect() as connection:
        return await city_of(connection, code)


def _verify_one(number: str, city: str | None) -> None:
    async def work(at: Office) -> tuple[list[Chain], list[Finding]]:
        async with at.engine.connect() as connection:
            place = None if city is None else (await city_of(connection, city)).id
            found = [chain async for chain in office.chains(connection, place, number)]
        return found, await _rows_of(at, found)

    chains, odd = in_office(work)
    if not chains:
        raise Failure(f"There is no appeal {number}.", status=2)
    broken = [fault for chain in chains if (fault := fault_of(chain))]
    for says in (*broken, *map(str, odd)):
        say(says)
    if broken:
        complain("The chain is broken.")
    elif odd:
        complain("Its rows are not what its events tell.")
    if broken or odd:
        raise Reported
    say(f"The chain is whole: {sum(len(chain.links) for chain in chains)} events.")


async def _rows_of(at: Office, chains: Sequence[Chain]) -> list[Finding]:
    """What is wrong with the rows of these appeals."""
    odd: list[Finding] = []
    for chain in chains:
        async with open_export(at.engine, chain.city) as log:
            odd += await rows_of(log, at.keyring, lambda _: None, number=chain.number)
    return odd


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
    row = {
        "id": str(link.id), "city": str(link.city), "appeal": str(chain.appeal),
        "sequence": link.sequence, "type": link.type, "at": instant(link.at),
        "internal": link.internal, "hash": link.hash.hex(),
    }  # fmt: skip
    try:
        said = orjson.loads(link.canonical)
        before, odd = said["previous"], fault_of_row(row, said, link.hash.hex())
    except (ValueError, KeyError, TypeError, AttributeError):
        return "its bytes are no event"
    return "it does not name the hash of the event before it" if before != previous.hex() else odd


@app.command
def export(target: Path, /, *, city: str | None = None) -> None:
    """Write the register: every event with its leaf, every checkpoint, where each appeal stands.

    Anyone can prove the file without this program (docs/register.md). Personal texts stand in
    it as salted hashes alone.

    Parameters
    ----------
    target
        The file to write.
    city
        The city, where the database holds several.
    """

    async def work(at: Office) -> int:
        place = await _city(at, city)
        async with open_export(at.engine, place.id) as log:
            total, keys = await log.count(), await log.keys()
            with target.open("wb") as file, progress("Writing", total.events) as advance:
                file.write(header(origin_of(place.code), place.id, keys, clock.real()))
                await _write(log, file.writelines, advance)
                file.write(footer(total.events, total.checkpoints, total.appeals))
        return total.events

    say(f"Written to {target}: {in_office(work)} events.")


async def _write(log: LogExport, write: Callable[[Lines], None], advance: Advance) -> None:
    async with aclosing(_chunks(log)) as chunks:
        async for chunk in chunks:
            write(chunk)
            advance(len(chunk))


@app.command
def checkpoint(*, sign: bool = False, city: str | None = None) -> None:
    """Show the newest signed checkpoint: what others keep, to hold the register to it.

    Parameters
    ----------
    sign
        Sign first what is new; otherwise the scheduler does, each minute.
    city
        The city, where the database holds several.
    """

    async def work(at: Office) -> str:
        place = await _city(at, city)
        if sign:
            await _sign(at, place)
        newest = await Proofs(at.engine, at.keyring).newest(place.id)
        if newest is None:
            raise Failure("Nothing was signed yet.", "Sign now: ikomek register checkpoint --sign")
        return str(newest.checkpoint)

    say(in_office(work).rstrip("\n"))


async def _sign(at: Office, place: City) -> None:
    signer = read_signer(at.settings)
    try:
        await Checkpoints(at.engine).sign(place.id, origin_of(place.code), signer, clock.real())
    except StrangeKey as error:
        raise Failure(f"{error}.", "Take the key over: ikomek register adopt-key") from error


@app.command
def adopt_key(*, city: str | None = None) -> None:
    """Sign with this machine's key from now on; what the old one signed stays good.

    Tell everybody who keeps checkpoints: a change of key that nobody announced is what a forger
    would do.

    Parameters
    ----------
    city
        The city, where the database holds several.
    """

    async def work(at: Office) -> str:
        place = await _city(at, city)
        key = read_signer(at.settings).key(origin_of(place.code))
        await Checkpoints(at.engine).adopt(place.id, key, clock.real())
        return str(key)

    say(in_office(work))
