"""Lists of appeals, clocks and assignments: a page costs what it shows, not what is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import CITY_WIDE, Principal, Role
from domain.appeals.model import Appeal, AssignmentState
from domain.incidents.model import Incident
from domain.ports import Keyring
from domain.questions import AppealFilter, Page
from domain.sla.clock import ClockState
from domain.sla.policy import Stage
from integrations.postgres import rows
from integrations.postgres.cards import words
from integrations.postgres.doors import door_of
from integrations.postgres.incident_rows import read_incident
from integrations.postgres.scope import Parameters, lies_in, visible
from integrations.postgres.searching import Search, setting
from integrations.postgres.session import inside
from integrations.postgres.statements import LOADED

_OPEN = "('offered', 'accepted')"
_LIVE = "('announced', 'active')"
_UNDER = (
    f"s.state IN {_OPEN} AND EXISTS (SELECT 1 FROM appeal a JOIN incident i ON i.id = a.incident_id"
    f" WHERE a.id = s.appeal_id AND i.executor_id = s.organisation_id AND i.status IN {_LIVE})"
)
"""The assignment asks nothing by itself: one act on the incident moves it with the others."""


class Lists:
    """What the lists of the API are made of."""

    def __init__(self, engine: AsyncEngine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring

    async def appeals(
        self, principal: Principal, wanted: AppealFilter, after: Page | None, limit: int
    ) -> list[Appeal]:
        """Appeals, the newest registration first.

        Words are looked for anywhere in text, address and number, whatever stands between them;
        fewer than three letters only where a word begins. A whole number is that appeal's alone.
        """
        if wanted.text is not None and not words(wanted.text).strip():
            return []
        way = setting(principal, wanted)
        async with inside(self._engine, door_of(principal), setting=way) as driver:
            found = await Search(driver, principal, wanted, after, limit).rows()
        return [rows.read_appeal(row, self._keyring) for row in found]

    async def assignments(
        self,
        principal: Principal,
        states: Sequence[str],
        after: Page | None,
        limit: int,
        *,
        joined: bool | None = None,
    ) -> list[tuple[Any, Appeal]]:
        """Assignments to the principal's organisations with their appeals, newest first.

        All whose appeals are joined to incidents or all others; else those that call for an act
        of their own, `under_incidents` tells the rest.
        """
        parameters = Parameters(
            principal.city, list(principal.organisations), list(states or AssignmentState), limit
        )
        beyond = ""
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            beyond = f"AND (s.offered_at, s.id) < {place}"
        if joined is None:
            beyond += f" AND NOT ({_UNDER})"
        else:
            beyond += (
                " AND EXISTS (SELECT 1 FROM appeal a WHERE a.id = s.appeal_id"
                f" AND (a.incident_id IS NOT NULL) = {parameters.add(joined)})"
            )
        found = await self._fetch(
            f"""
            SELECT {LOADED}, to_jsonb(s) AS given FROM (
                SELECT s.* FROM unnest($2::uuid[]) o (id), unnest($3::text[]) t (state),
                       LATERAL (SELECT * FROM assignment s WHERE s.organisation_id = o.id
                                   AND s.state = t.state AND s.city_id = $1 {beyond}
                                 ORDER BY s.offered_at DESC, s.id DESC LIMIT $4) s
                 ORDER BY s.offered_at DESC, s.id DESC LIMIT $4) s
              JOIN appeal a ON a.id = s.appeal_id
             ORDER BY s.offered_at DESC, s.id DESC
            """,
            principal,
            parameters,
        )
        return [
            (rows.read_assignment(row["given"]), rows.read_appeal(row, self._keyring))
            for row in found
        ]

    async def under_incidents(
        self, principal: Principal, states: Sequence[str]
    ) -> list[tuple[Incident, int]]:
        """Incidents that call for one act of the principal's organisations, with the number of
        the assignments that follow it, the newest incident first.
        """
        parameters = Parameters(
            principal.city, list(principal.organisations), list(states or AssignmentState)
        )
        found = await self._fetch(
            f"""
            SELECT i.*, n.assignments FROM incident i CROSS JOIN LATERAL (
                SELECT count(*) AS assignments FROM appeal a
                  JOIN assignment s ON s.appeal_id = a.id AND s.organisation_id = i.executor_id
                 WHERE a.incident_id = i.id AND s.state = ANY($3) AND s.state IN {_OPEN}) n
             WHERE i.city_id = $1 AND i.executor_id = ANY($2) AND i.status IN {_LIVE}
               AND n.assignments > 0
             ORDER BY i.opened_at DESC, i.id DESC
            """,
            principal,
            parameters,
        )
        return [(read_incident(row), row["assignments"]) for row in found]

    async def clocks(
        self,
        principal: Principal,
        *,
        states: Sequence[str],
        stage: str | None,
        due_before: datetime | None,
        after: Page | None,
        limit: int,
    ) -> list[tuple[Any, str, UUID]]:
        """Clocks by due time: (clock, appeal number, appeal id). Who sees the city sees those of
        its appeals, an organisation those of the appeals that stand with it or with its children,
        a resident their own.
        """
        parameters = Parameters(
            principal.city, list(states or ClockState), [stage] if stage else list(Stage), limit
        )
        among, theirs = _among(principal, parameters)
        asked = [theirs]
        if due_before is not None:
            asked.append(f"k.due_at < {parameters.add(due_before)}")
        if after is not None:
            names = [parameters.add(one) for one in (after.at, after.id, *_mark(after.mark))]
            asked.append(f"(k.due_at, k.appeal_id, k.stage, k.round) > ({', '.join(names)})")
        found = await self._fetch(
            f"""
            SELECT a.number, a.id, to_jsonb(k) || jsonb_build_object(
                   'target', extract(epoch FROM k.target),
                   'paused_for', extract(epoch FROM k.paused_for)) AS clock
              FROM (SELECT k.* FROM unnest($2::text[]) t (state), unnest($3::text[]) s (stage),
                           {among} LATERAL (SELECT * FROM clock k WHERE k.city_id = $1
                                       AND k.state = t.state AND k.stage = s.stage
                                       AND {" AND ".join(asked)}
                                     ORDER BY k.due_at, k.appeal_id, k.round LIMIT $4) k
                     ORDER BY k.due_at, k.appeal_id, k.stage, k.round LIMIT $4) k
              JOIN appeal a ON a.id = k.appeal_id
             ORDER BY k.due_at, k.appeal_id, k.stage, k.round
            """,
            principal,
            parameters,
            # Expecting few, the planner would gather all of a state, wall by wall, and sort them.
            setting="SET LOCAL enable_bitmapscan = off",
        )
        return [(rows.read_clock(row["clock"]), row["number"], row["id"]) for row in found]

    async def _fetch(
        self, statement: str, principal: Principal, parameters: Parameters, *, setting: str = ""
    ) -> list[Any]:
        async with inside(self._engine, door_of(principal), setting=setting) as driver:
            return list(await driver.fetch(statement, *parameters.values))


def _mark(said: str) -> tuple[str, int]:
    """Stage and round: an appeal may have several clocks that are due at one time."""
    stage, _, round_ = said.partition("/")
    return stage, int(round_ or 0)


def _among(principal: Principal, parameters: Parameters) -> tuple[str, str]:
    """Whose clocks are asked one after the other, and the condition on a clock `k` of theirs."""
    if principal.role is Role.CITIZEN:
        own = f"SELECT a.id FROM appeal a WHERE {visible(principal, parameters)}"
        return "", f"k.appeal_id IN ({own})"
    if principal.role not in CITY_WIDE:
        own = parameters.add(list(principal.organisations))
        return f"unnest({own}::uuid[]) o (id),", "k.organisation_id = o.id"
    if (districts := principal.confined) is not None:
        # No index begins with a district: one walk for all of them.
        return "", lies_in(districts, parameters, "k.district")
    return "", "true"
