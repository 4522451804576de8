"""What organisations hold is counted as it changes, and what of it is open lies on their desks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from migrations.walls import CITY, IN_CITY, ORGANISATIONS, TENANT, WORKER, Rule, build, lifted

revision = "0024"
down_revision = "0023"

WALLS = {
    TENANT: Rule("SELECT", f"holders && {ORGANISATIONS}"),
    CITY: Rule("SELECT, INSERT", IN_CITY),
    WORKER: Rule("SELECT, INSERT, UPDATE, DELETE", "true"),
}
DESKS = {
    TENANT: Rule("SELECT", f"organisation_id = ANY ({ORGANISATIONS})"),
    # What is over is said to be, and swept by the scheduler: nobody in a city deletes.
    CITY: Rule("SELECT, INSERT, UPDATE (ended)", IN_CITY),
    WORKER: Rule("SELECT, INSERT, UPDATE, DELETE", "true"),
}
MEETINGS = {CITY: Rule("SELECT, INSERT", IN_CITY), WORKER: Rule("SELECT, INSERT", "true")}

_APPEAL = "CASE WHEN {0}.status = 'closed' AND {0}.first_contact THEN 'closed first' ELSE {0}.status END"  # fmt: skip  # noqa: E501
_CLOCK = "CASE WHEN {0}.state = 'met' AND {0}.breached_at IS NOT NULL THEN 'met_late' ELSE {0}.state END"  # fmt: skip  # noqa: E501

# The appeal of a card counts with the card, so that it is there whichever of them came first.
_CARDS = f"""
    SELECT c.city_id, 'appeal' AS subject, holders_of(c.organisations) AS holders,
           {_APPEAL.format("a")} AS state, {{sign}} AS n
      FROM {{source}} c JOIN appeal a ON a.id = c.appeal_id
"""
_CLOCKS = f"""
    SELECT c.city_id, 'clock' AS subject, holders_of(c.organisations) AS holders,
           {_CLOCK.format("k")} AS state, {{sign}} AS n
      FROM {{source}} k JOIN card c ON c.appeal_id = k.appeal_id
"""
_CONSULTATIONS = """
    SELECT n.city_id, 'consultation' AS subject, ARRAY[m.organisation_id] AS holders,
           'answered' AS state, {sign} AS n
      FROM {source} n JOIN member m ON m.id = n.operator_id WHERE m.organisation_id IS NOT NULL
"""
_CHANGED = """
    SELECT c.city_id, '{subject}' AS subject, holders_of(c.organisations) AS holders,
           s.state, s.n
      FROM before b JOIN after r USING ({key}) JOIN card c ON c.appeal_id = {appeal},
           LATERAL (VALUES ({was}, -1), ({now}, 1)) s (state, n)
     WHERE {was} <> {now}
"""
# One statement never changes an appeal's state and who holds it: see statements.py, WIDEN.
_MOVED = f"""
    SELECT m.city_id, m.subject, h.holders, m.state, h.n
      FROM (SELECT m.*, 'appeal' AS subject, {_APPEAL.format("a")} AS state
              FROM moved m JOIN appeal a ON a.id = m.appeal_id
             UNION ALL
            SELECT m.*, 'clock', {_CLOCK.format("k")}
              FROM moved m JOIN clock k ON k.appeal_id = m.appeal_id) m,
           LATERAL (VALUES (m.was, -1), (m.now, 1)) h (holders, n)
"""
_MOVED_CARDS = """
    WITH moved AS (
        SELECT appeal_id, r.city_id, holders_of(b.organisations) AS was,
               holders_of(r.organisations) AS now
          FROM before b JOIN after r USING (appeal_id)
         WHERE holders_of(b.organisations) <> holders_of(r.organisations))
"""
_TRIGGERS = {
    ("card", "insert"): _CARDS.format(source="after", sign=1),
    ("card", "update"): _MOVED,
    ("card", "delete"): _CARDS.format(source="before", sign=-1),
    ("appeal", "update"): _CHANGED.format(
        subject="appeal", key="id", appeal="r.id", was=_APPEAL.format("b"), now=_APPEAL.format("r")
    ),
    ("clock", "insert"): _CLOCKS.format(source="after", sign=1),
    ("clock", "update"): _CHANGED.format(
        subject="clock", key="appeal_id, stage, round", appeal="r.appeal_id",
        was=_CLOCK.format("b"), now=_CLOCK.format("r"),
    ),
    ("clock", "delete"): _CLOCKS.format(source="before", sign=-1),
    ("consultation", "insert"): _CONSULTATIONS.format(source="after", sign=1),
    ("consultation", "delete"): _CONSULTATIONS.format(source="before", sign=-1),
}  # fmt: skip
_MET = """
    INSERT INTO meeting (city_id, service, category, sphere, kind)
    SELECT DISTINCT a.city_id, a.service, a.category, a.sphere, a.kind FROM {source}
     ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING
"""
_OTHERS = f"""
    IF EXISTS (SELECT FROM before b JOIN after r USING (id)
                WHERE (b.service, b.category, b.sphere, b.kind)
                   <> (r.service, r.category, r.sphere, r.kind)) THEN
        {_MET.format(source="after a")};
    END IF
"""
_OVER = "{0}.status IN ('closed', 'withdrawn')"
_LAID = f"""
    INSERT INTO desk AS d (organisation_id, registered_at, appeal_id, city_id)
    SELECT DISTINCT o.id, c.registered_at, c.appeal_id, c.city_id
      FROM {{source}} c JOIN appeal a ON a.id = c.appeal_id, unnest(c.organisations) o (id)
     WHERE NOT {_OVER.format("a")}
        ON CONFLICT (organisation_id, registered_at, appeal_id)
        DO UPDATE SET ended = false WHERE d.ended
"""
_LIFTED = """
    UPDATE desk d SET ended = true FROM {source}, unnest(c.organisations) o (id)
     WHERE {which} AND d.organisation_id = o.id AND d.registered_at = c.registered_at
       AND d.appeal_id = c.appeal_id
"""
_CARDED = "after r JOIN card c ON c.appeal_id = r.id"
_OFF = _LIFTED.format(source=_CARDED, which=_OVER.format("r"))
_BACK = _LAID.format(source=f"(SELECT c.* FROM {_CARDED})")
_ENDED = f"""
    IF EXISTS (SELECT FROM before b JOIN after r USING (id)
                WHERE {_OVER.format("b")} <> {_OVER.format("r")}) THEN
        {_OFF}; {_BACK};
    END IF
"""
_BESIDES = {
    ("card", "insert"): f"{_LAID.format(source='after')};"
                        + _MET.format(source="after c JOIN appeal a ON a.id = c.appeal_id"),
    ("card", "update"): _LAID.format(source="after"),
    ("card", "delete"): _LIFTED.format(source="before c", which="true"),
    ("appeal", "update"): f"{_ENDED};{_OTHERS}",
}  # fmt: skip
_DIFFERS = """EXISTS (SELECT FROM before b JOIN after r USING ({key})
                         WHERE ({was}) IS DISTINCT FROM ({now}))"""


def _differs(key: str, *columns: str) -> str:
    was, now = (", ".join(f"{row}.{column}" for column in columns) for row in "br")
    return _DIFFERS.format(key=key, was=was, now=now)


# An act fires all of them, also where it wrote no row of the table or changed nothing of this.
_GUARDS = {
    ("card", "update"): _differs("appeal_id", "organisations"),
    ("appeal", "update"): _differs(
        "id", "status", "first_contact", "service", "category", "sphere", "kind"
    ),
    ("clock", "insert"): "EXISTS (SELECT FROM after)",
    ("clock", "update"): _differs("appeal_id, stage, round", "state", "breached_at"),
}  # fmt: skip
_SEEN = {
    "insert": "REFERENCING NEW TABLE AS after",
    "update": "REFERENCING OLD TABLE AS before NEW TABLE AS after",
    "delete": "REFERENCING OLD TABLE AS before",
}


def _sums(counted: str, before: str = "", settled: str = "false") -> str:
    return f"""
        {before} INSERT INTO holding (city_id, subject, holders, state, count, settled)
        SELECT city_id, subject, holders, state, sum(n), {settled} FROM ({counted}) t
         WHERE holders <> '{{}}' GROUP BY city_id, subject, holders, state HAVING sum(n) <> 0
    """


def _tables() -> None:
    # What triggers write with each act, out of rows that are bound already, is not asked for its
    # references again: each would lock the city's row once more, for every row of every act.
    op.create_table(
        "holding",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("city_id", UUID, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("holders", ARRAY(UUID), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.create_index(
        "uq_holding_settled", "holding", ["city_id", "subject", "holders", "state"],
        unique=True, postgresql_where=sa.text("settled"),
    )  # fmt: skip
    op.create_index("ix_holding_loose", "holding", ["id"], postgresql_where=sa.text("NOT settled"))
    op.execute("""
        CREATE FUNCTION holders_of(uuid[]) RETURNS uuid[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
        AS 'SELECT ARRAY(SELECT DISTINCT o FROM unnest($1) o ORDER BY o)'
    """)
    op.create_table(
        "desk",
        sa.Column("organisation_id", UUID, nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("appeal_id", UUID, nullable=False),
        sa.Column("city_id", UUID, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.PrimaryKeyConstraint("organisation_id", "registered_at", "appeal_id"),
    )
    op.create_table(
        "meeting",
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("service", "category", "sphere", "kind")
        ),
        sa.PrimaryKeyConstraint("city_id", "service", "category", "sphere", "kind"),
    )
    op.create_index("ix_desk_ended", "desk", ["appeal_id"], postgresql_where=sa.text("ended"))


def counting(table: str, event: str) -> str:
    """What a trigger does, as the body of its function."""
    counted = _TRIGGERS[table, event]
    before = _MOVED_CARDS if counted is _MOVED else ""
    besides = f"{_BESIDES[table, event]};" if (table, event) in _BESIDES else ""
    return f"""
        BEGIN
            IF {_GUARDS.get((table, event), "true")} THEN {_sums(counted, before)}; {besides}
            END IF;
            RETURN NULL;
        END
    """


def _count_on() -> None:
    for table, event in _TRIGGERS:
        name = f"holding_{table}_{event}"
        # What changed is looked up by its key, also where a table was small when this was planned.
        op.execute(f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
            {counting(table, event)} $$
        """)
        op.execute(f"""
            CREATE TRIGGER holding_{event} AFTER {event.upper()} ON {table} {_SEEN[event]}
                FOR EACH STATEMENT EXECUTE FUNCTION {name}()
        """)


def upgrade() -> None:
    """The tables, their walls, what counts into it from now on, and what is there already."""
    # The strongest lock that is needed, at once: one that grew would stand against whoever came
    # between. Whoever comes waits from here on, and what they write next is counted by triggers.
    op.execute("LOCK TABLE appeal, card, clock, consultation, member IN ACCESS EXCLUSIVE MODE")
    _tables()
    _count_on()
    with lifted("appeal", "card", "clock", "consultation", "member"):
        for counted, source in (
            (_CARDS, "card"), (_CLOCKS, "clock"), (_CONSULTATIONS, "consultation")
        ):  # fmt: skip
            op.execute(_sums(counted.format(source=source, sign=1), settled="true"))
        op.execute(_LAID.format(source="card"))
        op.execute(_MET.format(source="appeal a"))
    op.create_index(
        "ix_appeal_open_district", "appeal",
        ["district", "status", sa.text("registered_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("status NOT IN ('closed', 'withdrawn')"),
    )  # fmt: skip
    build("holding", WALLS)
    build("desk", DESKS)
    build("meeting", MEETINGS)


def downgrade() -> None:
    """As it was: counted appeal by appeal."""
    for table, event in _TRIGGERS:
        op.execute(f"DROP TRIGGER holding_{event} ON {table}")
        op.execute(f"DROP FUNCTION holding_{table}_{event}()")
    op.drop_index("ix_appeal_open_district", table_name="appeal")
    op.drop_table("meeting")
    op.drop_table("desk")
    op.drop_table("holding")
    op.execute("DROP FUNCTION holders_of(uuid[])")
