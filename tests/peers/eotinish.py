"""A stand-in of the state's gateway (ШЭП) and of e-Өтініш behind it, a process of its own.

    python -m tests.peers.eotinish --key gateway.pem --certificate gateway.crt --city city.crt

It takes nothing that is not well formed, signed by the city's certificate over the one Body, and
valid by the schemas of tests/peers/shep/; it counts what contradicts itself in `violations`. How it
behaves is told by `POST /control`:

    {"seed": 1, "slow": 0.3, "drop": 0.05, "lose": 0.05, "fail": 0.05, "delay": 0.05, "repeat": 0.1,
     "reorder": 0.1, "code": "SBF-AD-1"}

slow: seconds that every call takes. drop: the call is not taken and the line is cut; lose: it is
taken, and the line is cut before the answer; fail: a fault of the gateway, `code` or FAULT015.
delay: the call takes up to a second longer. repeat: a message that was accepted is given again, or
the same one twice under two ids; reorder: messages are given in any order, and some later. rate:
the applicant says yes to every answer. refuse: the number of an appeal whose signature is refused;
swallow: of one that is taken, and whose answer is lost. gone: no file is found. late, never, stop:
of the notices that the async channel takes, one is delivered up to a second (`lateness`) later, is
not delivered at all, or is stopped, as getMessageStatus tells; the others are delivered at once.
A share of 0.05 is one of each twenty in every run (lots.py), not one of twenty in the long run.

`POST /say` is the state at work: a list of `{"tale": …, "number": …, values …}`; an assignment
names no number and gets one. Where it names that of an appeal which the city handed in, the city's
own number goes with it, unless `outNumber` says another or none. `correlation` is what the envelope
names (the number, if left out); `lays` are files `{"name": …, "mime": …, "content": base64}` that
go along, and `files` identifiers of such as lie there already. `raw` is another type than the
tale's, as the message writes it (`q:…`), `place` another version than the next, of any form.
`GET /register` tells everything.
The product never imports it.
"""

import argparse
import json
import random
import sys
import threading
import time
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from lxml import etree

from tests.peers.lots import Lots
from tests.peers.soap import SOAP, XSI, Element, Refused, Seal, texts, typed
from tests.peers.temporary_store import Store

SYNC = "http://bip.bee.kz/SyncChannel/v10/Types"
ASYNC = "http://bip.bee.kz/AsyncChannel/v10/Types"
NOTIFICATION = "http://esedo.nitec.kz/service/model/notification"
DOCUMENT = "http://esedo.nitec.kz/service/model/document"
REGISTER = "http://eotinish.kz/service/model/register"
SENDER, PASSWORD = "ikomek-kishi", "gateway-secret"

TALES: dict[str, tuple[str, str, list[str]]] = {
    # tale → namespace, type, elements after metadataSystem in the schema's order
    "assigned": (DOCUMENT, "docOL", [
        "address", "appendCount", "carrierType", "character", "citizenship", "controlTypeOuterCode",
        "controlTypeOuterNameKz", "controlTypeOuterNameRu", "deliveryDate", "description",
        "docDateR", "docKind", "docLang", "docNoR", "docReqAuthor", "documentType", "email",
        "executionDate", "idPortalInternal", "juridicallyName", "middlename", "name", "note",
        "phone", "portalSign", "preparedDate", "regDateOL", "regNumberOL", "region",
        "secondSignData", "secondSignEnabled", "sheetCount", "signerNameKz", "signerNameRu",
        "socialOrder", "surname", "uniqueNumber", "userUin", "typeId", "issueCategoryId", "state",
        "outNumber"]),
    "registered": (NOTIFICATION, "stateRegistered", ["date", "regNo", "state"]),
    "progress": (NOTIFICATION, "stateExecution", ["date", "regNo", "state", "description"]),
    "extended": (NOTIFICATION, "stateProlongExDate", [
        "date", "regNo", "execDate", "state", "description"]),
    "redirected": (NOTIFICATION, "stateRedirected", [
        "date", "regNo", "state", "organization", "description"]),
    "decided": (NOTIFICATION, "stateFinished", [
        "realDate", "resultCode", "resultText", "regNo", "state"]),
    "rated": (NOTIFICATION, "stateRated", [
        "date", "author", "satisfied", "rating", "regNo", "state", "description"]),
    "withdrawn": (NOTIFICATION, "stateRevoked", [
        "date", "author", "regNo", "state", "description"]),
}  # fmt: skip


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@dataclass
class Case:
    """One appeal in the national register."""

    number: str
    own_number: str | None
    state: str = "CREATED"
    version: int = 0
    sequence: int = 0
    deadline: str | None = None
    told: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@dataclass
class Letter:
    """A message to the city that waits on the async channel."""

    id: str
    number: str
    version: int
    tale: str
    values: dict[str, Any]
    not_before: float = 0.0


@dataclass
class Posted:
    """A notice that the gateway took, and what becomes of it."""

    data: Element
    state: str
    due: float = 0.0


class Swallowed(Exception):
    """A call that was taken, and nobody hears of it."""


class State:
    """The national register, and what waits for the city."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.cases: dict[str, Case] = {}
        self.by_message: dict[str, str] = {}
        self.by_own: dict[str, str] = {}
        self.waiting: dict[str, Letter] = {}
        self.accepted: list[Letter] = []
        self.posted: dict[str, Posted] = {}
        self.store = Store()
        self.violations: list[str] = []
        self.counts: dict[str, int] = {}
        self.mood: dict[str, Any] = {}
        self.chance = random.Random(1)
        self.lots = Lots(lambda what: float(self.mood.get(what, 0)))

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def roll(self, what: str) -> bool:
        with self.lock:
            return self.lots.drawn(what)

    def begin(self, own_number: str | None) -> Case:
        number = f"ЖТ-2026-{len(self.cases) + 1:08d}"
        self.cases[number] = Case(number, own_number)
        return self.cases[number]

    def say(self, told: dict[str, Any]) -> str:
        """The state tells the city of a case; its number."""
        tale, number = told.pop("tale"), told.pop("number", None)
        case = self.begin(None) if number is None else self.cases[number]
        case.version += 1
        case.state = told.get("state", case.state)
        case.deadline = told.get("execDate", told.get("executionDate", case.deadline))
        name = "regNumberOL" if tale == "assigned" else "regNo"
        laid = [
            self.store.lay(one["name"], one.get("mime"), b64decode(one["content"]))
            for one in told.pop("lays", ())
        ]
        told["files"] = [*told.get("files", ()), *laid]
        values = {"outNumber": case.own_number, **told, name: case.number, "state": case.state}
        case.told.append((case.version, tale, values))
        self.queue(case, case.version, tale, values)
        return case.number

    def queue(self, case: Case, version: int, tale: str, values: dict[str, Any]) -> None:
        late = time.monotonic() + self.chance.random() if self.roll("reorder") else 0.0
        for _ in range(2 if self.roll("repeat") else 1):
            letter = Letter(str(uuid4()), case.number, version, tale, values, late)
            self.waiting[letter.id] = letter

    def next(self, amount: int) -> list[Letter]:
        """Messages for the city: in their order, unless the mood mixes them."""
        with self.lock:
            due = [one for one in self.waiting.values() if one.not_before <= time.monotonic()]
            if self.mood.get("reorder"):
                self.chance.shuffle(due)
            found = due[:amount]
            if self.accepted and self.roll("repeat"):
                found.append(self.chance.choice(self.accepted))
            return found

    def accept(self, id: str) -> None:
        with self.lock:
            if (letter := self.waiting.pop(id, None)) is not None:
                self.accepted.append(letter)
                self.count("accepted")

    def again(self, number: str, version: int) -> None:
        with self.lock:
            case = self.cases[number]
            for place, tale, values in case.told:
                if place >= version:
                    self.queue(case, place, tale, values)

    def register(self, data: Element) -> Case:
        """An appeal that the city hands in: once, however often it comes."""
        id, own = data.findtext("metadataSystem/href", ""), data.findtext("outNumber", "")
        if own == self.mood.get("refuse"):
            raise Refused("SBF-VE-8", "this one alone")
        with self.lock:
            if id in self.by_message:
                self.count("registered again")
                return self.cases[self.by_message[id]]
            if own in self.by_own:
                self.violations.append(f"{own} was handed in under two ids")
            case = self.begin(own)
            self.by_message[id] = self.by_own[own] = case.number
            self._took(case, data)
            return case

    def post(self, data: Element) -> str:
        """Take a notice of the async channel; the gateway's id of it."""
        id = str(uuid4())
        with self.lock:
            one = Posted(data, "DELIVERED")
            if self.roll("never"):
                one.state = "NOT_DELIVERED"
            elif self.roll("stop"):
                one.state = "DELIVERY_STOPPED"
            elif self.roll("late"):
                late = self.chance.random() * float(self.mood.get("lateness", 1))
                one.state, one.due = "ON_DELIVERY", time.monotonic() + late
            else:
                self.notify(data)
            self.count(one.state)
            self.posted[id] = one
        return id

    def deliver(self) -> None:
        """What was late and is due."""
        with self.lock:
            for one in self.posted.values():
                if one.state == "ON_DELIVERY" and one.due <= time.monotonic():
                    self.notify(one.data)
                    one.state = "DELIVERED"

    def notify(self, data: Element) -> None:
        """What followed an appeal."""
        number = data.findtext("regNo", "")
        with self.lock:
            case = self.cases.get(number)
            if case is None:
                self.violations.append(f"a notice of {number}, which is nobody's")
                raise Refused("SCSE001", "unknown number")
            sequence = int(data.findtext("metadataSystem/activityId", "0"))
            if sequence <= case.sequence:
                ids = {one["id"] for one in case.taken}
                if data.findtext("metadataSystem/href") not in ids:
                    self.violations.append(f"{number}: {sequence} comes after {case.sequence}")
                self.count("told again")
                return
            self._took(case, data)

    def _took(self, case: Case, data: Element) -> None:
        case.own_number = case.own_number or data.findtext("outNumber")
        case.sequence = int(data.findtext("metadataSystem/activityId", "0"))
        case.state = data.findtext("state", case.state)
        case.deadline = data.findtext("execDate", case.deadline)
        files = [one.text or "" for one in data.iterfind("attachments/fileIdentifier")]
        self.violations += [f"no file {one}" for one in files if one not in self.store.files]
        case.files += files
        said = {child.tag: child.text for child in data if len(child) == 0}
        type_ = data.get(f"{{{XSI}}}type", "").partition(":")[2]
        case.taken.append({"id": data.findtext("metadataSystem/href"), "type": type_, **said})
        self.count("taken")
        if type_ == "stateFinished" and self.mood.get("rate"):
            self.say({"tale": "rated", "number": case.number, "author": self._author(case),
                      "satisfied": True, "rating": 4, "state": "FINISHED"})  # fmt: skip

    def _author(self, case: Case) -> str:
        """The applicant: of the city's document, or of the state's own."""
        assigned = case.told and case.told[0][1] == "assigned"
        said = case.told[0][2] if assigned else case.taken[0]
        parts = (said.get(one) for one in ("surname", "name", "middlename"))
        return " ".join(filter(None, parts))

    def listed(self, after: str, limit: int) -> Element:
        answer = typed(REGISTER, "listResponse")
        with self.lock:
            for number in sorted(one for one in self.cases if one > after)[:limit]:
                case = self.cases[number]
                row = etree.SubElement(answer, "case")
                texts(row, regNo=number)
                if case.own_number:
                    texts(row, outNumber=case.own_number)
                texts(row, state=case.state, version=str(case.version),
                       sequence=str(case.sequence))  # fmt: skip
                if case.deadline:
                    texts(row, execDate=case.deadline)
        return answer

    def whole(self) -> dict[str, Any]:
        self.deliver()
        with self.lock:
            return {
                "cases": [vars(case) for case in self.cases.values()],
                "waiting": len(self.waiting),
                "violations": self.violations,
                "counts": self.counts,
                "files": self.store.files,
            }


def _session() -> str:
    return f"{{{uuid4()}}}"


def letter_data(letter: Letter) -> Element:
    """The data of a message to the city."""
    namespace, type_, elements = TALES[letter.tale]
    data = typed(namespace, type_)
    if "raw" in letter.values:
        data.set(f"{{{XSI}}}type", letter.values["raw"])
    if files := letter.values.get("files"):
        above = etree.SubElement(data, "attachments")
        for one in files:
            texts(above, fileIdentifier=one)
    place = str(letter.values.get("place", letter.version))
    texts(etree.SubElement(data, "metadataSystem"), activityId=place)
    for name in elements:
        if (value := letter.values.get(name)) is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            etree.SubElement(data, name).text = text
    return data


class Gateway:
    """What each wrapper is answered."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self.state = State()

    def answer(self, channel: str, document: bytes) -> bytes:
        """The signed answer. Raises Refused."""
        wrapper = self.seal.open(document)
        request = wrapper[0]
        sender = next(request.iter("senderId")).text, next(request.iter("password")).text
        if sender != (SENDER, PASSWORD):
            raise Refused("SBF-AD-1", "who are you")
        name = etree.QName(wrapper).localname
        handle = getattr(self, f"_{channel}_{name}")
        content: Element = handle(request)
        return self.seal.sign(content)

    def fault(self, code: str, why: str) -> bytes:
        """A signed SOAP fault."""
        fault = etree.Element(f"{{{SOAP}}}Fault", nsmap={"soap": SOAP})
        texts(fault, faultcode="soap:Server", faultstring="fault")
        detail = etree.SubElement(etree.SubElement(fault, "detail"),
                                  f"{{{SYNC}}}SendMessageFault1_SendMessageFault")  # fmt: skip
        texts(detail, errorCode=code, errorMessage=why[:250], errorDate=now(),
               sessionId=_session())  # fmt: skip
        return self.seal.sign(fault)

    def _sync_SendMessage(self, request: Element) -> Element:
        data = request.find("requestData/data")
        assert data is not None
        type_ = data.get(f"{{{XSI}}}type", "").partition(":")[2]
        answer: Element | None = None
        if type_ == "docAppeal":
            case = self.state.register(data)
            if case.own_number == self.state.mood.get("swallow"):
                raise Swallowed
            answer = typed(NOTIFICATION, "stateRegistered")
            texts(answer, date=now(), regNo=case.number)
        elif type_ == "tempStorageRequest":
            store, gone = self.state.store, bool(self.state.mood.get("gone"))
            down = data.findtext("type") == "DOWNLOAD"
            answer = store.download(data, gone) if down else store.upload(data)
        elif type_ == "listRequest":
            answer = self.state.listed(data.findtext("after", ""), int(data.findtext("limit", "1")))
        elif type_ == "againRequest":
            self.state.again(data.findtext("regNo", ""), int(data.findtext("fromVersion", "1")))
        else:
            raise Refused("VAL-R-004", f"nobody takes {type_}")
        return self._sync_answer(request, answer)

    def _sync_answer(self, request: Element, data: Element | None) -> Element:
        wrapper = etree.Element(f"{{{SYNC}}}SendMessageResponse", nsmap={"typ": SYNC})
        response = etree.SubElement(wrapper, "response")
        info = etree.SubElement(response, "responseInfo")
        texts(info, messageId=str(uuid4()),
               correlationId=request.findtext("requestInfo/messageId", ""),
               responseDate=now())  # fmt: skip
        code = self.state.mood.get("status", "SCSS001")
        texts(etree.SubElement(info, "status"), code=code, message="ok")
        texts(info, sessionId=_session())
        holder = etree.SubElement(response, "responseData")
        if data is not None:
            holder.append(data)
        return wrapper

    def _async_sendMessage(self, request: Element) -> Element:
        info = request.find("messageInfo")
        data = request.find("messageData/data")
        assert info is not None
        assert data is not None
        # The gateway gives the id; a NOTIFICATION must name what it belongs to.
        if info.findtext("messageId") or not info.findtext("correlationId"):
            raise Refused("VAL-JSR-001", "messageId or correlationId")
        id = self.state.post(data)
        wrapper = etree.Element(f"{{{ASYNC}}}sendMessageResponse", nsmap={"typ": ASYNC})
        response = etree.SubElement(wrapper, "response")
        texts(response, messageId=id, correlationId=info.findtext("correlationId", ""),
               responseDate=now(), sessionId=_session())  # fmt: skip
        return wrapper

    def _async_getMessageStatus(self, request: Element) -> Element:
        self.state.deliver()
        one = self.state.posted.get(request.findtext("messageId", ""))
        if one is None:
            raise Refused("VAL-R-004", "no such message")
        wrapper = etree.Element(f"{{{ASYNC}}}getMessageStatusResponse", nsmap={"typ": ASYNC})
        response = etree.SubElement(wrapper, "response")
        texts(response, messageState=one.state)
        texts(etree.SubElement(response, "status"), statusCode="1", statusMessage=one.state,
               statusDate=now())  # fmt: skip
        texts(response, responseDate=now(), sessionId=_session())
        return wrapper

    def _async_sendDeliveryNotification(self, request: Element) -> Element:
        self.state.accept(request.findtext("notification/messageId", ""))
        wrapper = etree.Element(f"{{{ASYNC}}}sendDeliveryNotificationResponse",
                                nsmap={"typ": ASYNC})  # fmt: skip
        response = etree.SubElement(wrapper, "response")
        texts(response, notificationId=str(uuid4()), responseDate=now(), sessionId=_session())
        return wrapper

    def _async_getMessages(self, request: Element) -> Element:
        wrapper = etree.Element(f"{{{ASYNC}}}getMessagesResponse", nsmap={"typ": ASYNC})
        response = etree.SubElement(wrapper, "response")
        texts(response, responseDate=now(), sessionId=_session())
        for letter in self.state.next(int(request.findtext("amount", "10"))):
            message = etree.SubElement(response, "messages")
            info = etree.SubElement(message, "messageInfo")
            texts(info, messageId=letter.id,
                   correlationId=letter.values.get("correlation", letter.number),
                   serviceId=request.findtext("serviceId", ""), messageType="NOTIFICATION",
                   messageDate=now())  # fmt: skip
            texts(etree.SubElement(info, "sender"), senderId="e-otinish")
            etree.SubElement(message, "messageData").append(letter_data(letter))
        return wrapper


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent: a body names a person."""

    def do_GET(self) -> None:
        """Tell everything."""
        self._answer(200, json.dumps(self.gateway.state.whole()).encode(), "application/json")

    def do_POST(self) -> None:
        """The channels, the mood, and the state at work."""
        length = int(self.headers.get("content-length", "0"))
        body, state = self.rfile.read(length), self.gateway.state
        if len(body) < length:
            # Whoever sent it died in the middle.
            self.close_connection = True
            return
        if self.path == "/control":
            with state.lock:
                state.mood = json.loads(body)
                state.chance.seed(state.mood.get("seed", 1))
                state.lots.begin(state.mood.get("seed", 1))
            self._answer(200, b"{}", "application/json")
        elif self.path == "/say":
            with state.lock:
                numbers = [state.say(one) for one in json.loads(body)]
            self._answer(200, json.dumps(numbers).encode(), "application/json")
        else:
            self._channel(self.path.strip("/"), body)

    def _channel(self, channel: str, body: bytes) -> None:
        state = self.gateway.state
        time.sleep(
            state.mood.get("slow", 0) + (state.chance.random() if state.roll("delay") else 0)
        )
        if state.roll("drop"):
            state.count("dropped")
            self.close_connection = True
            return
        try:
            if state.roll("fail"):
                state.count("failed")
                raise Refused(state.mood.get("code", "FAULT015"), "not now")
            answer, status = self.gateway.answer(channel, body), 200
        except Swallowed:
            state.count("lost")
            self.close_connection = True
            return
        except Refused as refused:
            meant = "code" in state.mood or "refuse" in state.mood
            if refused.code in ("SBF-VE-8", "VAL-JSR-001", "VAL-R-004") and not meant:
                state.violations.append(f"{refused.code} {refused}")
            answer, status = self.gateway.fault(refused.code, str(refused)), 500
        if state.roll("lose"):
            state.count("lost")
            self.close_connection = True
            return
        self._answer(status, state.mood.get("answer", "").encode() or answer, "text/xml")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Many calls at once."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever was killed in the middle of a call is no news."""


def main() -> None:
    """Serve until the process is ended; the first line of its output is its port."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--port", type=int, default=0)
    for name in ("key", "certificate", "city"):
        words.add_argument(f"--{name}", type=Path, required=True)
    said = words.parse_args()
    gateway = Gateway(Seal(said.key, said.certificate, said.city))
    handler = type("Bound", (Handler,), {"gateway": gateway})
    server = Server(("127.0.0.1", said.port), handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
