"""From arguments of the graph to what the operations of the house are told.

Arguments become the query or the body that the REST API would have been sent, and are judged by
the same models, so that one limit holds at both doors. Faults come back by the names of the graph.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import orjson
import strawberry
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from strawberry.utils.str_converters import to_camel_case

from api.errors import Malformed
from api.rest.decode import decode_query
from domain.errors import Fault


def as_query(model: type[BaseModel], given: Mapping[str, Any], under: str = "") -> Any:
    """The query of these arguments; what is None is not said. Raises Malformed."""
    said = [
        (model.model_fields[name].alias or name, _worded(each))
        for name, value in given.items()
        if value is not None
        for each in (value if isinstance(value, list) else [value])
    ]
    try:
        return decode_query(model, QueryParams(said))
    except Malformed as refusal:
        faults = named(refusal.faults, model, under)
        raise Malformed(str(refusal.params["reason"]), faults) from None


def body_of(given: Any) -> bytes:
    """The body that an input says."""
    return orjson.dumps(plain(given), option=orjson.OPT_UTC_Z)


def plain(given: Any) -> Any:
    """An input as JSON; what was left out of it is left out."""
    if isinstance(given, Enum):
        return given.value
    if hasattr(given, "__strawberry_definition__"):
        values = {name: getattr(given, name) for name in given.__dataclass_fields__}
        return {
            name: plain(value) for name, value in values.items() if value is not strawberry.UNSET
        }
    if isinstance(given, list):
        return [plain(each) for each in given]
    return given


def named(faults: Iterable[Fault], model: type[BaseModel] | None, under: str = "") -> list[Fault]:
    """Faults by the names of the graph: /no_photo_reason is /noPhotoReason."""
    return [
        Fault(under + _camel(fault.pointer, model), fault.rule, fault.params) for fault in faults
    ]


def _camel(pointer: str, model: Any) -> str:
    """A pointer by the names of the graph, as far as it leads through the model's own fields:
    what residents are asked beyond them has names of its own.
    """
    steps = []
    for step in pointer.split("/")[1:]:
        fields = getattr(model, "model_fields", {})
        if step in fields:
            model = _inner(fields[step].annotation)
            step = to_camel_case(step)
        elif not step.isdigit():
            model = None
        steps.append(f"/{step}")
    return "".join(steps)


def _inner(hint: Any) -> Any:
    """The model within a hint, through optionals and lists."""
    while get_origin(hint) in (Annotated, Union, UnionType, list, tuple):
        inner = [each for each in get_args(hint) if each not in (NoneType, ...)]
        hint = inner[0]
    return hint


def _worded(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
