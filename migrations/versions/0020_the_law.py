"""The law's own clock: its versions, how appeals stand before it, and the end-to-end control."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from migrations.walls import APP, CITIZEN, CITY, DISTRICT, TENANT, WORKER

revision = "0020"
down_revision = "0019"

INSTANT = sa.DateTime(timezone=True)
CONTROLLED = ["organisation_id", "district", "law_due_at", "hearing_at", "prolonged", "redirected"]
CONSIDERED = "met_at IS NOT NULL AND stage IN ('resolve', 'consider')"


def upgrade() -> None:
    """Make room for the law, beside what is there."""
    op.create_table(
        "law_version",
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("effective_from", sa.Date, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("city_id", "version"),
    )
    for column in (
        sa.Column("legal", JSONB),
        sa.Column("legal_kind", sa.Text),
        sa.Column("law_due_at", INSTANT),
        sa.Column("hearing_at", INSTANT),
        sa.Column("prolonged", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("redirected", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("appeal", column)
    op.add_column("district", sa.Column("parent", sa.Text))
    _indexes()
    op.execute(f"GRANT SELECT ON law_version TO {TENANT}, {CITIZEN}, {DISTRICT}, {CITY}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON law_version TO {WORKER}, {APP}")


def _indexes() -> None:
    op.create_index(
        "ix_appeal_control", "appeal", ["city_id", "due_at", "id"],
        postgresql_include=CONTROLLED, postgresql_where=sa.text("due_at IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_appeal_control_executor", "appeal", ["organisation_id", "due_at", "id"],
        postgresql_include=CONTROLLED[1:],
        postgresql_where=sa.text("due_at IS NOT NULL AND organisation_id IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_clock_considered", "clock", ["city_id", "met_at"],
        postgresql_include=["organisation_id", "district", "stage", "breached_at"],
        postgresql_where=sa.text(CONSIDERED),
    )  # fmt: skip
    op.create_index(
        "ix_clock_considered_executor", "clock", ["organisation_id", "met_at"],
        postgresql_include=["district", "stage", "breached_at"],
        postgresql_where=sa.text(f"{CONSIDERED} AND organisation_id IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Without the law. What it counted is gone; the events stay."""
    for index, table in (
        ("ix_clock_considered_executor", "clock"),
        ("ix_clock_considered", "clock"),
        ("ix_appeal_control_executor", "appeal"),
        ("ix_appeal_control", "appeal"),
    ):
        op.drop_index(index, table)
    columns = ("redirected", "prolonged", "hearing_at", "law_due_at", "legal_kind", "legal")
    for column in columns:
        op.drop_column("appeal", column)
    op.drop_column("district", "parent")
    op.drop_table("law_version")
