"""The envelopes of the gateway (ШЭП): SOAP 1.1, document/literal, of its two channels.

The wrapper element is qualified and everything inside is not; the order is that of the gateway's
published WSDL/XSD (SyncChannel/v10, AsyncChannel/v10); tests/peers/shep/ holds them as schemas, by
which tests judge what is written here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from domain.eotinish.model import Delivery, GatewayFault
from integrations.eotinish.faults import unfit
from integrations.eotinish.payload import clean, write_instant
from integrations.eotinish.xml import Element

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SYNC = "http://bip.bee.kz/SyncChannel/v10/Types"
ASYNC = "http://bip.bee.kz/AsyncChannel/v10/Types"

BODY = f"{{{SOAP}}}Body"
FAULT = f"{{{SOAP}}}Fault"


@dataclass(frozen=True, slots=True)
class Sender:
    """The account at the gateway."""

    id: str
    password: str

    def __repr__(self) -> str:
        return f"Sender({self.id})"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a sync call brought: the receiving system's status, and its data."""

    message_id: str
    code: str
    message: str
    data: Element | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message that waited on the async channel."""

    message_id: str
    correlation_id: str | None
    data: Element


@dataclass(frozen=True, slots=True)
class Faulted:
    """A SOAP fault: the gateway's own code, and its words."""

    code: str
    message: str


def envelope(content: Element) -> Element:
    """An envelope without a header around a wrapper."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    etree.SubElement(root, BODY).append(content)
    return root


def sync_request(
    *,
    message_id: str,
    correlation_id: str,
    service: str,
    at: datetime,
    sender: Sender,
    data: Element,
) -> Element:
    """SyncChannel SendMessage. A retry bears the message id of the first try."""
    wrapper = etree.Element(f"{{{SYNC}}}SendMessage", nsmap={"typ": SYNC})
    request = etree.SubElement(wrapper, "request")
    info = etree.SubElement(request, "requestInfo")
    _texts(info, messageId=message_id, correlationId=correlation_id, serviceId=service,
           messageDate=write_instant(at))  # fmt: skip
    _sender(info, sender)
    etree.SubElement(request, "requestData").append(data)
    return envelope(wrapper)


def async_request(
    *, correlation_id: str, service: str, at: datetime, sender: Sender, data: Element
) -> Element:
    """AsyncChannel sendMessage of a NOTIFICATION. The gateway gives the message id, so that none
    may stand here; what tells a repeat is the message's own id, in its data.
    """
    wrapper = etree.Element(f"{{{ASYNC}}}sendMessage", nsmap={"typ": ASYNC})
    request = etree.SubElement(wrapper, "request")
    info = etree.SubElement(request, "messageInfo")
    _texts(info, correlationId=correlation_id, serviceId=service, messageType="NOTIFICATION",
           messageDate=write_instant(at))  # fmt: skip
    _sender(info, sender)
    etree.SubElement(request, "messageData").append(data)
    return envelope(wrapper)


def fetch_request(*, service: str, amount: int, at: datetime, sender: Sender) -> Element:
    """AsyncChannel getMessages."""
    wrapper = etree.Element(f"{{{ASYNC}}}getMessages", nsmap={"typ": ASYNC})
    request = etree.SubElement(wrapper, "request")
    _texts(request, requestDate=write_instant(at), serviceId=service)
    _sender(request, sender)
    _texts(request, amount=str(amount))
    return envelope(wrapper)


def accepted_request(*, message_id: str, service: str, at: datetime, sender: Sender) -> Element:
    """AsyncChannel sendDeliveryNotification: the message is kept here, and need not come again."""
    wrapper = etree.Element(f"{{{ASYNC}}}sendDeliveryNotification", nsmap={"typ": ASYNC})
    request = etree.SubElement(wrapper, "request")
    notification = etree.SubElement(request, "notification")
    _texts(notification, messageId=message_id, serviceId=service,
           notificationDate=write_instant(at))  # fmt: skip
    status = etree.SubElement(notification, "deliveryStatus")
    _texts(status, receiveStatus="MESSAGE_ACCEPTED", statusDate=write_instant(at),
           resendMessage="NOT_RESEND")  # fmt: skip
    _texts(request, requestDate=write_instant(at))
    _sender(request, sender)
    return envelope(wrapper)


def status_request(*, message_id: str, at: datetime, sender: Sender) -> Element:
    """AsyncChannel getMessageStatus: what became of a message that the gateway took."""
    wrapper = etree.Element(f"{{{ASYNC}}}getMessageStatus", nsmap={"typ": ASYNC})
    request = etree.SubElement(wrapper, "request")
    _texts(request, messageId=message_id, requestDate=write_instant(at))
    _sender(request, sender)
    return envelope(wrapper)


def read_answer(body: Element) -> Answered:
    """The answer of the sync channel. Raises GatewayFault `answer-unfit`."""
    response = _wrapped(body, f"{{{SYNC}}}SendMessageResponse")
    info = _one(response, "responseInfo")
    data = response.find("responseData/data")
    return Answered(
        message_id=_said(info, "messageId"),
        code=_said(info, "status/code"),
        message=info.findtext("status/message") or "",
        data=data,
    )


def read_sent(body: Element) -> str:
    """The id that the async channel gave a message. Raises GatewayFault `answer-unfit`."""
    return _said(_wrapped(body, f"{{{ASYNC}}}sendMessageResponse"), "messageId")


def read_status(body: Element) -> Delivery:
    """What became of a message. Raises GatewayFault `answer-unfit`."""
    response = _wrapped(body, f"{{{ASYNC}}}getMessageStatusResponse")
    try:
        return Delivery(_said(response, "messageState"))
    except ValueError:
        raise unfit("another messageState") from None


def read_noted(body: Element) -> str:
    """The id of a delivery notification. Raises GatewayFault `answer-unfit`."""
    wrapper = f"{{{ASYNC}}}sendDeliveryNotificationResponse"
    return _said(_wrapped(body, wrapper), "notificationId")


def read_fetched(body: Element) -> Sequence[Fetched]:
    """The messages that waited. Raises GatewayFault `answer-unfit`.

    One of them that is of no known form stops none of the others: it comes as what it is, for
    quarantine; one without an id of its own, which can be neither kept nor acknowledged, is left.
    """
    response = _wrapped(body, f"{{{ASYNC}}}getMessagesResponse")
    found = (_fetched(one) for one in response.iterfind("messages"))
    return [one for one in found if one is not None]


def read_fault(body: Element) -> Faulted | None:
    """The fault that stands in a body; None where none does."""
    fault = body.find(FAULT)
    if fault is None:
        return None
    for detail in fault.iterfind("detail/*"):
        if code := detail.findtext("errorCode"):
            return Faulted(code.strip(), (detail.findtext("errorMessage") or "").strip()[:250])
    return Faulted((fault.findtext("faultcode") or "").strip(), "")


def _fetched(message: Element) -> Fetched | None:
    try:
        id = _said(message, "messageInfo/messageId")
    except GatewayFault:
        return None
    data = message.findall("messageData/data")
    return Fetched(
        message_id=id,
        correlation_id=message.findtext("messageInfo/correlationId") or None,
        data=data[0] if len(data) == 1 else message,
    )


def _wrapped(body: Element, wrapper: str) -> Element:
    children = list(body)
    if len(children) != 1 or children[0].tag != wrapper:
        raise unfit("another wrapper")
    return _one(children[0], "response")


def _one(parent: Element, path: str) -> Element:
    found = parent.findall(path)
    if len(found) != 1:
        raise unfit(f"not one {path}")
    return found[0]


def _said(parent: Element, path: str) -> str:
    text = (_one(parent, path).text or "").strip()
    if not text or len(text) > 200:
        raise unfit(f"no {path}")
    return text


def _sender(parent: Element, sender: Sender) -> None:
    _texts(etree.SubElement(parent, "sender"), senderId=sender.id, password=sender.password)


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        etree.SubElement(parent, name).text = clean(text)
