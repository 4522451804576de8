"""Evidence that a stage of a service needs before it counts."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """To be."""


def downgrade() -> None:
    """As it was."""
