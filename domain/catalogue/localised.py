"""A form in one language, and as a compiled validator."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from domain.catalogue.vocabulary import MAPS_OF_SCHEMAS, RAW
from domain.values import Language, in_language

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LANGUAGES = frozenset(Language)
ANNOTATIONS = ("title", "description")


def localise(form: Mapping[str, object], language: str) -> dict[str, Any]:
    """The form as a strict JSON Schema in one language (falls back as `in_language` does)."""
    schema: dict[str, Any] = _localised(form, language)
    schema.setdefault("$schema", DIALECT)
    if not schema.keys() & {"additionalProperties", "unevaluatedProperties"}:
        schema["unevaluatedProperties"] = False
    return schema


def is_language_map(value: object) -> bool:
    """Whether the value is a text in some of kk, ru, en."""
    return isinstance(value, Mapping) and bool(value) and value.keys() <= LANGUAGES


def _localised(node: Any, language: str) -> Any:
    if isinstance(node, Mapping):
        return {key: _member(key, value, language) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_localised(item, language) for item in node]
    return node


def _member(key: str, value: Any, language: str) -> Any:
    if key in RAW:
        return value
    if key in ANNOTATIONS and is_language_map(value):
        return in_language(value, language)
    # Under `properties` the keys are the names of answers: one may well be called `title`.
    if key in MAPS_OF_SCHEMAS and isinstance(value, Mapping):
        return {name: _localised(schema, language) for name, schema in value.items()}
    return _localised(value, language)


def compiled(form: Mapping[str, object]) -> jsonschema_rs.Draft202012Validator:
    """The form as a validator: formats are asserted, patterns run in linear time, no network."""
    return jsonschema_rs.Draft202012Validator(
        localise(form, Language.RU),
        validate_formats=True,
        # Without look-around the engine cannot be made to backtrack by a hostile answer.
        pattern_options=jsonschema_rs.RegexOptions(),
        offline=True,
    )


def escaped(step: str) -> str:
    """One step of a JSON Pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def pointer_of(steps: list[str]) -> str:
    """The JSON Pointer of the steps; '' for none."""
    return "".join("/" + escaped(step) for step in steps)
