"""What the gateway took on its async channel and has not said to be delivered: since when, and how
often it was asked.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Two columns; what was sent before counts as delivered, as it did."""
    op.add_column("eotinish_message", sa.Column("sent_at", sa.DateTime(timezone=True)))
    op.add_column(
        "eotinish_message",
        sa.Column("asked", sa.Integer, nullable=False, server_default=sa.text("0")),
    )


def downgrade() -> None:
    """As it was: what is on its way goes again, and its id makes a second one a repeat."""
    op.drop_column("eotinish_message", "asked")
    op.drop_column("eotinish_message", "sent_at")
