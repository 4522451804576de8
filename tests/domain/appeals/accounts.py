"""The rows of a life in memory as the database would hold them, for who counts them again."""

from collections.abc import Iterable
from typing import Any

import orjson

from domain.appeals.account import Account
from domain.appeals.accounting import Kept, faults
from domain.appeals.model import Change
from domain.appeals.verdicts import Verdict, verdict_of
from integrations.postgres import rows
from integrations.vault.keyring import parse_keyring
from tests.conftest import TEST_KEYS
from tests.domain.appeals.make import Life

RING = parse_keyring(TEST_KEYS)
_DOCUMENTS = ("legal", "route", "pause", "waivers", "extension", "confirmation", "answers")


def account_of(life: Life) -> Account:
    """What the events of a life tell."""
    account = Account()
    for event in life.shelf.events:
        account.tell(orjson.loads(event.canonical))
    return account.done()


def kept_of(life: Life) -> Kept:
    """What the platform would have stored of it."""
    changes = life.shelf.changes
    row = rows.appeal_row(life.appeal, RING)
    return Kept(
        appeal=row | {name: orjson.loads(rows.dumps(row[name])) for name in _DOCUMENTS},
        clocks=[rows.clock_row(clock, changes[-1]) for clock in life.appeal.clocks],
        assignments=_latest(rows.assignment_row(a, c) for c in changes for a in c.assignments),
        completions=_completions(changes),
        holders=list({a.organisation for c in changes for a in c.assignments}),
        personal=[r for e in life.shelf.events for r in rows.personal_rows(e, RING)],
    )


def told_of(life: Life, kept: Kept | None = None) -> list[str]:
    """In what the rows are not what the events tell."""
    return list(faults(kept or kept_of(life), account_of(life), RING))


def _latest(written: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    return list({row["id"]: row for row in written}.values())


def _completions(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """As `_COMPLETIONS` of statements.py writes them."""
    found: list[dict[str, Any]] = []
    for change in changes:
        if (verdict := verdict_of(change)) is not None:
            for row in found:
                if row["verdict"] in (None, Verdict.CONFIRMED):
                    row |= {"verdict": verdict, "judged_at": change.appeal.updated_at}
        for row in rows.completion_rows(change):
            number = len(found) + 1
            found.append({**row, "number": number, "verdict": None, "judged_at": None})
    return found
