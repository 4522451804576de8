"""More time: what an executor asked for stands with the appeal until it is decided."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """One column, empty; on PostgreSQL 11 and later nothing is rewritten."""
    op.add_column("appeal", sa.Column("extension", JSONB))


def downgrade() -> None:
    """As it was: the events keep what was asked and given."""
    op.drop_column("appeal", "extension")
