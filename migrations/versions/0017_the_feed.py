"""The feed: what each organisation was told, for those who cannot be called."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from migrations.walls import CITY, IN_CITY, ORGANISATIONS, TENANT, WORKER, Rule, build

revision = "0017"
down_revision = "0016"

_INSTANT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Two tables behind walls, and in each delivery of an incident's event the message's id."""
    _entries()
    _messages()
    op.add_column("delivery", sa.Column("message_id", UUID))
    build(
        "feed_entry",
        {
            TENANT: Rule("SELECT", f"organisation_id = ANY ({ORGANISATIONS})"),
            WORKER: Rule("SELECT, INSERT, DELETE", "true"),
        },
    )
    build(
        "incident_message",
        {
            TENANT: Rule("SELECT", f"organisations && {ORGANISATIONS}"),
            CITY: Rule("INSERT", IN_CITY),
            WORKER: Rule("SELECT, INSERT, UPDATE, DELETE", "true"),
        },
    )


def _entries() -> None:
    op.create_table(
        "feed_entry",
        sa.Column("position", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("city_id", UUID, nullable=False),
        sa.Column("organisation_id", UUID, nullable=False),
        sa.Column("message_id", UUID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("told_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_feed_entry")),
    )
    op.create_index("ix_feed_entry_organisation_id", "feed_entry", ["organisation_id", "position"])


def _messages() -> None:
    op.create_table(
        "incident_message",
        sa.Column("id", UUID, nullable=False),
        sa.Column("city_id", UUID, nullable=False),
        sa.Column("incident_id", UUID, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("organisations", ARRAY(UUID), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_message")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_incident_message_city_id")),
    )
    op.create_index("ix_incident_message_at", "incident_message", ["at"])
    op.create_index(
        "ix_incident_message_untold", "incident_message", ["at"],
        postgresql_where=sa.text("NOT told"),
    )  # fmt: skip


def downgrade() -> None:
    """As it was: who cannot be called hears nothing."""
    op.drop_column("delivery", "message_id")
    op.drop_table("incident_message")
    op.drop_table("feed_entry")
