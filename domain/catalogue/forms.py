"""The extra questions of a service: a JSON Schema 2020-12 whose titles speak three languages.

In a form, `title` and `description` may be language maps ({kk, ru, en}); `localise`
turns it into a plain schema in one language. Answers are validated strictly: what the
form does not ask for is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import orjson

from domain.catalogue.form_rules import RULES, compiles, depth
from domain.catalogue.localised import compiled, pointer_of
from domain.catalogue.localised import localise as localise
from domain.catalogue.model import Service
from domain.errors import Fault

MAX_BYTES = 32_768
MAX_DEPTH = 16
MAX_KEPT = 8_192
NO_FORM: Mapping[str, object] = {"type": "object", "properties": {}}


def check_form(form: object) -> list[Fault]:
    """Every fault of the form; empty when it may enter the catalogue. Pointers are into the form.

    Rules: type, too-large, too-deep, reference (leaves the form, or turns in circles),
    unknown (keyword), required (title), missing-language, unasked (required, but no
    question), schema (breaks JSON Schema 2020-12), pattern (does not compile).
    """
    if not isinstance(form, Mapping):
        return [Fault("", "type", {"expected": "object"})]
    try:
        size = len(orjson.dumps(form, option=orjson.OPT_PASSTHROUGH_DATETIME))
    except (TypeError, RecursionError, orjson.JSONEncodeError) as error:
        return [Fault("", "type", {"expected": "json", "reason": str(error)})]
    if size > MAX_BYTES:
        return [Fault("", "too-large", {"limit": MAX_BYTES, "size": size})]
    if depth(form) > MAX_DEPTH:
        return [Fault("", "too-deep", {"limit": MAX_DEPTH})]
    faults = [fault for rule in RULES for fault in rule(form)]
    return faults or list(compiles(form))


class Forms:
    """The forms of the catalogue, compiled once per service version and kept."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[Mapping[str, object], _Validator]] = {}

    def faults(self, service: Service, answers: Mapping[str, object]) -> tuple[Fault, ...]:
        """Every fault of a resident's answers, pointed at under /answers; empty when sound.

        Rules: required, unknown, type, enum, too-short, too-long, out-of-range, pattern,
        format, other. A service without a form takes no answers.
        """
        errors = self._validator(service).iter_errors(dict(answers))
        found = {(f.pointer, f.rule): f for error in errors for f in _faults(error)}
        return tuple(found.values())

    def _validator(self, service: Service) -> "_Validator":
        form = service.form or NO_FORM
        key = (service.code, service.version)
        kept = self._kept.get(key)
        # Two cities may hold different services of the same code and version.
        if kept and (kept[0] is form or kept[0] == form):
            return kept[1]
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        validator = compiled(form)
        self._kept[key] = (form, validator)
        return validator


_Validator = jsonschema_rs.Draft202012Validator

RULE_OF_KEYWORD: Mapping[str, str] = {
    "type": "type",
    "enum": "enum",
    "const": "enum",
    "minLength": "too-short",
    "minItems": "too-short",
    "minProperties": "too-short",
    "maxLength": "too-long",
    "maxItems": "too-long",
    "maxProperties": "too-long",
    "minimum": "out-of-range",
    "exclusiveMinimum": "out-of-range",
    "maximum": "out-of-range",
    "exclusiveMaximum": "out-of-range",
    "pattern": "pattern",
    "format": "format",
}


def _faults(error: jsonschema_rs.ValidationError) -> Iterator[Fault]:
    steps = ["answers", *map(str, error.instance_path)]
    keyword, value = error.kind.name, error.kind.value
    if keyword == "required":
        yield Fault(pointer_of([*steps, str(value)]), "required", {})
    elif keyword in ("additionalProperties", "unevaluatedProperties"):
        for name in value:
            yield Fault(pointer_of([*steps, str(name)]), "unknown", {})
    elif (options := _options(error)) is not None:
        yield Fault(pointer_of(steps), "enum", {"options": options})
    else:
        rule = RULE_OF_KEYWORD.get(keyword, "other")
        yield Fault(pointer_of(steps), rule, _params(keyword, value))


def _params(keyword: str, value: Any) -> dict[str, object]:
    # What oneOf and its kin carry are errors of the library, not facts for a reader.
    plain = isinstance(value, str | int | float)
    return {"keyword": keyword, "expected": value} if plain else {"keyword": keyword}


def _options(error: jsonschema_rs.ValidationError) -> list[object] | None:
    """The values to choose from when a choice was broken: enum, or oneOf/anyOf of const."""
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Enum):
        return list(kind.options)
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Constant):
        return [kind.expected_value]
    if not isinstance(
        kind,
        jsonschema_rs.ValidationErrorKind.OneOfNotValid | jsonschema_rs.ValidationErrorKind.AnyOf,
    ):
        return None
    inner = [_options(branch[0]) if len(branch) == 1 else None for branch in kind.context]
    return None if None in inner else [value for options in inner for value in options or ()]
