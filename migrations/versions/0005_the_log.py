"""The register's log: leaves in order, tiles of the tree, signed checkpoints."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """To be."""


def downgrade() -> None:
    """As it was."""
