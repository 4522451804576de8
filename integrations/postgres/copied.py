"""Rows by COPY in PostgreSQL's binary form, taken as arrays without a Python object in between.

That works because every column has one width and none is null: the query says what stands in
for an absent value. docs: postgresql.org, COPY, "Binary Format"; numbers are big-endian there,
instants microseconds since 2000-01-01T00:00Z, and infinity is the largest of them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = 19
_TRAILER = 2
_WIRE: Mapping[str, Any] = {
    "i4": ">i4", "i8": ">i8", "f8": ">f8", "?": "?", "V16": "V16",
    "instant": ">i8", "interval": [("micros", ">i8"), ("days", ">i4"), ("months", ">i4")],
}  # fmt: skip
_EPOCH = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_INFINITY = np.iinfo(np.int64).max
_DAY = 86_400 * 1_000_000

Kinds = Mapping[str, str]
"""The kind of each column by name, in the order of the query: a key of _WIRE."""


async def copied(driver: Any, query: str, *values: object, kinds: Kinds) -> NDArray[Any]:
    """The rows of a query as a structured array; instants in microseconds since 1970.

    `driver` is asyncpg's connection. Raises ValueError where a column is not of its kind.
    """
    received = bytearray()

    async def take(data: bytes) -> None:
        received.extend(data)

    await driver.copy_from_query(query, *values, output=take, format="binary")
    return decode(bytes(received), kinds)


def decode(data: bytes, kinds: Kinds) -> NDArray[Any]:
    """The rows of a COPY's bytes. Raises ValueError where a column is not of its kind."""
    wire = _row(kinds)
    body = memoryview(data)[_HEADER : len(data) - _TRAILER]
    if len(body) % wire.itemsize:
        raise ValueError("rows of different widths: a column is null or of another kind")
    rows = np.frombuffer(body, wire)
    if not (rows["columns"] == len(kinds)).all():
        raise ValueError("a row has another number of columns")
    for place, name in enumerate(kinds):
        if not (rows[f"width {place}"] == wire[name].itemsize).all():
            raise ValueError(f"the column {name} is null or of another kind")
    return _taken(rows, kinds)


def _row(kinds: Kinds) -> np.dtype[Any]:
    fields: list[tuple[str, Any]] = [("columns", ">i2")]
    for place, (name, kind) in enumerate(kinds.items()):
        fields += [(f"width {place}", ">i4"), (name, _WIRE[kind])]
    return np.dtype(fields)


def _taken(rows: NDArray[Any], kinds: Kinds) -> NDArray[Any]:
    native = {"instant": "i8", "interval": "i8"}
    found = np.empty(len(rows), [(name, native.get(kind, kind)) for name, kind in kinds.items()])
    for name, kind in kinds.items():
        column = rows[name]
        if kind == "instant":
            told = column.astype(np.int64)
            found[name] = np.where(told == _INFINITY, told, told + _EPOCH * (told != _INFINITY))
        elif kind == "interval":
            days = column["days"].astype(np.int64) + 30 * column["months"].astype(np.int64)
            found[name] = column["micros"] + days * _DAY
        else:
            found[name] = column
    return found
