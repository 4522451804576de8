"""Files that the state names in its messages, brought into the appeals of the city.

Each goes its own way: what is refused, or does not come, stops no message and no other file. While
the gateway is waited for, no connection to the database is held.
"""

import asyncio
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import structlog

from api import clock
from api.bootstrap import House
from api.worker.exchange import OURS, later
from domain.attachments import safe_filename
from domain.eotinish.files import attach
from domain.eotinish.model import GatewayFault, MessageState, Remedy
from domain.eotinish.ports import Downloaded, Line, Wanted
from domain.eotinish.use_cases import state_of
from domain.errors import Invalid, Unavailable, VersionConflict
from domain.ports import Upload

log = structlog.get_logger()

TOGETHER = 4
"""Files that one worker fetches at once: each may have some megabytes."""


class Collecting:
    """Fetches what is due."""

    def __init__(self, house: House, line: Line, city: UUID) -> None:
        self._house = house
        self._line = line
        self._city = city

    async def turn(self) -> bool:
        """A few files at once; whether any was there."""
        lease = clock.real() + timedelta(seconds=30 + 2 * self._line.manners.timeout_seconds)
        files = await self._house.exchange_files.claim(self._city, clock.real(), TOGETHER, lease)
        await asyncio.gather(*map(self._one, files))
        return bool(files)

    async def _one(self, file: Wanted) -> None:
        try:
            state = await self._bring(file)
        except GatewayFault as fault:
            await self._failed(file, fault)
        except Invalid as refused:
            found = refused.faults[0]
            said = " ".join(f"{name}={value}" for name, value in found.params.items())
            await self._refuse(file, f"file-{found.rule}", said)
        except (Unavailable, VersionConflict) as passing:
            await self._postpone(file, passing.code, "")
        except Exception as error:
            log.error("eotinish_faulty", file_id=str(file.id), exc_info=error)
            detail = type(error).__name__
            give_up = file.attempt >= OURS
            await (self._refuse if give_up else self._postpone)(file, "fault-of-ours", detail)
        else:
            log.info("eotinish_file", file_id=str(file.id), state=state and str(state))

    async def _bring(self, file: Wanted) -> MessageState | None:
        upload = await self._keep(file, await self._line.gateway.download(file.identifier))
        async with self._house.units.open(state_of(self._city)) as uow:
            state = await attach(
                file, upload, uow=uow, reference=self._house.references.of(self._city),
                at=self._house.now(),
            )  # fmt: skip
            await uow.commit()
        if state is MessageState.REPEATED:
            await self._house.store.delete(upload.storage_key)
        return state

    async def _keep(self, file: Wanted, found: Downloaded) -> Upload:
        """Made safe as any upload is, and put into the store. Raises Invalid, Unavailable."""
        clean = await self._house.cleaner.clean(found.content, found.media_type)
        key = f"{self._city}/{file.id.hex[:2]}/{file.id}"
        await self._house.store.put(key, clean.content, clean.media_type)
        return Upload(
            id=file.id,
            kind=clean.kind,
            media_type=clean.media_type,
            filename=safe_filename(found.name, clean.media_type),
            size=len(clean.content),
            sha256=sha256(clean.content).hexdigest(),
            original_sha256=clean.original_sha256,
            width=clean.width,
            height=clean.height,
            storage_key=key,
            created_at=self._house.now(),
        )

    async def _failed(self, file: Wanted, fault: GatewayFault) -> None:
        detail = f"{fault.code} {fault.detail}".strip()
        if fault.remedy is Remedy.QUARANTINE:
            await self._refuse(file, fault.fault, detail)
            return
        if fault.remedy is Remedy.FIX:
            log.error("eotinish_needs_mending", fault=fault.fault, code=fault.code)
        await self._postpone(file, fault.fault, detail)

    async def _postpone(self, file: Wanted, fault: str, detail: str) -> None:
        log.warning("eotinish_file_postponed", file_id=str(file.id), fault=fault)
        until = later(self._line, file.attempt, clock.real())
        await self._house.exchange_files.postpone(self._city, file, fault, detail, until)

    async def _refuse(self, file: Wanted, fault: str, detail: str) -> None:
        log.warning("eotinish_quarantined", file_id=str(file.id), fault=fault)
        await self._house.exchange_files.refuse(self._city, file, fault, detail, clock.real())
