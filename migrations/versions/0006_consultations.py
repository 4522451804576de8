"""Consultations: words that were answered before anything was registered."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """To be."""


def downgrade() -> None:
    """As it was."""
