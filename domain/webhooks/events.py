"""What an endpoint may subscribe to, and the thin message it receives.

Thin on purpose (Standard Webhooks 1.0, 'Thin vs full payloads'): a message names the
appeal and carries no personal data; who wants more asks the API, where every read of
personal data is permitted and recorded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from domain.errors import Fault, Invalid
from domain.events import EventType
from domain.values import LocalizedText
from domain.webhooks.catalogue import CATALOGUE, meaning
from domain.webhooks.messages import (
    CHECKPOINT_TYPE,
    DATA,
    DETAILS,
    MESSAGES,
    AppealLinks,
)


class Notice(StrEnum):
    """What an endpoint may ask for by name and that is no event of an appeal."""

    CHECKPOINT = CHECKPOINT_TYPE
    ENDPOINT_FAILING = "endpoint.failing"
    ENDPOINT_DISABLED = "endpoint.disabled"
    ENDPOINT_RECOVERED = "endpoint.recovered"
    DELIVERY_EXHAUSTED = "delivery.exhausted"


CHECKPOINT = Notice.CHECKPOINT

NOTICES: Mapping[Notice, LocalizedText] = {
    Notice.CHECKPOINT: meaning(
        "Тізілімнің жай-күйіне қол қойылды (тек аты аталса жіберіледі)",
        "Подписано состояние реестра (отправляется, только если названо)",
        "The state of the register was signed (sent only to who names it)",
    ),
    Notice.ENDPOINT_FAILING: meaning(
        "Ұйымның вебхук мекенжайы жауап бермей тұр",
        "Адрес вебхука организации не отвечает",
        "A webhook endpoint of the organisation fails",
    ),
    Notice.ENDPOINT_DISABLED: meaning(
        "Ұйымның вебхук мекенжайы өшірілді",
        "Адрес вебхука организации отключён",
        "A webhook endpoint of the organisation was disabled",
    ),
    Notice.ENDPOINT_RECOVERED: meaning(
        "Ұйымның вебхук мекенжайы қайта жұмыс істейді",
        "Адрес вебхука организации снова работает",
        "A webhook endpoint of the organisation works again",
    ),
    Notice.DELIVERY_EXHAUSTED: meaning(
        "Хабарламаны жеткізу әрекеттері таусылды",
        "Попытки доставить сообщение исчерпаны",
        "The tries of a delivery are exhausted",
    ),
}
"""Notices with what they mean. Who names no types hears of all events, and of none of these."""

TEST = meaning(
    "Мекенжайды сынау хабарламасы (тек сұралғанда жіберіледі)",
    "Сообщение для проверки адреса (отправляется только по запросу)",
    "A message to try the endpoint with (sent only when asked for)",
)
"""What TEST_TYPE means; it is neither an event nor a notice, and nobody may name it."""


def check_event_types(event_types: Iterable[str]) -> frozenset[str]:
    """The types as a set; Invalid naming each one that the catalogue does not hold."""
    chosen = tuple(event_types)
    faults = [
        Fault(f"/event_types/{index}", "unknown", {"value": event_type})
        for index, event_type in enumerate(chosen)
        if event_type not in CATALOGUE and event_type not in NOTICES
    ]
    if faults:
        raise Invalid(faults)
    return frozenset(str(event_type) for event_type in chosen)


@dataclass(frozen=True, slots=True)
class News:
    """What a message tells: the `sequence`-th event of an appeal, which happened at `at`.

    `status` is the appeal's status after the event, `service` the code of its service,
    `organisation_id` the executor if there is one, `link` the address of the appeal in
    the API. `facts` are the data of the event, of which a message tells what its type names
    (messages.py: DETAILS). A receiver puts messages that overtook each other in order by
    `sequence`.
    """

    type: str
    at: datetime
    appeal_id: UUID
    number: str
    sequence: int
    status: str
    service: str
    organisation_id: UUID | None
    link: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def payload(news: News) -> bytes:
    """The message as compact UTF-8 JSON; these very bytes are signed and sent."""
    if news.at.tzinfo is None:
        raise ValueError("the time of an event is aware")
    kind = EventType(news.type)
    said: dict[str, Any] = {
        "id": news.appeal_id,
        "number": news.number,
        "sequence": news.sequence,
        "status": news.status,
        "service": news.service,
        "organisation_id": news.organisation_id,
        "links": AppealLinks(news.link),
    }
    if kind in DETAILS:
        said["details"] = _details(DETAILS[kind], news.facts)
    return message(kind, news.at, DATA[kind](**said))


def _details(model: type, facts: Mapping[str, Any]) -> object | None:
    names = [one.name for one in fields(model)]
    # An event from before a field was there tells nothing, rather than stop all that come after.
    return model(**{name: facts[name] for name in names}) if facts.keys() >= set(names) else None


def message(kind: str, at: datetime, data: object) -> bytes:
    """A message of a type as it is sent; `data` is a value of the type's model."""
    whole = MESSAGES[kind](str(kind), at.astimezone(UTC), data)
    # The driver's own UUIDs are none of orjson's.
    return orjson.dumps(whole, default=str, option=orjson.OPT_UTC_Z)


def subject_of(message: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """The registration number that a message names, and its place among what is told of the same
    appeal or incident; None for what it does not name.
    """
    data = message.get("data", {})
    return data.get("number"), data.get("sequence")
