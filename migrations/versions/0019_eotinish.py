"""The exchange with the national register of appeals: cases, messages, quarantine, reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

from migrations.walls import CITY, IN_CITY, WORKER, Rule, build

revision = "0019"
down_revision = "0018"

STATES = "state IN ('pending', 'done', 'repeated', 'quarantined', 'dropped')"
KEEP = "SELECT, INSERT, UPDATE"

WALLS = {
    # Nobody but the contact centre and the platform has to do with letters between registers.
    "eotinish_city": KEEP,
    "eotinish_case": KEEP,
    "eotinish_message": "SELECT, UPDATE",
    "eotinish_inbox": KEEP,
    "eotinish_report": KEEP,
}


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _city() -> sa.Column[object]:
    return sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False)


def _appeal_later() -> sa.ForeignKeyConstraint:
    """What names an appeal that the same transaction writes after it."""
    return sa.ForeignKeyConstraint(
        ["appeal_id"], ["appeal.id"], deferrable=True, initially="DEFERRED"
    )


def _judged() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("fault", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("judged_by", UUID),
    )


def upgrade() -> None:
    """Make the tables and their walls, and give the appeal its national number."""
    op.add_column("appeal", sa.Column("national_number", sa.Text))
    op.create_index(
        "uq_appeal_national_number", "appeal", ["city_id", "national_number"], unique=True,
        postgresql_where=sa.text("national_number IS NOT NULL"),
    )  # fmt: skip
    _make_cases()
    _make_messages()
    _make_inbox()
    _make_reports()
    for table, grants in WALLS.items():
        build(table, {CITY: Rule(grants, IN_CITY), WORKER: Rule(KEEP, "true")})


def _make_cases() -> None:
    op.create_table(
        "eotinish_city",
        _city(),
        _instant("since", nullable=False),
        sa.Column("selection", JSONB, nullable=False),
        _instant("held_until"),
        sa.Column("held_fault", sa.Text),
        sa.PrimaryKeyConstraint("city_id"),
    )
    op.create_table(
        "eotinish_case",
        sa.Column("appeal_id", UUID, nullable=False),
        _city(),
        sa.Column("own_number", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("number", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("0")),
        _instant("deadline"),
        _instant("opened_at", nullable=False),
        sa.PrimaryKeyConstraint("appeal_id"),
        _appeal_later(),
        sa.UniqueConstraint("city_id", "number"),
        sa.UniqueConstraint("city_id", "own_number"),
        sa.CheckConstraint("origin IN ('city', 'state')", name="origin"),
    )


def _make_messages() -> None:
    op.create_table(
        "eotinish_message",
        sa.Column("id", UUID, primary_key=True),
        _city(),
        sa.Column("appeal_id", UUID, sa.ForeignKey("appeal.id"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'pending'")),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        _instant("created_at", nullable=False),
        _instant("next_attempt_at", nullable=False),
        _instant("leased_until"),
        _instant("finished_at"),
        sa.Column("correlation_id", sa.Text),
        *_judged(),
        sa.UniqueConstraint("appeal_id", "sequence"),
        sa.CheckConstraint(STATES, name="state"),
    )
    pending = sa.text("state = 'pending'")
    op.create_index("ix_eotinish_message_due", "eotinish_message", ["next_attempt_at", "id"],
                    postgresql_where=pending)  # fmt: skip
    op.create_index("ix_eotinish_message_waiting", "eotinish_message", ["appeal_id", "sequence"],
                    postgresql_where=pending)  # fmt: skip
    op.create_index("ix_eotinish_message_quarantine", "eotinish_message",
                    ["city_id", "finished_at"],
                    postgresql_where=sa.text("state = 'quarantined'"))  # fmt: skip


def _make_inbox() -> None:
    op.create_table(
        "eotinish_inbox",
        sa.Column("id", UUID, primary_key=True),
        _city(),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("correlation_id", sa.Text),
        sa.Column("number", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("tale", sa.Text),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'pending'")),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        _instant("received_at", nullable=False),
        _instant("next_attempt_at", nullable=False),
        _instant("acknowledged_at"),
        _instant("finished_at"),
        sa.Column("appeal_id", UUID),
        *_judged(),
        _appeal_later(),
        sa.UniqueConstraint("city_id", "message_id"),
        sa.CheckConstraint(STATES, name="state"),
    )  # fmt: skip
    op.create_index("ix_eotinish_inbox_due", "eotinish_inbox", ["city_id", "received_at", "id"],
                    postgresql_where=sa.text("state = 'pending'"))  # fmt: skip
    op.create_index("ix_eotinish_inbox_unacknowledged", "eotinish_inbox",
                    ["city_id", "received_at"],
                    postgresql_where=sa.text("acknowledged_at IS NULL"))  # fmt: skip
    op.create_index("ix_eotinish_inbox_quarantine", "eotinish_inbox", ["city_id", "finished_at"],
                    postgresql_where=sa.text("state = 'quarantined'"))  # fmt: skip
    op.create_index("ix_eotinish_inbox_number", "eotinish_inbox",
                    ["city_id", "number", "version"])  # fmt: skip


def _make_reports() -> None:
    op.create_table(
        "eotinish_report",
        sa.Column("id", UUID, primary_key=True),
        _city(),
        sa.Column("day", sa.Text),
        _instant("at", nullable=False),
        _instant("finished_at"),
        sa.Column("ours", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("theirs", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("differences", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("repaired", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.UniqueConstraint("city_id", "day"),
    )
    op.create_index("ix_eotinish_report_list", "eotinish_report",
                    ["city_id", sa.text("at DESC"), sa.text("id DESC")])  # fmt: skip


def downgrade() -> None:
    """As it was: what passed between the registers is forgotten with its tables."""
    for table in reversed(WALLS):
        op.drop_table(table)
    op.drop_index("uq_appeal_national_number", "appeal")
    op.drop_column("appeal", "national_number")
