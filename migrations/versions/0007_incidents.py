"""Incidents: one problem behind many appeals, planned works and outages."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """To be."""


def downgrade() -> None:
    """As it was."""
