"""The messages as AsyncAPI 3.1, made from the same types as everything else that tells of them."""

from typing import Any

from pydantic import TypeAdapter

from api.event_schemas import MEANINGS, described
from domain.webhooks.messages import MESSAGES, model_name

Schema = dict[str, Any]

_REF = "#/components/schemas/{model}"
_TITLE = "iKomek 109: events"
_DESCRIPTION = (
    "What happens to appeals and incidents, told to the organisations whom it concerns: by signed"
    " webhooks (Standard Webhooks 1.0), or from the feed, `GET /v1/events`, under the same ids and"
    " in the same bytes. At least once; `webhook-id` tells repeats, `data.sequence` the order."
)
_HEADERS: Schema = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {"type": "string", "description": "The same in every attempt"},
        "webhook-timestamp": {"type": "string", "description": "Of this attempt, Unix seconds"},
        "webhook-signature": {"type": "string", "description": "One for each valid secret"},
    },
}


def document() -> Schema:
    """The whole document, of JSON's types alone."""
    schemas: Schema = {"Headers": _HEADERS}
    messages = {model_name(kind): _message(kind, schemas) for kind in MEANINGS}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": _TITLE,
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "webhook": {
                "address": None,
                "title": "An endpoint of an organisation",
                "description": "The address is what the organisation registers.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            f"send{name.removesuffix('Message')}": {
                "action": "send",
                "title": kind,
                "summary": MEANINGS[kind]["en"],
                "channel": {"$ref": "#/channels/webhook"},
                "messages": [{"$ref": f"#/channels/webhook/messages/{name}"}],
            }
            for kind in MEANINGS
            for name in [model_name(kind)]
        },
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _message(kind: str, schemas: Schema) -> Schema:
    name = model_name(kind)
    made = TypeAdapter(MESSAGES[kind]).json_schema(ref_template=_REF, mode="serialization")
    for inner, part in made.pop("$defs", {}).items():
        schemas[inner] = described(part)
    schemas[name] = described(made)
    return {
        "name": kind,
        "title": MEANINGS[kind]["en"],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }
