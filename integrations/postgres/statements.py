"""The statements of the hot path, built once from the tables' own columns.

Each takes a JSON list of documents and writes whole changes in one round trip: an appeal,
its clocks, assignments, events, sealed texts and outbox rows stand or fall together.
"""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import Table

from domain.appeals.verdicts import Verdict
from integrations.postgres import tables as t

_DEFAULTED = {"xid"}


def _columns(table: Table, without: frozenset[str] = frozenset()) -> list[str]:
    return [c.name for c in table.columns if c.name not in _DEFAULTED | without]


def _listed(names: list[str], prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in names)


def _insert_many(table: Table, key: str) -> str:
    """Insert the rows of `doc[key]` of every document that passed."""
    columns = _columns(table, frozenset({"id"}) if table is t.outbox else frozenset())
    return (
        f"{key} AS (INSERT INTO {table.name} ({_listed(columns)})"
        f" SELECT {_listed(columns, 'r.')} FROM passed,"
        f" jsonb_populate_recordset(NULL::{table.name}, j->'{key}') r)"
    )


def _upsert_many(table: Table, key: str) -> str:
    """As _insert_many; a row that stands already takes the new values."""
    identity = [c.name for c in table.primary_key.columns]
    fixed = frozenset({*identity, "city_id", "appeal_id"})
    changing = _columns(table, fixed)
    taken = ", ".join(f'"{name}" = excluded."{name}"' for name in changing)
    inserted = _insert_many(table, key).removesuffix(")")
    return f"{inserted} ON CONFLICT ({_listed(identity)}) DO UPDATE SET {taken})"


_APPEAL = "(j#>>'{appeal,id}')::uuid"

_TOLD = (_insert_many(t.event, "event"), _insert_many(t.outbox, "outbox"))

_CONSEQUENCES = {
    "event_personal": _insert_many(t.event_personal, "event_personal"),
    "idempotency": _insert_many(t.idempotency, "idempotency"),
    # Behind a wall an index is used for what is plainly equal alone: hence no cast beside it.
    "attachments": "attached AS (UPDATE attachment x SET appeal_id = v.appeal_id,"
    " purpose = v.purpose FROM (SELECT passed.appeal_id, j->>'purpose' AS purpose, e::uuid AS id"
    " FROM passed, jsonb_array_elements_text(j->'attachments') e OFFSET 0) v WHERE x.id = v.id)",
}


_MANY = (
    "SELECT d.j, d.place::int AS place"
    " FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY d (j, place)"
)
# The planner takes a list for a hundred documents, and reads a small table whole for them. Of this
# it knows that it is one.
_ONE = "SELECT $1::jsonb->0 AS j, 1 AS place"


def _statement(*parts: str, of: str = _MANY) -> str:
    return (
        f"WITH doc AS MATERIALIZED ({of}), "
        + ", ".join(parts)
        + " SELECT coalesce(array_agg(place), '{}') FROM passed"
    )


REGISTER = _statement(
    "passed AS (DELETE FROM number_pool n USING doc"
    " WHERE n.city_id = (j#>>'{claim,city_id}')::uuid AND n.year = (j#>>'{claim,year}')::int"
    " AND n.number = (j#>>'{claim,number}')::int"
    " AND n.reserved_by = (j#>>'{claim,reserved_by}')::uuid RETURNING doc.place, doc.j,"
    f" {_APPEAL} AS appeal_id)",
    f"written AS (INSERT INTO appeal ({_listed(_columns(t.appeal))})"
    f" SELECT {_listed(_columns(t.appeal), 'r.')} FROM passed,"
    " jsonb_populate_record(NULL::appeal, j->'appeal') r)",
    _insert_many(t.clock, "clock"),
    _insert_many(t.assignment, "assignment"),
    _insert_many(t.card, "card"),
    *_TOLD,
    *_CONSEQUENCES.values(),
)
"""New appeals. Answers with the places, from 1, of those documents whose number was still
reserved; of the others nothing is written.
"""

_FIXED = frozenset({"id", "city_id", "number", "registered_at", "operator_id", "applicant",
                    "phone_index", "contact", "channel"})  # fmt: skip
_CHANGING = _columns(t.appeal, _FIXED)

_COMPLETIONS = {
    "completion": "completed AS (INSERT INTO completion (city_id, appeal_id, number,"
    " organisation_id, service, district, done_at) SELECT r.city_id, r.appeal_id,"
    " 1 + (SELECT count(*) FROM completion c WHERE c.appeal_id = r.appeal_id),"
    " r.organisation_id, r.service, r.district, r.done_at"
    " FROM passed, jsonb_populate_recordset(NULL::completion, j->'completion') r)",
    # The latest 'done' alone can stand without a verdict, or with a yes that became a no.
    "verdict": "judged AS (UPDATE completion c SET verdict = j->>'verdict',"
    " judged_at = (j->>'judged_at')::timestamptz FROM passed"
    " WHERE j->>'verdict' IS NOT NULL AND c.appeal_id = passed.appeal_id"
    f" AND (c.verdict IS NULL OR c.verdict = '{Verdict.CONFIRMED}'))",
}

# A card is written anew only where it says something else: the words' index is dear.
_CARD = (
    "card AS (UPDATE card c SET facets = r.facets, words = r.words"
    " FROM passed, jsonb_populate_record(NULL::card, j->'card'->0) r"
    " WHERE c.appeal_id = r.appeal_id AND NOT (c.facets = r.facets AND c.words = r.words))"
)

_PASSED = (
    f"passed AS (UPDATE appeal a SET ({_listed(_CHANGING)}) = ROW({_listed(_CHANGING, 'r.')})"
    " FROM doc, jsonb_populate_record(NULL::appeal, j->'appeal') r"
    " WHERE a.id = r.id AND a.version = (j->>'expected')::int RETURNING doc.place, doc.j,"
    " a.id AS appeal_id)"
)

CARRIED: Mapping[str, str] = {
    "clock": _upsert_many(t.clock, "clock"),
    "assignment": _upsert_many(t.assignment, "assignment"),
    **_COMPLETIONS,
    **_CONSEQUENCES,
}
"""What the document of an act may carry besides the appeal, and how it is written. What none
carries is left out: to begin and end a write of nothing costs nearly what the write does.
"""


@cache
def saving(carried: frozenset[str], *, alone: bool) -> str:
    """The statement that writes acts, each of another appeal, which carry some of CARRIED; or of
    one act `alone`, as nearly all are.

    Answers with the places, from 1, of those whose version was the expected one; of the others
    nothing is written.
    """
    parts = (write for key, write in CARRIED.items() if key in carried)
    return _statement(_PASSED, _CARD, *_TOLD, *parts, of=_ONE if alone else _MANY)


WIDEN = """
UPDATE card c SET organisations = c.organisations || n.more
  FROM jsonb_to_recordset($1::jsonb) AS r (appeal_id uuid, organisations uuid[]),
       LATERAL (SELECT array_agg(o) AS more FROM unnest(r.organisations) o, card k
                 WHERE k.appeal_id = r.appeal_id AND o <> ALL(k.organisations)) n
 WHERE c.appeal_id = r.appeal_id AND n.more IS NOT NULL AND c.appeal_id = ANY($2::uuid[])
"""
"""Who holds the appeals from now on: after `saving`, in the same transaction. Two statements, since
a holding (finding_tables.py) is counted by what the other of state and holders is at its time.
Cards are named by an array: of documents the planner guesses a hundred, and reads all cards.
"""

LOADED = """
    a.*,
    (SELECT coalesce(json_agg(to_jsonb(k) || jsonb_build_object(
            'target', extract(epoch FROM k.target),
            'paused_for', extract(epoch FROM k.paused_for)) ORDER BY k.started_at, k.round), '[]')
       FROM clock k WHERE k.appeal_id = a.id) AS clocks,
    (SELECT to_jsonb(s) FROM assignment s WHERE s.id = a.assignment_id) AS assignment
"""
"""The columns that rows.read_appeal wants."""

LOCKED = f"""
    {LOADED}, (SELECT v.version FROM appeal v WHERE v.id = a.id) AS seen
"""
"""LOADED for a row under FOR UPDATE. Whoever waited for the lock gets the row as it is now, but
its clocks and assignment as they were when the statement began: then `seen` is not `version`.
"""

DUE = f"""
WITH near AS (
    (SELECT appeal_id FROM clock
      WHERE next_at <= $1 AND city_id = $3 AND appeal_id <> ALL($4::uuid[])
      ORDER BY next_at LIMIT 6 * $2)
    UNION
    (SELECT id FROM appeal
      WHERE pause_until <= $1 AND city_id = $3 AND id <> ALL($4::uuid[])
      ORDER BY pause_until LIMIT $2)
    LIMIT $2
)
SELECT {LOCKED} FROM appeal a
 WHERE a.city_id = $3 AND a.id IN (SELECT appeal_id FROM near)
   FOR UPDATE OF a SKIP LOCKED
"""
"""Appeals with something due, the longest due first: found through the partial indexes on due
times alone. An appeal may have a clock due for each of the six stages.
"""

COUNTING_BY = """
SELECT DISTINCT appeal_id FROM clock
 WHERE city_id = $1 AND state IN ('running', 'paused', 'breached') AND appeal_id > $4
   AND (calendar = $2 AND calendar_version < $3
        OR calendar = ANY($6) AND stage IN ('consider', 'redirect'))
 ORDER BY appeal_id LIMIT $5
"""
"""Appeals with an open clock by an older version of a calendar, or of the law's by others that end
by it, in the order of their ids.
"""

TOLD = """
    (SELECT array_agg(e.canonical ORDER BY e.sequence)
       FROM event e WHERE e.appeal_id = a.id AND e.type = ANY($2)) AS told
"""
"""The events of the types $2, as canonical bytes in order."""

WITH_EVENTS = f"""
SELECT {LOCKED}, {TOLD} FROM appeal a WHERE a.id = ANY($1) ORDER BY a.id FOR UPDATE OF a SKIP LOCKED
"""
