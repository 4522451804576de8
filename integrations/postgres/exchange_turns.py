"""Whose turn it is in a case: its version is that of the last message of the state of which nothing
more is to be done, applied or not. What lies in quarantine, or was dropped, stops nothing; it may
have come before the case, or before those that precede it.

Who moves a case on holds its number, as who applies to it does: first the message's row is locked,
then the number, then appeal and case.
"""

from typing import Any, Protocol
from uuid import UUID

from domain.eotinish.model import Notice

HOLD = "SELECT pg_advisory_xact_lock(hashtextextended($1::text || '/' || $2, 109))"

_NUMBER = "SELECT number FROM eotinish_inbox WHERE id = $1 AND city_id = $2 FOR UPDATE"

ADVANCED = """
WITH RECURSIVE passed (version) AS (
    SELECT greatest(c.version, {0}) FROM eotinish_case c WHERE {1}
    UNION ALL
    SELECT p.version + 1 FROM passed p
     WHERE EXISTS (SELECT FROM eotinish_inbox i
                    WHERE i.city_id = {2} AND i.number = $2::text AND i.version = p.version + 1
                      AND i.state IN ('quarantined', 'dropped'))
)
"""
"""The version that a case has reached: from a version on, over what stops nothing."""

_ADVANCE = f"""
{ADVANCED.format("0", "c.city_id = $1 AND c.number = $2::text", "$1")}
UPDATE eotinish_case c SET version = (SELECT max(p.version) FROM passed p)
 WHERE c.city_id = $1 AND c.number = $2::text
   AND c.version < (SELECT max(p.version) FROM passed p)
"""

_PLACE = """
UPDATE eotinish_inbox i SET version = c.version + 1 FROM eotinish_case c
 WHERE i.id = $1 AND i.version IS NULL AND c.city_id = $2 AND c.number = i.number
   AND EXISTS (SELECT FROM eotinish_inbox o WHERE o.city_id = $2 AND o.number = i.number
                  AND o.state = 'pending' AND o.version > c.version + 1)
   AND NOT EXISTS (SELECT FROM eotinish_inbox o WHERE o.city_id = $2 AND o.number = i.number
                      AND o.version = c.version + 1)
"""
"""A message whose version nobody can read takes the place for which those after it wait."""


_LAST_MOVE = f"""
coalesce((SELECT f.notice = '{Notice.FORWARDED}' FROM eotinish_message f
           WHERE f.appeal_id = {{appeal}} AND {{until}}
             AND f.notice IN ('{Notice.FORWARDED}', '{Notice.REOPENED}')
           ORDER BY f.sequence DESC LIMIT 1), false)
"""


def forwarded(appeal: str, until: str | None = None) -> str:
    """Whether an appeal was last sent on to a body outside the city and did not come back, as an
    expression: `appeal` and `until`, the place among its events up to which it is asked, are
    columns of the statement around it.
    """
    return _LAST_MOVE.format(
        appeal=appeal, until="true" if until is None else f"f.sequence <= {until}"
    ).strip()


class Lane(Protocol):
    """A transaction."""

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """All rows of a statement."""


async def hold(lane: Lane, city: UUID, message: UUID) -> str | None:
    """The national number of a message, where one could be read; then message and number are held
    until the transaction ends.
    """
    found = await lane.fetch(_NUMBER, message, city)
    number: str | None = found[0]["number"] if found else None
    if number is not None:
        await lane.fetch(HOLD, str(city), number)
    return number


async def advance(lane: Lane, city: UUID, number: str) -> None:
    """Move a case on over what stops nothing. Its number is held."""
    await lane.fetch(_ADVANCE, city, number)


async def give_up(lane: Lane, city: UUID, message: UUID, number: str) -> None:
    """A message was dropped: those after it take their turn. Its number is held."""
    await lane.fetch(_PLACE, message, city)
    await advance(lane, city, number)
