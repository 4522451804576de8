"""What makes a form fit for the catalogue: one function a rule, each yields its faults."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from domain.catalogue.localised import (
    ANNOTATIONS,
    DIALECT,
    LANGUAGES,
    compiled,
    escaped,
    localise,
    pointer_of,
)
from domain.catalogue.vocabulary import KEYWORDS, MAPS_OF_SCHEMAS, RAW
from domain.errors import Fault
from domain.values import Language

MAX_WEIGHT = 4_000
"""Schema nodes with every $ref written out: bounds the work that one set of answers can cause."""

DEMANDED = (Language.KK, Language.RU)


def depth(node: object) -> int:
    """How deep mappings and lists nest."""
    inner: list[object] = []
    if isinstance(node, Mapping):
        inner = list(node.values())
    elif isinstance(node, list):
        inner = node
    return 1 + max(map(depth, inner), default=0)


def _schemas(node: object, pointer: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every subschema with its pointer, the form itself first."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _schemas(item, f"{pointer}/{number}")
    if not isinstance(node, Mapping):
        return
    yield pointer, node
    for key, value in node.items():
        if key in MAPS_OF_SCHEMAS and isinstance(value, Mapping):
            for name, schema in value.items():
                yield from _schemas(schema, f"{pointer}/{key}/{escaped(name)}")
        elif key not in RAW and key not in ANNOTATIONS:
            yield from _schemas(value, f"{pointer}/{escaped(key)}")


def _top(form: Mapping[str, Any]) -> Iterator[Fault]:
    if form.get("type") != "object":
        yield Fault("/type", "type", {"expected": "object"})
    if form.get("$schema", DIALECT) != DIALECT:
        yield Fault("/$schema", "reference", {"expected": DIALECT})


def _unasked(form: Mapping[str, Any]) -> Iterator[Fault]:
    """Answers that are demanded but not asked for: such a form could never be sent."""
    asked, demanded = form.get("properties", {}), form.get("required", [])
    if "$ref" not in form and isinstance(asked, Mapping) and isinstance(demanded, list):
        for number, name in enumerate(demanded):
            if name not in asked:
                yield Fault(f"/required/{number}", "unasked", {"name": name})


def _words(form: Mapping[str, Any]) -> Iterator[Fault]:
    for pointer, schema in _schemas(form):
        for key in schema:
            # YAML reads a bare `on:` or `1:` as a key that is no string.
            if (word := str(key)) not in KEYWORDS and not word.startswith("x-"):
                yield Fault(f"{pointer}/{escaped(word)}", "unknown", {"keyword": word})


def _titles(form: Mapping[str, Any]) -> Iterator[Fault]:
    for pointer, schema in _schemas(form):
        for key in ANNOTATIONS:
            if key in schema:
                yield from _text(schema[key], f"{pointer}/{key}")
        # Each question and each choice is read by a person, so it needs a title.
        if "title" not in schema and (_is_question(pointer) or "const" in schema):
            yield Fault(f"{pointer}/title", "required", {})


def _is_question(pointer: str) -> bool:
    steps = pointer.split("/")
    # A property inside allOf/if/then only narrows one already asked, so it needs no second title.
    return len(steps) > 2 and steps[-2] == "properties" and not NARROWING & set(steps[:-2])


NARROWING = frozenset({"allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependentSchemas"})


def _text(value: object, pointer: str) -> Iterator[Fault]:
    texts = value if isinstance(value, Mapping) else {}
    for language in sorted(texts.keys() - LANGUAGES):
        yield Fault(f"{pointer}/{escaped(str(language))}", "unknown", {"language": language})
    for language in DEMANDED:
        if not isinstance(texts.get(language), str) or not texts[language].strip():
            yield Fault(f"{pointer}/{language}", "missing-language", {"language": language.value})


def _references(form: Mapping[str, Any]) -> Iterator[Fault]:
    found = False
    for pointer, schema in _schemas(form):
        for key in ("$id", "$dynamicRef", "$dynamicAnchor", "$anchor", "$vocabulary"):
            if key in schema:
                found = True
                yield Fault(f"{pointer}/{key}", "reference", {"keyword": key})
        if "$ref" in schema and _target(form, schema["$ref"]) is None:
            found = True
            yield Fault(f"{pointer}/$ref", "reference", {"to": schema["$ref"]})
    if not found:
        yield from _weighed(form)


def _target(form: Mapping[str, Any], ref: object) -> object:
    """What `#/$defs/<name>` points at, or None: no other reference is allowed."""
    head, _, name = ref.rpartition("/") if isinstance(ref, str) else ("", "", "")
    definitions = form.get("$defs")
    if head != "#/$defs" or not isinstance(definitions, Mapping):
        return None
    found: object = definitions.get(name)
    return found


def _weighed(form: Mapping[str, Any]) -> Iterator[Fault]:
    weights: dict[str, float] = {}

    def weight(node: object) -> float:
        if not isinstance(node, Mapping | list):
            return 0
        inner = node.values() if isinstance(node, Mapping) else node
        ref = node.get("$ref") if isinstance(node, Mapping) else None
        return 1 + sum(map(weight, inner)) + (referred(ref) if isinstance(ref, str) else 0)

    def referred(ref: str) -> float:
        if ref not in weights:
            weights[ref] = float("inf")  # met again while being weighed: a circle
            weights[ref] = weight(_target(form, ref))
        return weights[ref]

    if weight(form) > MAX_WEIGHT:
        yield Fault("", "reference", {"limit": MAX_WEIGHT, "reason": "circular-or-too-heavy"})


_METASCHEMA = jsonschema_rs.Draft202012Validator({"$ref": DIALECT})


def _schema(form: Mapping[str, Any]) -> Iterator[Fault]:
    # A text that is not a language map is reported by `_titles`; here it only must not disturb.
    for error in _METASCHEMA.iter_errors(localise(form, Language.RU)):
        steps = [str(step) for step in error.instance_path]
        if not (steps and steps[-1] in ANNOTATIONS):
            yield Fault(pointer_of(steps), "schema", {"keyword": error.kind.name})


RULES: tuple[Callable[[Mapping[str, Any]], Iterator[Fault]], ...] = (
    _top,
    _unasked,
    _words,
    _titles,
    _references,
    _schema,
)


def compiles(form: Mapping[str, object]) -> Iterator[Fault]:
    """The fault that only compiling shows: a regular expression that is none."""
    try:
        compiled(form)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        steps = [str(step) for step in getattr(error, "instance_path", ())]
        yield Fault(pointer_of(steps), "pattern", {"reason": str(error).splitlines()[0]})
