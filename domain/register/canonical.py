"""The canonical bytes of an event and their hash.

The form is JSON in the JSON Canonicalization Scheme (RFC 8785), restricted to what
needs no judgement: ASCII keys, no floats, integers below 2^53. Within these limits
orjson with sorted keys writes exactly the bytes of RFC 8785, which a test checks
against a second implementation. The hash is the leaf hash of RFC 9162 §2.1.1,
SHA-256(0x00 ‖ bytes), so that a link of an appeal's chain is also its leaf in the log.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

import orjson

FORMAT = 1
GENESIS = bytes(32)
"""`previous` of the first event of an appeal."""

_LIMIT = 2**53


class NotCanonical(ValueError):
    """The document holds something whose bytes would be open to judgement."""


def canonical_bytes(document: Mapping[str, object]) -> bytes:
    """RFC 8785 bytes of the document. Raises NotCanonical for floats, huge integers, odd keys."""
    _check(document, "")
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def leaf_hash(canonical: bytes) -> bytes:
    """RFC 9162 leaf hash, 32 bytes."""
    return sha256(b"\x00" + canonical).digest()


def commitment(value: str, salt: bytes) -> str:
    """What stands in the register for a personal text: hex SHA-256(salt ‖ UTF-8 of the text)."""
    return sha256(salt + value.encode()).hexdigest()


def instant(at: datetime) -> str:
    """An aware time as RFC 3339 in UTC with microseconds: 2026-11-22T04:05:06.000007Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _check(value: object, where: str) -> None:
    """Walk the containers; the leaves, which are most, are judged where they hang."""
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise NotCanonical(f"key that is not ASCII text at {where}: {key!r}")
            if type(item) not in _LEAVES:
                _check(item, f"{where}/{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            if type(item) not in _LEAVES:
                _check(item, f"{where}/{index}")
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= _LIMIT:
            raise NotCanonical(f"integer beyond 2^53 at {where}")
    elif not (value is None or isinstance(value, str | bool)):
        raise NotCanonical(f"{type(value).__name__} at {where}")


_LEAVES = frozenset({str, bool, type(None)})
