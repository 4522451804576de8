"""Endpoints that choose what they hear and how; their health; notices; ends with a reason."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from migrations.walls import ORGANISATIONS, TENANT, WORKER, Rule, build

revision = "0015"
down_revision = "0014"

_LISTS = ("services", "spheres", "districts")
_ENDPOINT = (
    sa.Column("headers", sa.LargeBinary),
    sa.Column("payload_version", sa.SmallInteger, nullable=False, server_default=sa.text("1")),
    sa.Column("ordered", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("ed25519", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("concurrency", sa.SmallInteger, nullable=False, server_default=sa.text("8")),
    sa.Column("rate_limit", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("disabled_at", sa.DateTime(timezone=True)),
    sa.Column("disabled_reason", sa.Text),
    sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
)
_DELIVERY = (
    sa.Column("reason", sa.Text),
    sa.Column("appeal_id", UUID),
    sa.Column("sequence", sa.Integer),
    sa.Column("in_turn", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("tries_before", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
)
_OWN = f"organisation_id = ANY ({ORGANISATIONS})"
_THROUGH = "(SELECT true FROM webhook_endpoint o WHERE o.id = endpoint_health.endpoint_id)"


def upgrade() -> None:
    """Everything that was stays as it was: it hears all, and has never failed."""
    for name in _LISTS:
        op.add_column(
            "webhook_endpoint",
            sa.Column(name, ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        )
    for column in _ENDPOINT:
        op.add_column("webhook_endpoint", column.copy())
    for column in _DELIVERY:
        op.add_column("delivery", column.copy())
    op.create_index(
        "ix_delivery_turn", "delivery", ["endpoint_id", "appeal_id", "sequence"],
        postgresql_where=sa.text("state = 'pending' AND in_turn"),
    )  # fmt: skip
    op.execute(f"GRANT DELETE ON delivery, delivery_attempt TO {WORKER}")
    _health()
    _notices()


def _health() -> None:
    instants = ("failing_since", "last_failure_at", "last_success_at", "open_until",
                "throttled_until", "told_at", "paced_at")  # fmt: skip
    op.create_table(
        "endpoint_health",
        sa.Column("endpoint_id", UUID, sa.ForeignKey("webhook_endpoint.id"), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("opened", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("throttles", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("told", sa.Boolean, nullable=False, server_default=sa.text("false")),
        *(sa.Column(name, sa.DateTime(timezone=True)) for name in instants),
    )
    build(
        "endpoint_health",
        {
            # Whoever enables an endpoint again lets it begin anew.
            TENANT: Rule("SELECT, UPDATE", _THROUGH),
            WORKER: Rule("SELECT, INSERT, UPDATE", "true"),
        },
        of_a_city=False,
    )


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("city_id", UUID, sa.ForeignKey("city.id"), nullable=False),
        sa.Column("organisation_id", UUID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("endpoint_id", UUID, sa.ForeignKey("webhook_endpoint.id"), nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", JSONB, nullable=False),
        sa.Column("mail_due_at", sa.DateTime(timezone=True)),
        sa.Column("fed", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.create_index("ix_notice_unfed", "notice", ["at"], postgresql_where=sa.text("NOT fed"))
    op.create_index(
        "ix_notice_organisation_id", "notice",
        ["organisation_id", sa.literal_column("at DESC"), sa.literal_column("id DESC")],
    )  # fmt: skip
    op.create_index("ix_notice_endpoint_id", "notice", ["endpoint_id", "type", "at"])
    op.create_index(
        "ix_notice_mail", "notice", ["mail_due_at"],
        postgresql_where=sa.text("mail_due_at IS NOT NULL"),
    )  # fmt: skip
    build(
        "notice",
        {
            TENANT: Rule("SELECT", _OWN),
            WORKER: Rule("SELECT, INSERT, UPDATE, DELETE", "true"),
        },
    )


def downgrade() -> None:
    """As it was; what was told stays told, and nobody chooses any more."""
    op.drop_table("notice")
    op.drop_table("endpoint_health")
    op.execute(f"REVOKE DELETE ON delivery, delivery_attempt FROM {WORKER}")
    op.drop_index("ix_delivery_turn", table_name="delivery")
    for column in reversed(_DELIVERY):
        op.drop_column("delivery", column.name)
    for column in reversed(_ENDPOINT):
        op.drop_column("webhook_endpoint", column.name)
    for name in reversed(_LISTS):
        op.drop_column("webhook_endpoint", name)
