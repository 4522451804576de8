"""From bytes to typed values; every bad field is named in one answer."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, get_origin

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import QueryParams

from api.errors import Malformed
from domain.errors import Fault, Invalid

_RULES: Mapping[str, str] = {
    "missing": "required",
    "extra_forbidden": "unknown",
    "string_too_short": "too-short",
    "too_short": "too-short",
    "string_too_long": "too-long",
    "too_long": "too-long",
    "enum": "enum",
    "literal_error": "enum",
    "string_pattern_mismatch": "pattern",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
    "finite_number": "out-of-range",
    "timezone_aware": "naive-time",
    "string_unicode": "characters",
}
_EXACT_BELOW = 2.0**53
MOST_FAULTS = 200
"""Faults that one answer names; whoever makes more is not helped by them, and we are hurt."""
_BY_WORD = (("datetime", "format"), ("date", "format"), ("time", "format"), ("uuid", "format"))
_SHOWN = ("min_length", "max_length", "ge", "gt", "le", "lt", "expected", "pattern")


def decode_body(model: type[BaseModel], raw: bytes) -> Any:
    """The body as the model. Raises Malformed for what is no JSON, Invalid for its faults.

    A member that is named twice is refused: two readers could take it in two ways (RFC 7493 §2.3).
    """
    try:
        decoded = model.model_validate_json(raw)
        json.loads(raw, object_pairs_hook=_named_once)
        return decoded
    except ValidationError as error:
        if (count := error.error_count()) > MOST_FAULTS:
            raise Invalid.at("", "other", faults=count) from None
        details = error.errors(include_url=False, include_input=False)
        if any(detail["type"] == "json_invalid" for detail in details):
            raise Malformed(f"JSON: {details[0]['ctx']['error']}") from None
        raise Invalid([_fault(detail) for detail in details]) from None


def canonical(raw: bytes) -> bytes:
    """A JSON body in the one form of all that say the same: blanks, the order of members, escapes
    and the writing of a number (5, 5.0, 50e-1) make no other request. Empty for no body.
    """
    if not raw:
        return b""
    return orjson.dumps(_plain(json.loads(raw)), default=str, option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return (
        int(value)
        if isinstance(value, float) and abs(value) < _EXACT_BELOW and value.is_integer()
        else value
    )


def decode_query(model: type[BaseModel], query: QueryParams) -> Any:
    """The query as the model; a parameter that the contract lacks is named, not ignored."""
    values: dict[str, Any] = {}
    for name in query:
        declared = model.model_fields.get(name)
        many = declared is not None and get_origin(declared.annotation) is tuple
        values[name] = query.getlist(name) if many else query[name]
    repeated = [
        Fault("/" + escaped(name), "not-unique", {})
        for name, value in values.items()
        if not isinstance(value, list) and len(query.getlist(name)) > 1
    ]
    if repeated:
        raise Malformed("query", repeated)
    try:
        return model.model_validate(values) if values else _unasked(model)
    except ValidationError as error:
        faults = [_fault(detail) for detail in error.errors(include_url=False)]
        raise Malformed("query", faults) from None


@cache
def _unasked(model: type[BaseModel]) -> Any:
    """The query of a request that has none. An error is not remembered."""
    return model.model_validate({})


def _named_once(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Malformed("JSON", [Fault("/" + escaped(twice), "not-unique", {})])


def _fault(detail: ErrorDetails) -> Fault:
    pointer = "".join("/" + escaped(str(step)) for step in detail["loc"])
    context = detail.get("ctx", {})
    params = {name: context[name] for name in _SHOWN if name in context}
    return Fault(pointer, _rule(detail, context), params)


def _rule(detail: ErrorDetails, context: Mapping[str, Any]) -> str:
    if isinstance(error := context.get("error"), ValueError) and _is_word(str(error)):
        return str(error)
    kind = detail["type"]
    if kind in _RULES:
        return _RULES[kind]
    return next((rule for word, rule in _BY_WORD if kind.startswith(word)), "type")


def _is_word(text: str) -> bool:
    return re.fullmatch(r"[a-z]+(-[a-z]+)*", text) is not None


def escaped(step: str) -> str:
    """One step of a JSON Pointer (RFC 6901 §3)."""
    return step.replace("~", "~0").replace("/", "~1")
