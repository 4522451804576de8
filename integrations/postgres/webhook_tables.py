"""Endpoints, their health, what was sent to them, what was told of them, and the signing keys."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from integrations.postgres.schema import city_id, instant, metadata, own_id


def _endpoint_id(*, primary_key: bool = False) -> Column[object]:
    return Column(
        "endpoint_id",
        UUID,
        ForeignKey("webhook_endpoint.id"),
        primary_key=primary_key,
        nullable=False,
    )


def _chosen(name: str) -> Column[object]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def _number(name: str, value: str = "0", kind: type = SmallInteger) -> Column[object]:
    return Column(name, kind, nullable=False, server_default=text(value))


def _no(name: str) -> Column[object]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    own_id(),
    city_id(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text), nullable=False),
    Column("description", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("created_at", instant(), nullable=False),
    Column("removed_at", instant()),
    _chosen("services"),
    _chosen("spheres"),
    _chosen("districts"),
    Column("headers", LargeBinary),
    _number("payload_version", "1"),
    _no("ordered"),
    _no("ed25519"),
    _number("concurrency", "8"),
    _number("rate_limit", kind=Integer),
    Column("disabled_at", instant()),
    Column("disabled_reason", Text),
    _number("version", "1", Integer),
    Index(
        "ix_webhook_endpoint_organisation_id",
        "organisation_id",
        postgresql_where=text("removed_at IS NULL"),
    ),
)

endpoint_health = Table(
    "endpoint_health",
    metadata,
    _endpoint_id(primary_key=True),
    _number("failures", kind=Integer),
    _number("opened"),
    _number("throttles"),
    _no("told"),
    Column("failing_since", instant()),
    Column("last_failure_at", instant()),
    Column("last_success_at", instant()),
    Column("open_until", instant()),
    Column("throttled_until", instant()),
    Column("told_at", instant()),
    # What was put off is to be tried at once.
    Column("mended_at", instant()),
    Column("paced_at", instant()),
)

delivery = Table(
    "delivery",
    metadata,
    own_id(),
    city_id(),
    _endpoint_id(),
    Column("event_id", UUID, ForeignKey("event.id")),
    # The same for everybody who is told; of an appeal's event it is that event's id.
    Column("message_id", UUID),
    Column("type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    _number("attempts"),
    Column("created_at", instant(), nullable=False),
    Column("next_attempt_at", instant()),
    Column("finished_at", instant()),
    Column("reason", Text),
    Column("appeal_id", UUID),
    Column("sequence", Integer),
    # Of an endpoint that wants what happens to an appeal in its order.
    _no("in_turn"),
    # Those of earlier rounds: whoever sends a finished delivery again begins the schedule anew.
    _number("tries_before"),
    UniqueConstraint("endpoint_id", "event_id"),
    Index("ix_delivery_queue", "endpoint_id", "next_attempt_at", "id",
          postgresql_where=text("state = 'pending'")),
    Index("ix_delivery_log", "endpoint_id", text("created_at DESC"), text("id DESC")),
    Index("ix_delivery_turn", "endpoint_id", "appeal_id", "sequence",
          postgresql_where=text("state = 'pending' AND in_turn")),
    Index("ix_delivery_message", "endpoint_id", "message_id",
          postgresql_where=text("message_id IS NOT NULL")),
    Index("ix_delivery_test", "endpoint_id", "next_attempt_at",
          postgresql_where=text("state = 'pending' AND type = 'endpoint.test'")),
)  # fmt: skip

# Who has a delivery in hand, by the end of the lease; no row, or one that is over: nobody. Without
# foreign keys, which would lock two rows for each: leases whose delivery is over harm nobody.
delivery_lease = Table(
    "delivery_lease",
    metadata,
    Column("delivery_id", UUID, primary_key=True),
    Column("endpoint_id", UUID, nullable=False),
    Column("until", instant(), nullable=False),
)

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("delivery_id", UUID, ForeignKey("delivery.id"), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("at", instant(), nullable=False),
    Column("status", SmallInteger),
    Column("error", Text),
    Column("latency_ms", Integer, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("delivery_id", "number"),
)

notice = Table(
    "notice",
    metadata,
    own_id(),
    city_id(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    _endpoint_id(),
    Column("type", Text, nullable=False),
    Column("at", instant(), nullable=False),
    _number("count", "1", Integer),
    Column("last_at", instant(), nullable=False),
    Column("data", JSONB, nullable=False),
    # When a letter is to leave; None once it has.
    Column("mail_due_at", instant()),
    # Whether the feed has it.
    _no("fed"),
    Index("ix_notice_organisation_id", "organisation_id", text("at DESC"), text("id DESC")),
    Index("ix_notice_endpoint_id", "endpoint_id", "type", "at"),
    Index("ix_notice_unfed", "at", postgresql_where=text("NOT fed")),
    Index("ix_notice_mail", "mail_due_at", postgresql_where=text("mail_due_at IS NOT NULL")),
)

webhook_key = Table(
    "webhook_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", instant(), nullable=False),
    Column("signs_until", instant()),
)
