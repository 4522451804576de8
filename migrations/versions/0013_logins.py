"""Logins on their way, from the platform to a provider and back to a person's decision."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

APP = "ikomek_app"


def upgrade() -> None:
    """What a login remembers for ten minutes, sealed, under hashes alone."""
    op.create_table(
        "login_attempt",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("browser", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("step IN ('departed', 'arrived')", name="step"),
    )
    op.create_index("ix_login_attempt_expires_at", "login_attempt", ["expires_at"])
    # A step is used, never rewritten; what is over is forgotten, since it names a person.
    op.execute(f"GRANT SELECT, INSERT, DELETE, UPDATE (used_at) ON login_attempt TO {APP}")
    op.create_table(
        "login_signing",
        sa.Column("page", sa.LargeBinary, primary_key=True),
        sa.Column("telephone", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("signer", sa.LargeBinary),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_login_signing_expires_at", "login_signing", ["expires_at"])
    op.execute(f"GRANT SELECT, INSERT, DELETE, UPDATE (signer, taken_at) ON login_signing TO {APP}")


def downgrade() -> None:
    """Whoever is on their way begins again."""
    op.drop_table("login_signing")
    op.drop_table("login_attempt")
