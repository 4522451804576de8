"""Times inside JSON that PostgreSQL made."""

from datetime import UTC, datetime


def parse_instant(text: str) -> datetime:
    """An aware UTC time of an RFC 3339 text."""
    return datetime.fromisoformat(text).astimezone(UTC)
