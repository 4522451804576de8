"""What was closed is found by when it was, so that the share of first contact has a period."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """An index of closings, with all that the share asks of them."""
    op.create_index(
        "ix_appeal_closed", "appeal", ["city_id", "closed_at"],
        postgresql_include=["first_contact", "district"],
        postgresql_where=sa.text("status = 'closed'"),
    )  # fmt: skip


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_appeal_closed", "appeal")
