"""Clients, and what the authorization server issued to them. Secrets stand here as hashes alone."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from integrations.postgres.schema import city_id, instant, metadata, own_id


def _client_id() -> Column[object]:
    return Column("client_id", UUID, ForeignKey("client.id"), nullable=False)


def _session_id() -> Column[object]:
    return Column("session_id", UUID, ForeignKey("login_session.id"), nullable=False)


client = Table(
    "client",
    metadata,
    own_id(),
    city_id(),
    Column("organisation_id", UUID, ForeignKey("organisation.id")),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("auth_method", Text, nullable=False),
    Column("redirect_uris", ARRAY(Text), nullable=False),
    Column("grant_types", ARRAY(Text), nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("staff", Boolean, nullable=False),
    Column("role", Text),
    Column("rate_limit", Integer),
    Column("daily_quota", Integer),
    Column("jwks", JSONB),
    Column("created_at", instant(), nullable=False),
    Column("disabled_at", instant()),
    CheckConstraint("(kind = 'public') = (auth_method = 'none')", name="proves_itself"),
    Index("ix_client_city_id", "city_id"),
    Index("ix_client_organisation_id", "organisation_id"),
)

client_secret = Table(
    "client_secret",
    metadata,
    own_id(),
    city_id(),
    _client_id(),
    Column("hash", LargeBinary, nullable=False),
    Column("created_at", instant(), nullable=False),
    Column("expires_at", instant()),
    Index("ix_client_secret_client_id", "client_id"),
)

client_assertion = Table(
    "client_assertion",
    metadata,
    _client_id(),
    city_id(),
    Column("hash", LargeBinary, nullable=False),
    Column("expires_at", instant(), nullable=False),
    PrimaryKeyConstraint("client_id", "hash"),
    Index("ix_client_assertion_expires_at", "expires_at"),
)

client_usage = Table(
    "client_usage",
    metadata,
    _client_id(),
    city_id(),
    Column("day", Date, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("client_id", "day"),
)

authorization_request = Table(
    "authorization_request",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    city_id(),
    _client_id(),
    Column("redirect_uri", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("state", Text),
    Column("nonce", Text),
    Column("challenge", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("expires_at", instant(), nullable=False),
    Column("answered_at", instant()),
    Index("ix_authorization_request_expires_at", "expires_at"),
)

login_session = Table(
    "login_session",
    metadata,
    own_id(),
    city_id(),
    _client_id(),
    Column("subject_id", UUID, nullable=False),
    Column("resident", Boolean, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("begun_at", instant(), nullable=False),
    Column("expires_at", instant(), nullable=False),
    Column("ended_at", instant()),
    Column("end_reason", Text),
    Index("ix_login_session_subject_id", "subject_id"),
)

authorization_code = Table(
    "authorization_code",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    city_id(),
    _session_id(),
    Column("redirect_uri", Text, nullable=False),
    Column("nonce", Text),
    Column("challenge", Text, nullable=False),
    Column("expires_at", instant(), nullable=False),
    Column("used_at", instant()),
    Index("ix_authorization_code_expires_at", "expires_at"),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    city_id(),
    _session_id(),
    Column("issued_at", instant(), nullable=False),
    Column("expires_at", instant(), nullable=False),
    Column("used_at", instant()),
    Index("ix_refresh_token_expires_at", "expires_at"),
)

revocation = Table(
    "revocation",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("at", instant(), nullable=False, server_default=text("clock_timestamp()")),
    CheckConstraint("kind IN ('token', 'session', 'subject', 'client')", name="kind"),
    Index("ix_revocation_at", "at"),
)

token_key = Table(
    "token_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("public", JSONB, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("signs_from", instant(), nullable=False),
    Column("withdrawn_at", instant()),
)
