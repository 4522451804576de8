"""What the fields of derived types mean, in words: by type and field, else by the field alone."""

from collections.abc import Mapping

from api.rest.descriptions import QUERY

_OF_TYPE: Mapping[str, str] = {}

_WORDS: Mapping[str, str] = {}


def describe(type_name: str, field: str) -> str:
    """The description of a field."""
    exact = _OF_TYPE.get(f"{type_name}.{field}")
    return exact or _WORDS.get(field) or QUERY.get(field) or field.replace("_", " ")
