"""The catalogue of events: what can be heard, what it says, and an example to try oneself with."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from api.clock import real
from api.event_schemas import MEANINGS, schema_of
from api.rest import fields as f
from api.rest.operation import Call, Operation, Reply
from api.rest.webhooks import Queued
from domain.access import Permission
from domain.errors import Invalid
from domain.ports import UnitOfWork
from domain.values import in_language
from domain.webhooks.catalogue import CATALOGUE
from domain.webhooks.events import NOTICES
from domain.webhooks.examples import example
from domain.webhooks.messages import VERSIONS


class EventTypeView(TypedDict):
    """A kind of event: what it means, the JSON Schema (2020-12) of its message, and an example.

    `named_only` ones are sent to none but those who name them; who may not be `named` by anybody is
    sent when it is asked for.
    """

    type: str
    description: str
    named_only: bool
    named: bool
    version: int
    payload_schema: dict[str, Any]
    example: dict[str, Any]


class EventTypeList(TypedDict):
    """Every kind of event."""

    items: list[EventTypeView]


class TriggerBody(f.Body):
    """Of which type the message is to be."""

    type: Annotated[f.Code, Field(json_schema_extra={"enum": sorted(MEANINGS)})]


def event_type(kind: str, language: str) -> EventTypeView:
    """A kind of event as it is told."""
    shown: dict[str, Any] = orjson.loads(example(kind))
    return {
        "type": kind,
        "description": in_language(MEANINGS[kind], language),
        "named_only": kind in NOTICES,
        "named": kind in CATALOGUE or kind in NOTICES,
        "version": VERSIONS[-1],
        "payload_schema": schema_of(kind),
        "example": shown,
    }


async def list_event_types(call: Call) -> Reply:
    """What can be asked for."""
    return Reply({"items": [event_type(kind, call.language) for kind in MEANINGS]})


async def trigger(call: Call, uow: UnitOfWork) -> Reply:
    """An example of a type on its way to an endpoint of one's own."""
    body: TriggerBody = call.body
    endpoint = await uow.endpoints.get(call.id("endpoint"))
    if body.type not in MEANINGS:
        raise Invalid.at("/type", "unknown", value=body.type)
    # As every message it travels by the machine's clock.
    sent = example(body.type, real())
    delivery: UUID = await uow.endpoints.send(endpoint, body.type, sent, at=call.at)
    return Reply({"delivery": delivery}, 202)


OPERATIONS = (
    Operation(
        "listEventTypes", "GET", "/v1/event-types", "Webhooks",
        "See what an endpoint can ask for, with schemas and examples",
        reads=list_event_types, answer=EventTypeList,
    ),
    Operation(
        "triggerEvent", "POST", "/v1/webhook-endpoints/{id}/trigger", "Webhooks",
        "Send an example of a type of event to an endpoint of your own",
        writes=trigger, permission=Permission.MANAGE_ENDPOINTS, body=TriggerBody, answer=Queued,
        status=202, refusals=(404, 409),
    ),
)  # fmt: skip
