"""An act counts what it changed row by row, and locks its city's row once, not for each of its own.

Nearly every act is of one appeal. Asking what differs between two lists of one row cost several
times what it costs to look at the row; and who changed nothing of what is counted is not called at
all. What comes many at once, gathered intakes, is counted by statements as before.
"""

import importlib

from alembic import op

revision = "0025"
down_revision = "0024"

_APPEAL = "CASE WHEN {0}.status = 'closed' AND {0}.first_contact THEN 'closed first' ELSE {0}.status END"  # fmt: skip  # noqa: E501
_CLOCK = "CASE WHEN {0}.state = 'met' AND {0}.breached_at IS NOT NULL THEN 'met_late' ELSE {0}.state END"  # fmt: skip  # noqa: E501
_OVER = "{0}.status IN ('closed', 'withdrawn')"

_TALLIED = """
    IF (was, OLD.district) IS DISTINCT FROM (now, NEW.district) THEN
        INSERT INTO tally (city_id, subject, place, state, count)
        VALUES (OLD.city_id, '{subject}', OLD.district, was, -1),
               (NEW.city_id, '{subject}', NEW.district, now, 1);
    END IF;
"""
_HELD = """
        INSERT INTO holding (city_id, subject, holders, state, count)
        SELECT NEW.city_id, '{subject}', h.holders, s.state, s.n
          FROM card c, holders_of(c.organisations) h (holders), (VALUES (was, -1), (now, 1)) s (state, n)
         WHERE c.appeal_id = {appeal} AND h.holders <> '{{}}';
"""  # noqa: E501
_LAID = """
        INSERT INTO desk AS d (organisation_id, registered_at, appeal_id, city_id)
        SELECT DISTINCT o.id, {card}.registered_at, {card}.appeal_id, {card}.city_id
          FROM {source}unnest({card}.organisations) o (id)
         WHERE {where}
            ON CONFLICT (organisation_id, registered_at, appeal_id)
            DO UPDATE SET ended = false WHERE d.ended;
"""
_COUNT_APPEAL = f"""
DECLARE
    was text := {_APPEAL.format("OLD")};
    now text := {_APPEAL.format("NEW")};
BEGIN
    {_TALLIED.format(subject="appeal")}
    IF was <> now THEN
        {_HELD.format(subject="appeal", appeal="NEW.id")}
    END IF;
    IF {_OVER.format("NEW")} AND NOT {_OVER.format("OLD")} THEN
        UPDATE desk d SET ended = true FROM card c, unnest(c.organisations) o (id)
         WHERE c.appeal_id = NEW.id AND d.organisation_id = o.id
           AND d.registered_at = c.registered_at AND d.appeal_id = c.appeal_id;
    ELSIF {_OVER.format("OLD")} AND NOT {_OVER.format("NEW")} THEN
        {_LAID.format(card="c", source="card c, ", where="c.appeal_id = NEW.id")}
    END IF;
    IF (OLD.service, OLD.category, OLD.sphere, OLD.kind)
       <> (NEW.service, NEW.category, NEW.sphere, NEW.kind) THEN
        INSERT INTO meeting (city_id, service, category, sphere, kind)
        VALUES (NEW.city_id, NEW.service, NEW.category, NEW.sphere, NEW.kind)
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
"""
_COUNT_CLOCK = f"""
DECLARE
    was text := {_CLOCK.format("OLD")};
    now text := {_CLOCK.format("NEW")};
BEGIN
    {_TALLIED.format(subject="clock")}
    IF was <> now THEN
        {_HELD.format(subject="clock", appeal="NEW.appeal_id")}
    END IF;
    RETURN NULL;
END
"""
# One statement never changes an appeal's state and who holds it: see statements.py, WIDEN.
_COUNT_CARD = f"""
DECLARE
    was uuid[] := holders_of(OLD.organisations);
    now uuid[] := holders_of(NEW.organisations);
BEGIN
    IF was <> now THEN
        INSERT INTO holding (city_id, subject, holders, state, count)
        SELECT NEW.city_id, s.subject, h.holders, s.state, sum(h.n)
          FROM (SELECT 'appeal' AS subject, {_APPEAL.format("a")} AS state
                  FROM appeal a WHERE a.id = NEW.appeal_id
                 UNION ALL
                SELECT 'clock', {_CLOCK.format("k")}
                  FROM clock k WHERE k.appeal_id = NEW.appeal_id) s,
               (VALUES (was, -1), (now, 1)) h (holders, n)
         WHERE h.holders <> '{{}}' GROUP BY s.subject, h.holders, s.state;
    END IF;
    {_LAID.format(
        card="NEW", source="appeal a, ",
        where=f"a.id = NEW.appeal_id AND NOT {_OVER.format('a')}",
    )}
    RETURN NULL;
END
"""  # fmt: skip
# Each row looks its own up. Told to join, the planner reads all of a table that was small when it
# planned, for as long as it keeps that plan: a city's first minutes would be spent so.
_OF_CARD = f"""
    LATERAL (SELECT a.*, {_APPEAL.format("a")} AS state FROM appeal a
              WHERE a.id = c.appeal_id OFFSET 0) a
"""
_COUNT_CARDS = f"""
BEGIN
    INSERT INTO holding (city_id, subject, holders, state, count)
    SELECT c.city_id, 'appeal', h.holders, a.state, count(*)
      FROM after c, holders_of(c.organisations) h (holders), {_OF_CARD}
     WHERE h.holders <> '{{}}' GROUP BY 1, 3, 4;
    {_LAID.format(
        card="c", source=f"after c, {_OF_CARD}, ", where=f"NOT {_OVER.format('a')}",
    )}
    INSERT INTO meeting (city_id, service, category, sphere, kind)
    SELECT DISTINCT a.city_id, a.service, a.category, a.sphere, a.kind FROM after c, {_OF_CARD}
     ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING;
    RETURN NULL;
END
"""  # fmt: skip
_COUNT_CLOCKS = f"""
BEGIN
    IF EXISTS (SELECT FROM after) THEN
        INSERT INTO tally (city_id, subject, place, state, count)
        SELECT k.city_id, 'clock', k.district, {_CLOCK.format("k")}, count(*)
          FROM after k GROUP BY 1, 3, 4;
        INSERT INTO holding (city_id, subject, holders, state, count)
        SELECT k.city_id, 'clock', c.holders, {_CLOCK.format("k")}, count(*)
          FROM after k,
               LATERAL (SELECT holders_of(c.organisations) AS holders FROM card c
                         WHERE c.appeal_id = k.appeal_id OFFSET 0) c
         WHERE c.holders <> '{{}}' GROUP BY 1, 3, 4;
    END IF;
    RETURN NULL;
END
"""


def _differs(*columns: str) -> str:
    was, now = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return f"FOR EACH ROW WHEN (({was}) IS DISTINCT FROM ({now}))"


# Table → function, its body, what fires it.
_COUNTED = {
    "appeal": (
        "count_appeal", _COUNT_APPEAL, "UPDATE ON appeal "
        + _differs("status", "first_contact", "district", "service", "category", "sphere", "kind"),
    ),
    "clock": (
        "count_clock", _COUNT_CLOCK,
        "UPDATE ON clock " + _differs("state", "breached_at", "district"),
    ),
    "card": ("count_card", _COUNT_CARD, "UPDATE ON card " + _differs("organisations")),
    "cards": (
        "count_cards", _COUNT_CARDS,
        "INSERT ON card REFERENCING NEW TABLE AS after FOR EACH STATEMENT",
    ),
    "clocks": (
        "count_clocks", _COUNT_CLOCKS,
        "INSERT ON clock REFERENCING NEW TABLE AS after FOR EACH STATEMENT",
    ),
}  # fmt: skip
_REPLACED = (
    ("tally", "appeal", "update"), ("tally", "clock", "update"), ("tally", "clock", "insert"),
    ("holding", "appeal", "update"), ("holding", "clock", "update"),
    ("holding", "clock", "insert"), ("holding", "card", "insert"), ("holding", "card", "update"),
)  # fmt: skip
_SEEN = {
    "insert": "REFERENCING NEW TABLE AS after",
    "update": "REFERENCING OLD TABLE AS before NEW TABLE AS after",
}
_OF_AN_APPEAL = ("assignment", "card", "clock", "completion", "event")
"""Their appeal is bound to the city; so is the outbox by its event."""
_UNBOUND = (*_OF_AN_APPEAL, "outbox", "tally")
_CHURNED = ("appeal", "assignment", "card", "clock", "desk")
"""What acts rewrite. A fifth of a register of a million would have to die before it was cleaned,
and until then whoever lists what is open steps over the dead."""


def _lock() -> None:
    """All at once: a lock that grew would stand against whoever came between. Appeals first, as
    acts come to them first, and the city's row last, which what follows from them asks for.
    """
    op.execute(f"LOCK TABLE appeal, {', '.join(_UNBOUND)}, city IN ACCESS EXCLUSIVE MODE")


def upgrade() -> None:
    """Count by rows; leave the city's row alone; clean in time."""
    _lock()
    for kind, table, event in _REPLACED:
        op.execute(f"DROP TRIGGER {kind}_{event} ON {table}")
        op.execute(f"DROP FUNCTION {kind}_{table}_{event}()")
    for name, body, fires in _COUNTED.values():
        # What changed is looked up by its key, also where a table was small when this was planned.
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            f" SET enable_seqscan = off AS $${body}$$"
        )
        op.execute(f"CREATE TRIGGER {name} AFTER {fires} EXECUTE FUNCTION {name}()")
    for table in _UNBOUND:
        op.drop_constraint(f"fk_{table}_city_id", table, type_="foreignkey")
    for table in _CHURNED:
        op.execute(
            f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.01,"
            " autovacuum_vacuum_threshold = 2000)"
        )


def downgrade() -> None:
    """As it was: counted by statements, each row bound to its city."""
    _lock()
    for table in _CHURNED:
        op.execute(
            f"ALTER TABLE {table}"
            " RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)"
        )
    for table in _UNBOUND:
        op.create_foreign_key(f"fk_{table}_city_id", table, "city", ["city_id"], ["id"])
    for name, _, fires in _COUNTED.values():
        op.execute(f"DROP TRIGGER {name} ON {fires.split()[2]}")
        op.execute(f"DROP FUNCTION {name}()")
    for kind, table, event in _REPLACED:
        body = _tallied(table, event) if kind == "tally" else _held(table, event)
        op.execute(f"CREATE FUNCTION {kind}_{table}_{event}() RETURNS trigger {body}")
        op.execute(
            f"CREATE TRIGGER {kind}_{event} AFTER {event.upper()} ON {table} {_SEEN[event]}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {kind}_{table}_{event}()"
        )


def _tallied(table: str, event: str) -> str:
    before = importlib.import_module("migrations.versions.0009_a_million_appeals")
    _, _, sources = before._EVENTS[event]
    return f"LANGUAGE plpgsql AS $$ BEGIN {before._sums(table, sources)}; RETURN NULL; END $$"


def _held(table: str, event: str) -> str:
    before = importlib.import_module("migrations.versions.0024_holdings")
    return f"LANGUAGE plpgsql SET enable_seqscan = off AS $$ {before.counting(table, event)} $$"
