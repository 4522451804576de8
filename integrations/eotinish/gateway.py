"""One city's line to the gateway: a call goes out signed, its answer is judged, faults are named.

Nothing here tries again or remembers: due times, retries and ids live in PostgreSQL
(integrations/postgres/exchange_queue.py), so that they outlive the process.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import uuid4

import httpx2
from lxml import etree

from domain.eotinish.left_behind import TOO_LARGE
from domain.eotinish.model import Channel, Delivery, GatewayFault, Notice, Poison, Remedy, Told
from domain.eotinish.ports import Arrived, Downloaded, Noted
from domain.eotinish.reconciling import TheirCase
from integrations.eotinish.config import CityExchange
from integrations.eotinish.contract import Contract
from integrations.eotinish.envelope import (
    Answered,
    Fetched,
    accepted_request,
    async_request,
    fetch_request,
    read_answer,
    read_fault,
    read_fetched,
    read_noted,
    read_sent,
    read_status,
    status_request,
    sync_request,
)
from integrations.eotinish.faults import TooLarge, unfit, unreachable
from integrations.eotinish.files import (
    read_downloaded,
    read_uploaded,
    require_carried,
    write_download,
    write_upload,
)
from integrations.eotinish.http import HEADERS, SizedTransport
from integrations.eotinish.payload import Values, peek, read_told, read_values, write_data
from integrations.eotinish.signing import Signer
from integrations.eotinish.xml import LARGEST, Element, parse

Now = Callable[[], datetime]


class Gateway:
    """See the module. Raises GatewayFault, and Poison for a message that the contract refuses."""

    def __init__(self, config: CityExchange, contract: Contract, signer: Signer, now: Now) -> None:
        self._config = config
        self._contract = contract
        self._services = contract.fields.services
        self._signer = signer
        self._now = now
        self._client = httpx2.AsyncClient(
            transport=SizedTransport(
                config.tls(), config.gateway.resolve, 2 * LARGEST, "text/xml",
                connections=config.concurrency + 10,
            ),
            timeout=httpx2.Timeout(
                config.gateway.timeout_seconds, connect=config.gateway.connect_seconds
            ),
            headers=HEADERS | {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'},
            trust_env=False,
        )  # fmt: skip

    async def close(self) -> None:
        """Let its connections go."""
        await self._client.aclose()

    async def register(self, id: str, correlation: str, values: Values) -> str:
        """Hand an appeal in; the national number. The same `id` again brings the same number."""
        message = self._contract.fields.notices[Notice.REGISTER]
        data = write_data(message, values, self._contract)
        answer = await self._call(self._services.send, data, id, correlation)
        if answer is None:
            raise unfit("no number")
        try:
            told = read_values(answer, self._contract.fields.answers["taken"], self._contract)
        except Poison as odd:
            raise unfit(str(odd)) from None
        return str(told["number"])

    async def notify(self, notice: Notice, id: str, correlation: str, values: Values) -> Noted:
        """Tell of what followed. The sync channel answers when the state has it, the async one when
        the gateway does.
        """
        message = self._contract.fields.notices[notice]
        data = write_data(message, values, self._contract)
        if message.channel is Channel.SYNC:
            await self._call(self._services.send, data, id, correlation)
            return Noted(id, on_its_way=False)
        request = async_request(
            correlation_id=correlation, service=self._services.send, at=self._now(),
            sender=self._config.sender(), data=data,
        )  # fmt: skip
        sent = read_sent(await self._post(self._config.gateway.asynchronous, request))
        return Noted(sent, on_its_way=True)

    async def delivery(self, message: str) -> Delivery:
        """What became of a message of the async channel."""
        request = status_request(
            message_id=message, at=self._now(), sender=self._config.sender()
        )  # fmt: skip
        return read_status(await self._post(self._config.gateway.asynchronous, request))

    async def upload(self, id: str, name: str, media_type: str, content: bytes) -> str:
        """Lay a file into the gateway's temporary store (ХЭД); its identifier there. One that no
        envelope can hold is refused: it will be no smaller the next time.
        """
        require_carried(content)
        sender = self._config.sender()
        data = write_upload(id, name, media_type, content, sender)
        answer = await self._call(self._services.files, data, str(uuid4()), id)
        return read_uploaded(answer, id)

    async def download(self, identifier: str) -> Downloaded:
        """A file of the gateway's temporary store. One that is too large to be read is refused: it
        will be no smaller the next time.
        """
        data = write_download(identifier, self._config.sender())
        try:
            answer = await self._call(self._services.files, data, str(uuid4()), "")
        except TooLarge:
            raise GatewayFault(TOO_LARGE, Remedy.QUARANTINE) from None
        return read_downloaded(answer, identifier)

    async def fetch(self, amount: int) -> Sequence[Arrived]:
        """Messages that wait for the city, up to `amount`; they come again until `accept`."""
        request = fetch_request(
            service=self._services.receive, amount=amount, at=self._now(),
            sender=self._config.sender(),
        )  # fmt: skip
        answer = await self._post(self._config.gateway.asynchronous, request)
        return [self._arrived(one) for one in read_fetched(answer)]

    async def accept(self, message_id: str) -> None:
        """Say that a message is kept here."""
        request = accepted_request(
            message_id=message_id, service=self._services.receive, at=self._now(),
            sender=self._config.sender(),
        )  # fmt: skip
        read_noted(await self._post(self._config.gateway.asynchronous, request))

    async def cases(self, after: str | None, limit: int) -> Sequence[TheirCase]:
        """The state's register of the city's cases, by number, up to `limit` after one."""
        data = await self._ask("list", {"after": after, "limit": limit})
        row = self._contract.fields.rows["listed"]
        try:
            rows = [] if data is None else list(data)
            return [_listed(read_values(one, row, self._contract)) for one in rows]
        except Poison as odd:
            raise unfit(str(odd)) from None

    async def ask_again(self, number: str, version: int) -> None:
        """Ask the state to send its messages of a case again, from a version on."""
        await self._ask("again", {"number": number, "version": version})

    def read(self, document: bytes) -> Told:
        """What a message tells. Raises Poison."""
        try:
            return read_told(parse(document), self._contract)
        except GatewayFault as odd:
            raise Poison("unreadable", odd.detail) from None

    def _arrived(self, one: Fetched) -> Arrived:
        number, version, tale = peek(one.data, self._contract)
        document = etree.tostring(one.data)
        return Arrived(one.message_id, one.correlation_id, document, number, version, tale)

    async def _ask(self, question: str, values: Values) -> Element | None:
        message = self._contract.fields.questions[question]  # type: ignore[index]
        data = write_data(message, values, self._contract)
        return await self._call(self._services.ask, data, str(uuid4()), "")

    async def _call(self, service: str, data: Element, id: str, correlation: str) -> Element | None:
        """A call of the sync channel; its data."""
        request = sync_request(
            message_id=id, correlation_id=correlation or id, service=service, at=self._now(),
            sender=self._config.sender(), data=data,
        )  # fmt: skip
        answer = read_answer(await self._post(self._config.gateway.synchronous, request))
        self._require_success(service, answer)
        return answer.data

    def _require_success(self, service: str, answer: Answered) -> None:
        if not self._contract.succeeded(service, answer.code):
            raise self._named(answer.code, answer.message, fault=False)

    def _named(self, code: str, message: str, *, fault: bool) -> GatewayFault:
        outcome = self._contract.outcome(code, fault=fault)
        # Its words are shown to inspectors, and may repeat what was sent: no phone, no IIN.
        words = re.sub(r"[0-9+][0-9 ()+-]{5,}", "***", message)[:250]
        return GatewayFault(outcome.fault, outcome.remedy, words, code)

    async def _post(self, url: str, request: Element) -> Element:
        """Sign and send an envelope; the signed body of the answer."""
        content = await self._signer.sign(request)
        try:
            response = await self._client.post(url, content=content)
        except (httpx2.HTTPError, OSError) as error:
            raise unreachable(error) from None
        return await self._judged(response.status_code, response.content)

    async def _judged(self, status: int, content: bytes) -> Element:
        if status in (401, 403):
            raise GatewayFault("access-denied", Remedy.FIX, f"status {status}")
        # SOAP 1.1 §6.2: a fault comes with 500. Whatever else is no answer of the gateway itself.
        if status not in (200, 500):
            raise GatewayFault("unreachable", Remedy.RETRY, f"status {status}")
        if status == 500 and not _is_xml(content):
            raise GatewayFault("unreachable", Remedy.RETRY, "status 500")
        body = await self._signer.verify(content)
        if (fault := read_fault(body)) is not None:
            raise self._named(fault.code, fault.message, fault=True)
        return body


def _listed(said: Mapping[str, object]) -> TheirCase:
    own, deadline = said.get("own_number"), said.get("deadline")
    return TheirCase(
        number=str(said["number"]),
        own_number=None if own is None else str(own),
        state=str(said["state"]),
        version=int(str(said["version"])),
        sequence=int(str(said["sequence"])),
        deadline=deadline if isinstance(deadline, datetime) else None,
    )


def _is_xml(content: bytes) -> bool:
    try:
        parse(content)
    except GatewayFault:
        return False
    return True
