"""Logins on their way. No city stands in them: who somebody is, is not known yet."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text

from integrations.postgres.schema import instant, metadata

login_attempt = Table(
    "login_attempt",
    metadata,
    # Of the state or the ticket: whoever reads the table can take nobody's place.
    Column("hash", LargeBinary, primary_key=True),
    Column("step", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("browser", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_at", instant(), nullable=False),
    Column("used_at", instant()),
    CheckConstraint("step IN ('departed', 'arrived')", name="step"),
    Index("ix_login_attempt_expires_at", "expires_at"),
)
