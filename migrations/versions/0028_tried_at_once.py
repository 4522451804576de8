"""What waits for an endpoint that was mended is tried at once, and a test of it before all; a
delivery is found by the id that its receiver was given.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """A mark of endpoints that were mended; the few tests that wait, and what tells of no appeal's
    event, by themselves.
    """
    # Deliveries before health, as whoever writes down an attempt locks them.
    op.create_index(
        "ix_delivery_test", "delivery", ["endpoint_id", "next_attempt_at"],
        postgresql_where=sa.text("state = 'pending' AND type = 'endpoint.test'"),
    )  # fmt: skip
    op.create_index(
        "ix_delivery_message", "delivery", ["endpoint_id", "message_id"],
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )  # fmt: skip
    op.add_column("endpoint_health", sa.Column("mended_at", sa.TIMESTAMP(timezone=True)))


def downgrade() -> None:
    """As it was; what was put off waits for its time."""
    op.drop_index("ix_delivery_message", table_name="delivery")
    op.drop_index("ix_delivery_test", table_name="delivery")
    op.drop_column("endpoint_health", "mended_at")
