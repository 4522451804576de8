"""The kinds of field that bodies and queries are made of, each with its limits in the contract."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

import phonenumbers
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from domain.identity.iin import IinMalformed, parse_iin

_KZ_E164 = re.compile(r"\+77\d{9}")
"""What most callers have: nothing to parse."""
# The years 20.. in whichever zone they are told.
EARLIEST, LATEST = datetime(1999, 12, 31, tzinfo=UTC), datetime(2100, 1, 2, tzinfo=UTC)
DEEPEST = 12
_EXACT = 2**53 - 1
_NUMBER = r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?"
_INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_CLEAN = r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]"
_VISIBLE = r"[^\u0000-\u0020\u007f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_SAID = f"^{_CLEAN}*{_VISIBLE}{_CLEAN}*$"
"""Something besides spaces, of any kind, and no control characters."""
_UUID = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_CONTROLS = {chr(code) for code in range(32)} - {"\t", "\n", "\r"} | {"\x7f"}


class Body(BaseModel):
    """A JSON body: strict types, and no field that the contract does not know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """Query parameters: text that is read as the type wanted, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def several(value: Any) -> Any:
    """A query parameter that may be repeated."""
    return value if isinstance(value, list | tuple) else [value]


def _flag(value: Any) -> Any:
    if value not in ("true", "false"):
        raise ValueError("type")
    return value == "true"


def digits(value: Any) -> Any:
    """Plain decimal digits; Python itself would take ' 1_0 ' as well."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise ValueError("type")
    return value


def _decimal(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(_NUMBER, value):
        raise ValueError("type")
    return value


def _rfc3339(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(_INSTANT, value):
        raise ValueError("format")
    return value.upper()


def _full_date(value: Any) -> Any:
    """The `full-date` of RFC 3339, of this century; Python itself would take 20260302 as well."""
    if not isinstance(value, str) or not re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("format")
    return value


def _canonical(value: Any) -> Any:
    """The one form of RFC 9562; Python itself would take braces and urn:uuid: as well."""
    if isinstance(value, str) and not re.fullmatch(_UUID, value):
        raise ValueError("format")
    return value


def whole(value: Any) -> Any:
    """JSON Schema's integers include 5.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if abs(value) > _EXACT:
        raise ValueError("out-of-range")
    return float(value)


def _said(value: str) -> str:
    stripped = value.strip()
    if not stripped:
        raise ValueError("too-short")
    return stripped


def _clean(value: str) -> str:
    if not _CONTROLS.isdisjoint(value) or any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("characters")
    return value


def _in_range(value: datetime) -> datetime:
    if not EARLIEST <= value <= LATEST:
        raise ValueError("out-of-range")
    return value.astimezone(UTC)


def _storable(value: Any, depth: int = 0) -> Any:
    """JSON that PostgreSQL can keep and every reader reads alike (RFC 7493): no NUL in texts,
    no bottomless nesting, no number beyond what a double holds exactly or at all."""
    if depth > DEEPEST:
        raise ValueError("too-long")
    if isinstance(value, int | float) and not -_EXACT <= value <= _EXACT:
        raise ValueError("out-of-range")
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("characters")
    if isinstance(value, dict):
        for name, item in value.items():
            _storable(name)
            _storable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _storable(item, depth + 1)
    return value


def _phone(value: str) -> str:
    """E.164; numbers without a country are Kazakhstan's (8 701 … is +7 701 …)."""
    if _KZ_E164.fullmatch(value):
        return value
    try:
        parsed = phonenumbers.parse(value, "KZ")
    except phonenumbers.NumberParseException:
        raise ValueError("phone") from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("phone")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _iin(value: str) -> str:
    try:
        return parse_iin(value).digits
    except IinMalformed:
        raise ValueError("iin") from None


def _text(longest: int) -> Any:
    return Annotated[
        str,
        StringConstraints(min_length=1, max_length=longest),
        AfterValidator(_clean),
        AfterValidator(_said),
        Field(json_schema_extra={"pattern": _SAID}),
    ]


# In a strict body a text that was judged already would no longer pass for JSON's own.
Instant = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_rfc3339),
    AfterValidator(_in_range),
    Field(json_schema_extra={"pattern": "^20[0-9]{2}-"}),
]
Day = Annotated[
    date,
    Field(strict=False),
    BeforeValidator(_full_date),
    Field(json_schema_extra={"pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"}),
]
Id = Annotated[UUID, BeforeValidator(_canonical)]
Flag = Annotated[bool, BeforeValidator(_flag)]
# Bounds stand before what reads the value, or the contract would not tell them.
Rating = Annotated[int, Field(ge=1, le=5), BeforeValidator(whole)]
Few = Annotated[int, Field(ge=1, le=10), BeforeValidator(whole)]
Version = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(whole)]
_Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
_Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[_Latitude, BeforeValidator(_number)]
Longitude = Annotated[_Longitude, BeforeValidator(_number)]
Metres = Annotated[
    Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)], BeforeValidator(_number)
]
SaidLatitude = Annotated[_Latitude, BeforeValidator(_decimal)]
SaidLongitude = Annotated[_Longitude, BeforeValidator(_decimal)]
Code = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9._:+-]+$")]
Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_clean),
    Field(json_schema_extra={"pattern": f"^{_CLEAN}+$"}),
]
Name = Word
Phone = Annotated[
    str,
    StringConstraints(min_length=3, max_length=32),
    AfterValidator(_clean),
    AfterValidator(_phone),
    Field(examples=["+7 700 123 45 67"]),
]
Iin = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$", max_length=12), AfterValidator(_iin)]
Email = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
    ),
]
Answers = Annotated[dict[str, Any], AfterValidator(_storable), Field(max_length=100)]
Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(digits)]
ShortLimit = Annotated[int, Field(ge=1, le=20), BeforeValidator(digits)]
Leaves = Annotated[int, Field(ge=1, le=_EXACT), BeforeValidator(digits)]
Place = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(digits)]
Cursor = Annotated[str, StringConstraints(max_length=300)]
ShortText = _text(500)
LongText = _text(10_000)


class PageQuery(Query):
    """Which part of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None
