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

login_signing = Table(
    "login_signing",
    metadata,
    # Of the page's secret and of the code's: neither stands here.
    Column("page", LargeBinary, primary_key=True),
    Column("telephone", LargeBinary, nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("signer", LargeBinary),
    Column("expires_at", instant(), nullable=False),
    Column("taken_at", instant()),
    Index("ix_login_signing_expires_at", "expires_at"),
)
