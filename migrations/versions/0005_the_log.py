"""The register's log: leaves in order, tiles of the tree, signed checkpoints."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from integrations.postgres.tables import Xid8

revision = "0005"
down_revision = "0004"

APP = "ikomek_app"

ADD_ONLY = ("log_leaf", "log_tile", "log_key", "checkpoint", "cosignature")
KEPT = ("day_end", "log_cursor")


def upgrade() -> None:
    """Make room for the log. The scheduler seals what the register holds already."""
    _tables()
    # What is new is found by the transaction that wrote it, across all cities.
    op.create_index("ix_event_order", "event", ["xid", "id"])
    op.execute("""
        INSERT INTO log_cursor (id, xid, event_id, cluster)
        SELECT 1, '0', '00000000-0000-0000-0000-000000000000', system_identifier::text
          FROM pg_control_system()
    """)
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(ADD_ONLY)} TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(KEPT)} TO {APP}")
    for table in ADD_ONLY:
        op.execute(f"""
            CREATE TRIGGER {table}_is_for_good BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION refuse_to_forget()
        """)
        op.execute(f"""
            CREATE TRIGGER {table}_is_kept BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_forget()
        """)


def _tables() -> None:
    instant = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "log_leaf",
        sa.Column("city_id", sa.UUID(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "index", name=op.f("pk_log_leaf")),
        sa.UniqueConstraint("event_id", name=op.f("uq_log_leaf_event_id")),
    )
    op.create_table(
        "log_tile",
        sa.Column("city_id", sa.UUID(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "level", "index", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "log_key",
        sa.Column("city_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_log_key_city_id")),
        sa.PrimaryKeyConstraint("city_id", "key", name=op.f("pk_log_key")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("city_id", sa.UUID(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_checkpoint_city_id")),
        sa.PrimaryKeyConstraint("city_id", "size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "cosignature",
        sa.Column("city_id", sa.UUID(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "size"],
            ["checkpoint.city_id", "checkpoint.size"],
            name=op.f("fk_cosignature_checkpoint"),
        ),
        sa.PrimaryKeyConstraint("city_id", "size", "key", name=op.f("pk_cosignature")),
    )
    op.create_table(
        "day_end",
        sa.Column("city_id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mailed_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_day_end_city_id")),
        sa.PrimaryKeyConstraint("city_id", "day", name=op.f("pk_day_end")),
    )
    op.create_table(
        "log_cursor",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("xid", Xid8(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_cursor_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_cursor")),
    )


def downgrade() -> None:
    """Without a log. What was signed of it elsewhere stays signed."""
    for table in ("log_cursor", "day_end", *reversed(ADD_ONLY)):
        op.drop_table(table)
    op.drop_index("ix_event_order", table_name="event")
