"""The keys that sign webhooks so that anybody can verify them: Ed25519, the scheme v1a."""

import sqlalchemy as sa
from alembic import op

from migrations.walls import WORKER, Rule, build

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """A key is added and ends; it is never changed or removed."""
    op.create_table(
        "webhook_key",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("public", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_until", sa.DateTime(timezone=True)),
    )
    build(
        "webhook_key",
        {WORKER: Rule("SELECT, INSERT, UPDATE (signs_until)", "true")},
        of_a_city=False,
    )


def downgrade() -> None:
    """Whoever verified by these keys verifies by their secret alone."""
    op.drop_table("webhook_key")
