"""A desk knows how each appeal on it stands, so that those of one status are read in their order.

What was done and waits for its resident lies on a desk for as long as they say nothing. Whoever
asks for what is in progress would step over all of that.
"""

import sqlalchemy as sa
from alembic import op

from migrations.walls import CITY, lifted

revision = "0032"
down_revision = "0031"

# Whoever lays it, and from whatever: it stands as its appeal does.
_LAID = """
    CREATE FUNCTION stand_desk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.status := (SELECT a.status FROM appeal a WHERE a.id = NEW.appeal_id);
        RETURN NEW;
    END $$
"""
# Fires after count_appeal, by its name, which lays and lifts.
_MOVED = """
    CREATE FUNCTION stand_appeal() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off AS $$
    BEGIN
        UPDATE desk d SET status = NEW.status FROM card c, unnest(c.organisations) o (id)
         WHERE c.appeal_id = NEW.id AND d.organisation_id = o.id
           AND d.registered_at = c.registered_at AND d.appeal_id = c.appeal_id AND NOT d.ended;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    """The column, what keeps it, and its index."""
    op.execute("LOCK TABLE appeal, desk IN ACCESS EXCLUSIVE MODE")
    op.add_column("desk", sa.Column("status", sa.Text))
    with lifted("appeal", "desk"):
        op.execute("UPDATE desk d SET status = a.status FROM appeal a WHERE a.id = d.appeal_id")
    op.alter_column("desk", "status", nullable=False)
    op.create_index(
        "ix_desk_status", "desk", ["organisation_id", "status", "registered_at", "appeal_id"],
        postgresql_where=sa.text("NOT ended"),
    )  # fmt: skip
    op.execute(f"GRANT UPDATE (status) ON desk TO {CITY}")
    op.execute(_LAID)
    op.execute(_MOVED)
    op.execute(
        "CREATE TRIGGER stand_desk BEFORE INSERT ON desk FOR EACH ROW EXECUTE FUNCTION stand_desk()"
    )
    op.execute(
        "CREATE TRIGGER stand_appeal AFTER UPDATE ON appeal FOR EACH ROW"
        " WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION stand_appeal()"
    )


def downgrade() -> None:
    """As it was: each on a desk is asked how it stands."""
    op.execute("DROP TRIGGER stand_appeal ON appeal")
    op.execute("DROP TRIGGER stand_desk ON desk")
    op.execute("DROP FUNCTION stand_appeal()")
    op.execute("DROP FUNCTION stand_desk()")
    op.drop_index("ix_desk_status", table_name="desk")
    op.execute(f"REVOKE UPDATE (status) ON desk FROM {CITY}")
    op.drop_column("desk", "status")
