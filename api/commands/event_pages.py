"""The pages of docs/events: what each event means, what its message says, and an example."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from api.event_schemas import MEANINGS, schema_of
from domain.webhooks.examples import example
from domain.webhooks.messages import CHECKPOINT_TYPE, TEST_TYPE, VERSIONS

Schema = Mapping[str, Any]

_HEARD = {
    "appeal": "Every organisation that the appeal was ever given to, and those above it.",
    "clock": "Every organisation that the appeal was ever given to, and those above it.",
    "incident": "Who opened the incident, its executor, those above them, and the contact centre.",
    "endpoint": "The organisation's other endpoints that name it, and its feed.",
    "delivery": "The organisation's other endpoints that name it, and its feed.",
}
_NAMED = "Who names it in the types of an endpoint; it is not in the feed."
_ALONE = {
    CHECKPOINT_TYPE: _NAMED,
    TEST_TYPE: "The endpoint for which it was asked (`POST /v1/webhook-endpoints/{id}/test`), also"
    " while it is disabled. No endpoint names it, and it is not in the feed.",
}


def pages() -> dict[str, str]:
    """File name → page, with an index."""
    made = {f"{kind}.md": _page(kind) for kind in MEANINGS}
    return {"README.md": _index()} | made


def _index() -> str:
    rows = [f"| [{kind}]({kind}.md) | {text['en']} |" for kind, text in MEANINGS.items()]
    return "\n".join(
        [
            "# Events",
            "",
            "Written by `ikomek openapi export-events` from `domain/webhooks/messages.py`; the same"
            " stands in `GET /v1/event-types`, in `webhooks` of the [contract]"
            "(../../openapi/openapi.yaml) and in [AsyncAPI](../../openapi/asyncapi.json).",
            "[How they are heard](../executors.md).",
            "",
            "| type | meaning |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


def _page(kind: str) -> str:
    text, schema = MEANINGS[kind], schema_of(kind)
    heard = _ALONE.get(kind) or _HEARD[kind.partition(".")[0]]
    return "\n".join(
        [
            f"# {kind}",
            "",
            f"* kk: {text['kk']}",
            f"* ru: {text['ru']}",
            f"* en: {text['en']}",
            "",
            f"Who hears it: {heard}",
            "",
            f"Version {VERSIONS[-1]} of the payload.",
            "",
            "| field | type | meaning |",
            "| --- | --- | --- |",
            *(f"| `{name}` | {type_} | {words} |" for name, type_, words in _fields(schema)),
            "",
            "## Example",
            "",
            *_block(orjson.loads(example(kind))),
            "",
            "## Schema",
            "",
            *_block(schema),
            "",
        ]
    )


def _block(value: Any) -> list[str]:
    return ["```json", orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), "```"]


def _fields(schema: Schema) -> Iterator[tuple[str, str, str]]:
    defined: Schema = schema.get("$defs", {})

    def walk(part: Schema, path: str) -> Iterator[tuple[str, str, str]]:
        for name, found in part["properties"].items():
            resolved, nullable = _resolved(found, defined)
            words = found.get("description", "")
            where = f"{path}{name}"
            yield where, _type(resolved, defined) + (" or null" if nullable else ""), words
            if "properties" in resolved:
                yield from walk(resolved, f"{where}.")

    yield from walk(schema, "")


def _resolved(found: Schema, defined: Schema) -> tuple[Schema, bool]:
    """What a property is, and whether it may be null."""
    options = [one for one in found.get("anyOf", ()) if one != {"type": "null"}]
    nullable = bool(options)
    one: Schema = options[0] if options else found
    if "$ref" in one:
        one = defined[one["$ref"].rpartition("/")[2]]
    return one, nullable


def _type(part: Schema, defined: Schema) -> str:
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return ", ".join(f"`{one}`" for one in part["enum"])
    if part.get("type") == "array":
        inner, _ = _resolved(part["items"], defined)
        return f"list of {_type(inner, defined)}"
    return str(part.get("format", part["type"]))
