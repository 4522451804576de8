"""Consultations: words that were answered before anything was registered."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

APP = "ikomek_app"


def upgrade() -> None:
    """A table to count them by; what was counted stays counted, so it is only added to."""
    op.create_table(
        "consultation",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("city_id", sa.UUID(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.UUID(), nullable=False),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name="fk_consultation_city_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consultation"),
    )
    op.create_index("ix_consultation_city_id_at", "consultation", ["city_id", "at"])
    op.execute(f"GRANT SELECT, INSERT ON consultation TO {APP}")


def downgrade() -> None:
    """As it was."""
    op.drop_table("consultation")
