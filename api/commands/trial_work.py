"""The counting of a trial: in this process, or in several that share one snapshot."""

import asyncio
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.console import Advance
from api.commands.trial_files import Read, Sources, read
from domain.reference import Reference
from domain.trials.count import Count
from domain.trials.draft import organisations_of
from domain.trials.forms import count_misfits, redrawn
from domain.trials.lives import turned
from domain.trials.look import look
from domain.trials.roads import Roads
from domain.trials.slices import Codebook, ordinals
from domain.trials.tally import Tally
from integrations.postgres import reference as references
from integrations.postgres import trials
from integrations.postgres.doors import WORKER
from integrations.postgres.engine import open_engine
from integrations.postgres.trials import Window

SLICE = 20_000
"""Appeals counted at once: what a process holds of the register at any moment."""


@dataclass(frozen=True, slots=True)
class Job:
    """The part of a trial that one process counts; it reads city and files for itself."""

    url: str
    snapshot: str
    city: UUID
    sources: Sources
    since: datetime
    now: datetime
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """A trial that has been read, and what stands for what in it."""

    read: Read
    history: Reference
    codes: Codebook


async def prepare(
    connection: AsyncConnection, city: UUID, sources: Sources, now: datetime
) -> Ready:
    """Read the city and the files."""
    reference = await references.load(connection, city, now)
    found = await read(connection, reference, sources, now)
    drafted = found.trial.drafted
    promises = (reference.promises, drafted.promises)
    known = {service.code for service in drafted.catalogue.services}
    codes = Codebook(
        services=sorted(known.union(await trials.service_codes(connection, city))),
        policies=sorted({code for each in promises for code, _ in each.policies}),
        calendars=sorted({code for each in promises for code, _ in each.calendars}),
        districts=sorted(reference.districts),
        organisations=sorted(organisations_of(found.trial)),
    )
    return Ready(found, reference, codes)


async def count(
    connection: AsyncConnection,
    ready: Ready,
    windows: Sequence[Window],
    since: datetime,
    now: datetime,
    advance: Advance,
) -> Tally:
    """Count the windows, one slice after the other."""
    trial, codes, city = ready.read.trial, ready.codes, ready.history.city.id
    counting = Count(trial, ready.history.promises, codes, since=since, now=now)
    roads, tally = Roads(counting, ready.read.rules), Tally()
    forms, services = redrawn(trial), ordinals(codes.services)
    for window in windows:
        piece = await trials.read_slice(connection, city, window, codes)
        more = counting.promised_more(piece, turned(piece))
        if len(more):
            piece = await trials.read_times(connection, piece, more)
        look(piece, counting, roads, tally)
        if forms:
            answers = await trials.answers(connection, city, window, forms)
            count_misfits(trial, answers, services, tally)
        advance(1)
    return tally


async def count_apart(jobs: Sequence[Job], processes: int, advance: Advance) -> Tally:
    """Count jobs in processes of their own, which end with this one."""
    loop, tally = asyncio.get_running_loop(), Tally()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        running = [loop.run_in_executor(pool, _work, job) for job in jobs]
        for job, part in zip(jobs, running, strict=True):
            tally.merge(await part)
            advance(len(job.windows))
    return tally


def _work(job: Job) -> Tally:
    return asyncio.run(_count_job(job))


async def _count_job(job: Job) -> Tally:
    engine = open_engine(job.url, pool_size=1, name="ikomek-trial", role=WORKER)
    try:
        async with trials.snapshot(engine, job.snapshot) as connection:
            ready = await prepare(connection, job.city, job.sources, job.now)
            tally = await count(
                connection, ready, job.windows, job.since, job.now, lambda step: None
            )
    finally:
        await engine.dispose()
    tally.promised.trim()
    return tally
