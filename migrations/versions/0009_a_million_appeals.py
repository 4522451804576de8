"""What keeps lists, searches and counts as fast at a million appeals as at ten thousand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0009"
down_revision = "0008"

APP = "ikomek_app"

_NUMBER = "('x' || substr(md5({0}), 1, 8))::bit(32)::int"
_NAMED = ("service", "category", "sphere", "district", "channel", "kind", "criticality")
_FACETS = ", ".join(_NUMBER.format(f"'{name}=' || a.{name}") for name in _NAMED)
_CARDS = f"""
    INSERT INTO card (appeal_id, city_id, registered_at, facets, organisations, words)
    SELECT a.id, a.city_id, a.registered_at,
           (SELECT array_agg(f ORDER BY f) FROM unnest(ARRAY[{_FACETS},
               CASE WHEN a.emergency THEN {_NUMBER.format("'emergency=true'")} END,
               CASE WHEN a.status = 'withdrawn' THEN {_NUMBER.format("'status=withdrawn'")} END,
               {_NUMBER.format("'day=' || to_char(a.registered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')")}
           ]) f WHERE f IS NOT NULL),
           coalesce((SELECT array_agg(DISTINCT s.organisation_id) FROM assignment s
                      WHERE s.appeal_id = a.id), '{{}}'),
           ' ' || btrim(regexp_replace(lower(concat_ws(' ', a.text, a.address, a.number)),
                                       '\\W+', ' ', 'g'))
      FROM appeal a
"""  # noqa: E501

# What is counted: table → place, state, and what must be joined to know them.
_COUNTED = {
    "appeal": (
        "r.district",
        "CASE WHEN r.status = 'closed' AND r.first_contact THEN 'closed first' ELSE r.status END",
        "",
    ),
    "clock": (
        "r.district",
        "CASE WHEN r.state = 'met' AND r.breached_at IS NOT NULL THEN 'met_late' ELSE r.state END",
        "",
    ),
    "delivery": (
        "w.organisation_id::text",
        "r.state",
        "JOIN webhook_endpoint w ON w.id = r.endpoint_id",
    ),
    "consultation": ("r.district", "'answered'", ""),
}
_EVENTS = {
    "insert": ("INSERT", "REFERENCING NEW TABLE AS after", (("after", 1),)),
    "update": (
        "UPDATE",
        "REFERENCING OLD TABLE AS before NEW TABLE AS after",
        (("before", -1), ("after", 1)),
    ),
    "delete": ("DELETE", "REFERENCING OLD TABLE AS before", (("before", -1),)),
}


def _sums(table: str, sources: tuple[tuple[str, int], ...]) -> str:
    place, state, joined = _COUNTED[table]
    rows = " UNION ALL ".join(
        f"SELECT r.city_id, {place} AS place, {state} AS state, {sign} AS n"
        f" FROM {source} r {joined}"
        for source, sign in sources
    )
    return (
        "INSERT INTO tally (city_id, subject, place, state, count)"
        f" SELECT city_id, '{table}', place, state, sum(n) FROM ({rows}) t"
        " GROUP BY city_id, place, state HAVING sum(n) <> 0"
    )


def _count_on() -> None:
    for table in _COUNTED:
        op.execute(_sums(table, ((table, 1),)))
        for name, (event, referencing, sources) in _EVENTS.items():
            op.execute(f"""
                CREATE FUNCTION tally_{table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN {_sums(table, sources)}; RETURN NULL; END $$
            """)
            op.execute(f"""
                CREATE TRIGGER tally_{name} AFTER {event} ON {table} {referencing}
                    FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}_{name}()
            """)


def _lists() -> None:
    order: list[sa.ColumnElement[object]] = [
        sa.literal_column("registered_at DESC"),
        sa.literal_column("id DESC"),
    ]
    op.create_index(
        "ix_appeal_overdue", "appeal", ["city_id", *order],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )  # fmt: skip
    op.drop_index("ix_clock_open", table_name="clock")
    op.create_index(
        "ix_clock_list", "clock",
        ["city_id", "state", "stage", "due_at", "appeal_id", "round"],
    )  # fmt: skip
    op.drop_index("ix_assignment_queue", table_name="assignment")
    op.create_index(
        "ix_assignment_queue", "assignment",
        ["organisation_id", "state", sa.literal_column("offered_at DESC"),
         sa.literal_column("id DESC")],
    )  # fmt: skip


def upgrade() -> None:
    """Cards to search, tallies to count, and indexes in the order of each list."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.add_column("clock", sa.Column("district", sa.Text))
    op.execute("UPDATE clock k SET district = a.district FROM appeal a WHERE a.id = k.appeal_id")
    op.create_table(
        "card",
        sa.Column("appeal_id", UUID, sa.ForeignKey("appeal.id"), nullable=False),
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facets", ARRAY(sa.Integer), nullable=False),
        sa.Column("organisations", ARRAY(UUID), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("appeal_id"),
    )
    op.execute(_CARDS)
    op.create_index(
        "ix_card_found", "card", ["facets", "organisations", "words"], postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
        postgresql_with={"gin_pending_list_limit": 256},
    )  # fmt: skip
    op.create_table(
        "tally",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("place", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON card TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON tally TO {APP}")
    _count_on()
    _lists()


def downgrade() -> None:
    """As it was. The extension stays: others of the database may use it."""
    for table in _COUNTED:
        for name in _EVENTS:
            op.execute(f"DROP TRIGGER tally_{name} ON {table}")
            op.execute(f"DROP FUNCTION tally_{table}_{name}()")
    op.drop_table("tally")
    op.drop_table("card")
    op.drop_index("ix_assignment_queue", table_name="assignment")
    op.create_index(
        "ix_assignment_queue", "assignment",
        ["organisation_id", sa.literal_column("offered_at DESC"), sa.literal_column("id DESC")],
    )  # fmt: skip
    op.drop_index("ix_clock_list", table_name="clock")
    op.create_index(
        "ix_clock_open", "clock", ["city_id", "due_at", "appeal_id", "stage", "round"],
        postgresql_where=sa.text("state IN ('running', 'paused', 'breached')"),
    )  # fmt: skip
    op.drop_index("ix_appeal_overdue", table_name="appeal")
    op.drop_column("clock", "district")
