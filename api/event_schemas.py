"""JSON Schemas (2020-12) of messages, made from the very types that messages are made of."""

from collections.abc import Mapping
from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, TypeAdapter

from domain.values import LocalizedText
from domain.webhooks.catalogue import CATALOGUE
from domain.webhooks.events import NOTICES, TEST
from domain.webhooks.messages import MESSAGES, TEST_TYPE, VERSIONS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

if TYPE_CHECKING:
    AnyMessage = Any
else:
    AnyMessage = Annotated[reduce(or_, MESSAGES.values()), Field(discriminator="type")]
"""A message of any type, as answers of the API carry it."""

WORDS: Mapping[str, str] = {
    "type": "The type of the event",
    "timestamp": "When it happened (RFC 3339, UTC)",
    "data": "What is told of it",
    "id": "Id of what it is about",
    "number": "Registration number of the appeal",
    "sequence": "Place of the event in the history of what it is about, from 1: puts in order what"
    " overtook each other on the way",
    "status": "Where it stands after the event; of a notice the HTTP status of the answer, or null",
    "service": "Code of the appeal's service",
    "services": "Codes of the services that the incident touches",
    "kind": "What kind of incident it is",
    "organisation_id": "Who has it after the event; null for nobody",
    "links": "Where to read on, with a token",
    "appeal": "The appeal in the API",
    "incident": "The incident",
    "details": "What the type says besides; null of an event older than these fields",
    "stage": "The promised stage",
    "stages": "The promised stages whose clocks wait",
    "evidence": "The pieces of evidence",
    "reason": "Why",
    "until": "Until when",
    "round": "Which round of the stage's clock",
    "due_at": "When the promise is due",
    "policy": "Code of the policy that promises it",
    "policy_version": "Version of that policy",
    "to": "Whom the escalation reaches",
    "level": "Which rung of the ladder, from 1",
    "calendar": "Code of the calendar that the clock counts by",
    "due_before": "When it was due before",
    "due_after": "When it is due now",
    "state_before": "The state of the clock before",
    "state_after": "The state of the clock now",
    "by": "The working time that was added (ISO 8601)",
    "endpoint": "The endpoint",
    "delivery": "The delivery whose attempt it was",
    "failures": "How many attempts in a row have failed",
    "failing_since": "Since when, or null",
    "error": "What went wrong on the way, or null",
    "disabled_reason": "Why it was disabled, or null",
    "origin": "Which log was signed",
    "size": "How many leaves the log has",
    "root": "The root of its tree, SHA-256 in hex",
    "checkpoint": "The signed note (C2SP tlog-checkpoint)",
}
"""What each field is, wherever it stands; a test asks for every one."""


MEANINGS: Mapping[str, LocalizedText] = {
    **{str(kind): text for kind, text in (*CATALOGUE.items(), *NOTICES.items())},
    TEST_TYPE: TEST,
}
"""Type of message → what it means, in the order in which they are told."""


@cache
def schema_of(kind: str) -> Schema:
    """The schema of a whole message, by itself. KeyError for a type that is none."""
    made = TypeAdapter(MESSAGES[kind]).json_schema(mode="serialization")
    return {
        "$schema": DIALECT,
        "$id": f"urn:ikomek109:event:{kind}:v{VERSIONS[-1]}",
        **described(made),
    }


def described(schema: Any) -> Any:
    """The same with the words of each field, and without the titles that nobody gave."""
    if isinstance(schema, list):
        return [described(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {
        name: described(part)
        for name, part in schema.items()
        if not (name == "title" and isinstance(part, str))
    }
    for name, part in told.get("properties", {}).items():
        if name in WORDS:
            part["description"] = WORDS[name]
    return told
