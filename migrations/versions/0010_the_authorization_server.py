"""The authorization server: clients, logins, what was issued, what was taken back, keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

revision = "0010"
down_revision = "0009"

APP = "ikomek_app"
INSTANT = TIMESTAMP(timezone=True)

# What ends access tokens before their time, whoever wrote it: a member's suspension or change,
# a client's end. The names of columns stand in a body that is read late, so that a later
# revision may make one of them anew.
_MEMBER = """
CREATE FUNCTION revoke_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.active, OLD.role, OLD.organisation_id, OLD.district)
        IS DISTINCT FROM (NEW.active, NEW.role, NEW.organisation_id, NEW.district) THEN
        INSERT INTO revocation (kind, value) VALUES ('subject', OLD.id::text);
    END IF;
    RETURN NULL;
END $$
"""
_CLIENT = """
CREATE FUNCTION revoke_client() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.disabled_at IS NULL, OLD.role, OLD.organisation_id)
        IS DISTINCT FROM (NEW.disabled_at IS NULL, NEW.role, NEW.organisation_id) THEN
        INSERT INTO revocation (kind, value) VALUES ('client', OLD.id::text);
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Make the tables, and let a member's or a client's end reach every process."""
    _clients()
    _logins()
    op.create_table(
        "revocation",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.CheckConstraint(
            "kind IN ('token', 'session', 'subject', 'client')", name=op.f("ck_revocation_kind")
        ),
    )
    op.create_index("ix_revocation_at", "revocation", ["at"])
    op.create_table(
        "token_key",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("public", JSONB, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("signs_from", INSTANT, nullable=False),
        sa.Column("withdrawn_at", INSTANT),
    )
    for name, body in (("member", _MEMBER), ("client", _CLIENT)):
        op.execute(body)
        op.execute(
            f"CREATE TRIGGER {name}_loses_tokens AFTER UPDATE ON {name}"
            f" FOR EACH ROW EXECUTE FUNCTION revoke_{name}()"
        )
    _allow()


def _allow() -> None:
    op.execute(f"GRANT SELECT, INSERT ON client, client_secret, token_key TO {APP}")
    op.execute(f"GRANT UPDATE (disabled_at) ON client TO {APP}")
    op.execute(f"GRANT UPDATE (expires_at) ON client_secret TO {APP}")
    op.execute(f"GRANT UPDATE (withdrawn_at) ON token_key TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON client_assertion, revocation TO {APP}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (count), DELETE ON client_usage TO {APP}")
    op.execute(
        f"GRANT SELECT, INSERT, UPDATE (answered_at), DELETE ON authorization_request TO {APP}"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (ended_at, end_reason) ON login_session TO {APP}")
    op.execute(
        f"GRANT SELECT, INSERT, UPDATE (used_at), DELETE ON authorization_code, refresh_token"
        f" TO {APP}"
    )


def downgrade() -> None:
    """As it was. Whoever logged in has to come again."""
    for name in ("member", "client"):
        op.execute(f"DROP TRIGGER {name}_loses_tokens ON {name}")
        op.execute(f"DROP FUNCTION revoke_{name}()")
    for table in (
        "token_key", "revocation", "refresh_token", "authorization_code", "login_session",
        "authorization_request", "client_usage", "client_assertion", "client_secret", "client",
    ):  # fmt: skip
        op.drop_table(table)


def _city() -> sa.Column[object]:
    return sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False)


def _of(table: str) -> sa.Column[object]:
    name = "session_id" if table == "login_session" else f"{table}_id"
    return sa.Column(name, UUID, sa.ForeignKey(f"{table}.id"), nullable=False)


def _clients() -> None:
    op.create_table(
        "client",
        sa.Column("id", UUID, primary_key=True),
        _city(),
        sa.Column("organisation_id", UUID, sa.ForeignKey("organisation.id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "kind", "auth_method")),
        *(
            sa.Column(name, ARRAY(sa.Text), nullable=False)
            for name in ("redirect_uris", "grant_types", "scopes")
        ),
        sa.Column("staff", sa.Boolean, nullable=False),
        sa.Column("role", sa.Text),
        *(sa.Column(name, sa.Integer) for name in ("rate_limit", "daily_quota")),
        sa.Column("jwks", JSONB),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT),
        sa.CheckConstraint(
            "(kind = 'public') = (auth_method = 'none')", name=op.f("ck_client_proves_itself")
        ),
    )
    op.create_index("ix_client_city_id", "client", ["city_id"])
    op.create_index("ix_client_organisation_id", "client", ["organisation_id"])
    op.create_table(
        "client_secret",
        sa.Column("id", UUID, primary_key=True),
        _city(),
        _of("client"),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
    )
    op.create_index("ix_client_secret_client_id", "client_secret", ["client_id"])
    op.create_table(
        "client_assertion",
        _of("client"),
        _city(),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "hash"),
    )
    op.create_index("ix_client_assertion_expires_at", "client_assertion", ["expires_at"])
    op.create_table(
        "client_usage",
        _of("client"),
        _city(),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "day"),
    )


def _logins() -> None:
    op.create_table(
        "authorization_request",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        _city(),
        _of("client"),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        *(sa.Column(name, sa.Text) for name in ("state", "nonce")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("challenge", "language")),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT),
    )
    op.create_table(
        "login_session",
        sa.Column("id", UUID, primary_key=True),
        _city(),
        _of("client"),
        sa.Column("subject_id", UUID, nullable=False),
        sa.Column("resident", sa.Boolean, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        *(sa.Column(name, INSTANT, nullable=False) for name in ("begun_at", "expires_at")),
        sa.Column("ended_at", INSTANT),
        sa.Column("end_reason", sa.Text),
    )
    op.create_index("ix_login_session_subject_id", "login_session", ["subject_id"])
    op.create_table(
        "authorization_code",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        _city(),
        _of("login_session"),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
    )
    op.create_table(
        "refresh_token",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        _city(),
        _of("login_session"),
        *(sa.Column(name, INSTANT, nullable=False) for name in ("issued_at", "expires_at")),
        sa.Column("used_at", INSTANT),
    )
    for table in ("authorization_request", "authorization_code", "refresh_token"):
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"])
