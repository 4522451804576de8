"""Clocks know who must keep them, so that an executor's are listed without a look at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """The column, what it says of clocks that stand, and the index."""
    op.add_column("clock", sa.Column("organisation_id", sa.UUID()))
    op.execute(
        "UPDATE clock k SET organisation_id = a.organisation_id FROM appeal a"
        " WHERE a.id = k.appeal_id AND a.organisation_id IS NOT NULL"
    )
    op.create_index(
        "ix_clock_executor",
        "clock",
        ["organisation_id", "state", "stage", "due_at", "appeal_id", "round"],
        postgresql_where=sa.text("organisation_id IS NOT NULL"),
    )


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_clock_executor", "clock")
    op.drop_column("clock", "organisation_id")
