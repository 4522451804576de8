"""Calendars that an administrator changes day by day, with who did."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from migrations.walls import CITY

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Say who wrote a version, and let a city write one."""
    op.add_column("calendar_version", sa.Column("written_by", UUID))
    op.execute(f"GRANT INSERT ON calendar_version TO {CITY}")


def downgrade() -> None:
    """By files alone."""
    op.execute(f"REVOKE INSERT ON calendar_version FROM {CITY}")
    op.drop_column("calendar_version", "written_by")
