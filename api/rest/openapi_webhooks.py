"""The part of the contract that receivers keep: `webhooks` of OpenAPI 3.1, one for each type."""

from typing import Any

from api.event_schemas import MEANINGS
from domain.webhooks.messages import model_name

Schema = dict[str, Any]

HEADERS: dict[str, str] = {
    "webhook-id": "Id of the message: the same in every attempt and in the feed. Who has seen it"
    " drops the repeat",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970",
    "webhook-signature": "Signatures of `id.timestamp.body` by Standard Webhooks 1.0, one for each"
    " valid secret",
}


def webhooks() -> Schema:
    """Type of event → what is POSTed to endpoints that hear of it."""
    return {kind: {"post": _webhook(kind)} for kind in MEANINGS}


def _webhook(kind: str) -> Schema:
    reference = {"$ref": f"#/components/schemas/{model_name(kind)}"}
    return {
        "operationId": "on" + model_name(kind).removesuffix("Message"),
        "tags": ["Webhooks"],
        "summary": MEANINGS[kind]["en"],
        "description": "Signed; at least once, so that repeats carry the same `webhook-id`; in no"
        " certain order unless the endpoint is `ordered`, so that `data.sequence` tells it.",
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": words,
             "schema": {"type": "string"}}
            for name, words in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": reference}},
        },
        "responses": {
            "2XX": {"description": "Received; the body is not read but kept for you to see"},
            "410": {"description": "No more: the endpoint is disabled"},
            "default": {"description": "Not received: it is sent again, ten times over three days"},
        },
    }  # fmt: skip
