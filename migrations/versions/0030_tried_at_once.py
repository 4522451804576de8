"""What waits for an endpoint that was mended is tried at once, and a test of it before all."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0025"


def upgrade() -> None:
    """A mark of endpoints that were mended, and the few tests that wait by themselves."""
    op.add_column("endpoint_health", sa.Column("mended_at", sa.TIMESTAMP(timezone=True)))
    op.create_index(
        "ix_delivery_test", "delivery", ["endpoint_id", "next_attempt_at"],
        postgresql_where=sa.text("state = 'pending' AND type = 'endpoint.test'"),
    )  # fmt: skip


def downgrade() -> None:
    """As it was; what was put off waits for its time."""
    op.drop_index("ix_delivery_test", table_name="delivery")
    op.drop_column("endpoint_health", "mended_at")
