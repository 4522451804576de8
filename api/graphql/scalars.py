"""The scalars of the graph. Times and ids leave as they are: orjson writes them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError
from pydantic import TypeAdapter, ValidationError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition, ScalarWrapper

from api.rest import fields as f

__all__ = ["JSON", "OVERRIDES"]

_INSTANT: TypeAdapter[datetime] = TypeAdapter(f.Instant)
_ID: TypeAdapter[UUID] = TypeAdapter(f.Id)


def _as_it_is(value: Any) -> Any:
    return value


def _parsed(adapter: TypeAdapter[Any], name: str) -> Any:
    def parse(value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError:
            raise GraphQLError(f"{name}: not of the form that its description tells.") from None

    return parse


OVERRIDES: Mapping[object, type | ScalarWrapper | ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant, RFC 3339, in a year 20..; answers are in UTC.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=_as_it_is,
        parse_value=_parsed(_INSTANT, "DateTime"),
    ),
    date: strawberry.scalar(
        name="Date",
        description="A day of the city's calendar, ISO 8601: 2026-11-28.",
        serialize=_as_it_is,
        parse_value=_parsed(TypeAdapter(date), "Date"),
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID in the one form of RFC 9562, as the REST API and the register have it.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
        serialize=_as_it_is,
        parse_value=_parsed(_ID, "UUID"),
    ),
}
