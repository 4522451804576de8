"""The exchange with the national register, in a worker: loops that send, fetch and apply.

Any number of workers may run: a message on its way out is leased, one that came is locked while it
is applied, and each loop goes on by itself whatever happens to the others. While the gateway is
waited for, no connection to the database is held.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from api import clock
from api.bootstrap import House
from api.logs import summary
from domain.eotinish.left_behind import TOO_LARGE, with_absent
from domain.eotinish.model import GatewayFault, Notice, Poison, Remedy, TooEarly
from domain.eotinish.outgoing import Attached, Material, address_of, term_of, values_of
from domain.eotinish.ports import Claimed, Line, Noted, Received
from domain.eotinish.use_cases import Applied, Unmet, apply, state_of, take_number
from domain.errors import Refusal, Unavailable, VersionConflict
from domain.ports import UnitOfWork

log = structlog.get_logger()

LONGEST_RETRY = 600.0
"""Seconds between two tries, at most."""
HOLD = timedelta(seconds=60)
"""How long nothing is sent after a fault that somebody must mend."""
FETCHED = 100
APPLIED = 4
"""Messages that one worker applies at once."""
ALONE = 3
"""Tries after which a fault of the exchange that meets one message alone is that message's."""
OURS = 6
"""Tries of a message at which our own code fails, before an inspector sees it."""


def later(line: Line, attempt: int, at: datetime) -> datetime:
    """When to try again: ever later, and not all at once."""
    pause = min(line.manners.retry_seconds * 2 ** min(attempt - 1, 20), LONGEST_RETRY)
    return at + timedelta(seconds=pause * random.uniform(0.5, 1.5))  # noqa: S311  jitter


class Sending:
    """Sends what is due, `concurrency` calls at once."""

    def __init__(self, house: House, line: Line, city: UUID) -> None:
        self._house = house
        self._line = line
        self._city = city
        self._flying: set[asyncio.Task[None]] = set()
        self._succeeded = 0
        # How many had gone through when a message last met a fault of the exchange itself.
        self._blamed: dict[UUID, int] = {}

    async def turn(self) -> bool:
        """Fill what is free; whether there may be more at once."""
        room = self._line.manners.concurrency - len(self._flying)
        if room * 4 >= self._line.manners.concurrency:
            # Longer than most tries take: three files, and the message. Where one takes longer it
            # may be sent twice, and its id makes the second a repeat.
            lease = clock.real() + timedelta(seconds=10 + 4 * self._line.manners.timeout_seconds)
            found = await self._house.exchange.claim(self._city, clock.real(), room, lease)
            for claimed in found:
                task = asyncio.create_task(self._try(claimed))
                self._flying.add(task)
                task.add_done_callback(self._flying.discard)
        if not self._flying:
            return False
        await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
        return True

    async def close(self) -> None:
        """Let what is in the air end; what does not is sent again when its lease ends."""
        if self._flying:
            _, late = await asyncio.wait(self._flying, timeout=10)
            for task in late:
                task.cancel()

    async def _try(self, claimed: Claimed) -> None:
        try:
            await self._attempt(claimed)
        except Exception as error:
            # Its lease ends by itself, and the message is due again.
            log.warning("eotinish_postponed", message_id=str(claimed.id), error=summary(error))

    async def _attempt(self, claimed: Claimed) -> None:
        queue = self._house.exchange
        try:
            noted = await self._send(claimed)
        except GatewayFault as fault:
            await self._failed(claimed, fault)
        except Poison as poison:
            await self._refused(claimed, poison.fault, poison.detail)
        except (Unavailable, VersionConflict) as passing:
            until = clock.real() + timedelta(seconds=1)
            await queue.postpone(self._city, claimed, passing.code, "", until)
        except Exception as error:
            log.error("eotinish_faulty", message_id=str(claimed.id), exc_info=error)
            if claimed.attempt >= OURS:
                await self._refused(claimed, "fault-of-ours", type(error).__name__)
            else:
                until = later(self._line, claimed.attempt, clock.real())
                await queue.postpone(
                    self._city, claimed, "fault-of-ours", type(error).__name__, until
                )
        else:
            self._succeeded += 1
            self._blamed.pop(claimed.id, None)
            await self._noted(claimed, noted)
            log.info("eotinish_sent", message_id=str(claimed.id), notice=str(claimed.notice))

    async def _noted(self, claimed: Claimed, noted: Noted) -> None:
        """What the state has is over; what the gateway has is asked about (exchange_deliveries)."""
        queue, now, manners = self._house.exchange, clock.real(), self._line.manners
        if noted.on_its_way and manners.delivery_hours > 0:
            ask_at = now + timedelta(seconds=manners.poll_seconds)
            await queue.posted(self._city, claimed, noted.id, now, ask_at)
        else:
            await queue.sent(self._city, claimed, noted.id, now)

    async def _failed(self, claimed: Claimed, fault: GatewayFault) -> None:
        log.warning(
            "eotinish_call_failed", message_id=str(claimed.id), fault=fault.fault,
            code=fault.code, remedy=str(fault.remedy), attempt=claimed.attempt,
        )  # fmt: skip
        detail = f"{fault.code} {fault.detail}".strip()
        if fault.remedy is Remedy.QUARANTINE or self._is_its_own(claimed, fault):
            await self._refused(claimed, fault.fault, detail)
            return
        now = clock.real()
        if fault.remedy is Remedy.FIX:
            log.error("eotinish_needs_mending", fault=fault.fault, code=fault.code)
            await self._house.exchange.hold(self._city, now + HOLD, fault.fault)
        until = later(self._line, claimed.attempt, now)
        await self._house.exchange.postpone(self._city, claimed, fault.fault, detail, until)

    def _is_its_own(self, claimed: Claimed, fault: GatewayFault) -> bool:
        """Whether a fault of the exchange meets this message alone: others went through since it
        last met it. One such message must not hold up all others again and again.
        """
        if fault.remedy is not Remedy.FIX:
            return False
        before = self._blamed.get(claimed.id, self._succeeded)
        self._blamed[claimed.id] = self._succeeded
        return claimed.attempt >= ALONE and self._succeeded > before

    async def _refused(self, claimed: Claimed, fault: str, detail: str) -> None:
        self._blamed.pop(claimed.id, None)
        log.warning("eotinish_quarantined", message_id=str(claimed.id), fault=fault)
        await self._house.exchange.quarantine(self._city, claimed, fault, detail, clock.real())

    async def _send(self, claimed: Claimed) -> Noted:
        """Send one message; what it is called there."""
        material = await self._house.exchange.material(self._city, claimed.id)
        values = values_of(self._named(material), self._line.agreements)
        files, absent = await self._laid(material)
        if files:
            values["files"] = files
        if absent:
            at = clock.real()
            await self._house.exchange_files.leave(self._city, claimed.appeal, absent, at)
            text = str(values.get("text") or "")
            values["text"] = with_absent(text, absent, material.language)
        own, gateway = str(claimed.appeal), self._line.gateway
        if claimed.notice is not Notice.REGISTER:
            return await gateway.notify(claimed.notice, str(claimed.id), own, values)
        number = await gateway.register(str(claimed.id), own, values)
        if self._line.agreements.number.fullmatch(number) is None:
            raise Poison("number-malformed", number[:60])
        await self._take(material.own_number, number)
        return Noted(number, on_its_way=False)

    def _named(self, material: Material) -> Material:
        """With the names that the city's reference knows: of the place, and of the executor."""
        reference = self._house.references.of(self._city)
        executor = material.event["about"]["organisation"]
        known = reference.organisations.get(UUID(executor)) if executor else None
        return replace(
            material,
            address=address_of(material.personal.get("place"), reference),
            executor=known.names.get("ru") if known else None,
            term=term_of(material.event["data"], reference.promises),
        )

    async def _laid(self, material: Material) -> tuple[list[str], list[Attached]]:
        """The files of a message, laid where the state finds them; and those that cannot travel."""
        laid: list[str] = []
        absent: list[Attached] = []
        for file in material.files:
            content = await self._house.store.get(file.storage_key)
            said = (str(file.id), file.filename, file.media_type, content)
            try:
                laid.append(await self._line.gateway.upload(*said))
            except GatewayFault as fault:
                if fault.fault != TOO_LARGE:
                    raise
                log.warning("eotinish_file_left_behind", file_id=str(file.id), size=file.size)
                absent.append(file)
        return laid, absent

    async def _take(self, own_number: str, number: str) -> None:
        async with self._house.units.open(state_of(self._city)) as uow:
            await take_number(
                own_number, number, uow=uow,
                reference=self._house.references.of(self._city), at=self._house.now(),
            )  # fmt: skip
            await uow.commit()


class Fetching:
    """Takes what waits for the city, keeps it, and says so."""

    def __init__(self, house: House, line: Line, city: UUID) -> None:
        self._house = house
        self._line = line
        self._city = city
        self._calls = asyncio.Semaphore(line.manners.concurrency)
        self._amount = FETCHED

    async def turn(self) -> bool:
        """Fetch once; whether there may be more."""
        amount = self._amount
        try:
            arrived = await self._line.gateway.fetch(amount)
        except GatewayFault:
            # An answer may be too large to be read as a whole: then fewer at once.
            self._amount = max(1, amount // 4)
            raise
        self._amount = FETCHED
        if arrived:
            await self._house.exchange.keep(self._city, arrived, clock.real())
            log.info("eotinish_fetched", messages=len(arrived))
        known = await self._house.exchange.unacknowledged(self._city, 2 * FETCHED)
        await self._acknowledge(known)
        return len(arrived) == amount

    async def _acknowledge(self, messages: Sequence[str]) -> None:
        said = await asyncio.gather(*map(self._say, messages))
        told = [message for message, done in zip(messages, said, strict=True) if done]
        if told:
            await self._house.exchange.acknowledged(self._city, told, clock.real())

    async def _say(self, message: str) -> bool:
        async with self._calls:
            try:
                await self._line.gateway.accept(message)
            except GatewayFault as fault:
                log.warning("eotinish_not_acknowledged", fault=fault.fault, code=fault.code)
                # A notice that the gateway refuses is not given again before the message comes
                # again: the oldest ones would stand before all others for good.
                return fault.remedy is Remedy.QUARANTINE
        return True


class _NotApplied(Exception):
    """A message that was not applied, and why."""

    def __init__(self, received: Received, why: Exception) -> None:
        super().__init__(str(why))
        self.received = received
        self.why = why


class Applying:
    """Applies what was fetched, each message in a unit of its own."""

    def __init__(self, house: House, line: Line, city: UUID) -> None:
        self._house = house
        self._line = line
        self._city = city

    async def turn(self) -> bool:
        """A few messages at once; whether any was there."""
        return any(await asyncio.gather(*(self._one() for _ in range(APPLIED))))

    async def _one(self) -> bool:
        try:
            async with self._house.units.open(state_of(self._city)) as uow:
                received = await uow.exchange.next(clock.real())
                if received is None:
                    return False
                applied = await self._applied(received, uow)
        except _NotApplied as failed:
            # The unit is over: what was locked is free, and nothing of it was written.
            if isinstance(failed.why, Unmet):
                await self._house.people.meet(self._city, failed.why.person, self._house.now())
            else:
                await self._failed(failed.received, failed.why)
            return True
        log.info("eotinish_applied", appeal_id=str(applied.appeal), tale=str(applied.told.tale),
                 state=str(applied.state))  # fmt: skip
        return True

    async def _applied(self, received: Received, uow: UnitOfWork) -> Applied:
        try:
            applied = await apply(
                received, self._line.gateway.read(received.document), uow=uow,
                reference=self._house.references.of(self._city),
                agreements=self._line.agreements, at=self._house.now(),
            )  # fmt: skip
            await uow.commit()
        except Exception as error:
            raise _NotApplied(received, error) from error
        return applied

    async def _failed(self, received: Received, error: Exception) -> None:
        queue, now = self._house.exchange, clock.real()
        again = later(self._line, received.attempts + 1, now)
        if isinstance(error, Poison):
            await self._refuse(received, error.fault, error.detail)
        elif isinstance(error, Unavailable | VersionConflict):
            soon = now + timedelta(seconds=0.5)
            await queue.later(self._city, received.id, error.code, "", soon)
        elif isinstance(error, TooEarly):
            await queue.later(self._city, received.id, "too-early", "", again)
        elif isinstance(error, Refusal):
            await self._refuse(received, error.code, str(error))
        elif received.attempts + 1 >= OURS:
            await self._refuse(received, "fault-of-ours", type(error).__name__)
        else:
            log.error("eotinish_faulty", received_id=str(received.id), exc_info=error)
            detail = type(error).__name__
            await queue.later(self._city, received.id, "fault-of-ours", detail, again)

    async def _refuse(self, received: Received, fault: str, detail: str) -> None:
        log.warning("eotinish_quarantined", received_id=str(received.id), fault=fault)
        await self._house.exchange.refuse(self._city, received.id, fault, detail, clock.real())
