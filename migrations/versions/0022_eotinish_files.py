"""Files that the national register names, on their way into the appeals of the city; and which
registrations await their answer.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from migrations.walls import CITY, IN_CITY, WORKER, Rule, build

revision = "0022"
down_revision = "0021"

STATES = "state IN ('pending', 'done', 'repeated', 'quarantined', 'dropped')"
TRIED = "state = 'pending' AND notice = 'register' AND (attempts > 0 OR judged_by IS NOT NULL)"
KEEP = "SELECT, INSERT, UPDATE"


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Make the table and its walls, and an index on the few that were tried and not answered."""
    op.create_table(
        "eotinish_file",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("appeal_id", UUID, nullable=False),
        sa.Column("identifier", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'pending'")),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        _instant("created_at", nullable=False),
        _instant("next_attempt_at", nullable=False),
        _instant("leased_until"),
        _instant("finished_at"),
        sa.Column("fault", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("judged_by", UUID),
        # Written before its appeal, in the same transaction.
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeal.id"], deferrable=True, initially="DEFERRED"
        ),
        sa.UniqueConstraint("appeal_id", "identifier"),
        sa.CheckConstraint(STATES, name="state"),
    )
    op.create_index("ix_eotinish_file_due", "eotinish_file", ["city_id", "next_attempt_at", "id"],
                    postgresql_where=sa.text("state = 'pending'"))  # fmt: skip
    op.create_index("ix_eotinish_file_quarantine", "eotinish_file", ["city_id", "finished_at"],
                    postgresql_where=sa.text("state = 'quarantined'"))  # fmt: skip
    op.create_index(
        "ix_eotinish_message_tried", "eotinish_message", ["city_id"],
        postgresql_where=sa.text(TRIED),
    )  # fmt: skip
    build("eotinish_file", {CITY: Rule(KEEP, IN_CITY), WORKER: Rule(KEEP, "true")})


def downgrade() -> None:
    """As it was: what was not fetched yet is named by the kept messages alone."""
    op.drop_index("ix_eotinish_message_tried", "eotinish_message")
    op.drop_table("eotinish_file")
