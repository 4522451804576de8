"""The tables, as SQLAlchemy metadata: the one description that migrations and queries share.

Names are the words of the design. Times are timestamptz (UTC). What can name a person is
either sealed (bytea, AES-GCM) or indexed blindly (bytea, HMAC), never in the clear, except
the appeal's own words and place, which the city needs to search.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


def _instant() -> TIMESTAMP:
    return TIMESTAMP(timezone=True)


def _id() -> Column[object]:
    return Column("id", UUID, primary_key=True)


def _city() -> Column[object]:
    return Column("city_id", UUID, ForeignKey("city.id"), nullable=False)


def _appeal() -> Column[object]:
    return Column("appeal_id", UUID, ForeignKey("appeal.id"), nullable=False)


def _now(name: str = "created_at") -> Column[object]:
    return Column(name, _instant(), nullable=False, server_default=func.now())


# --- the city and what it has agreed on ------------------------------------------------

city = Table(
    "city",
    metadata,
    _id(),
    Column("code", Text, nullable=False, unique=True),
    Column("kato", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("zone", Text, nullable=False),
    Column("languages", ARRAY(Text), nullable=False),
    Column("prefix", Text, nullable=False),
    Column("bounds", JSONB, nullable=False),
    Column("reference_version", BigInteger, nullable=False, server_default=text("1")),
)

sphere = Table(
    "sphere",
    metadata,
    _city(),
    Column("code", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("city_id", "code"),
)

category = Table(
    "category",
    metadata,
    _city(),
    Column("code", Text, nullable=False),
    Column("sphere", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("city_id", "code"),
)

service_version = Table(
    "service_version",
    metadata,
    _city(),
    Column("code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("category", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("current", Boolean, nullable=False, server_default=text("true")),
    _now(),
    PrimaryKeyConstraint("city_id", "code", "version"),
    Index(
        "uq_service_version_current",
        "city_id",
        "code",
        unique=True,
        postgresql_where=text("current"),
    ),
)

calendar_version = Table(
    "calendar_version",
    metadata,
    _city(),
    Column("code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    _now(),
    PrimaryKeyConstraint("city_id", "code", "version"),
)

policy_version = Table(
    "policy_version",
    metadata,
    _city(),
    Column("code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("effective_from", Date, nullable=False),
    _now(),
    PrimaryKeyConstraint("city_id", "code", "version"),
)

channel_policy = Table(
    "channel_policy",
    metadata,
    _city(),
    Column("channel", Text, nullable=False),
    Column("policy", Text, nullable=False),
    PrimaryKeyConstraint("city_id", "channel"),
)

# --- who and where ---------------------------------------------------------------------

organisation = Table(
    "organisation",
    metadata,
    _id(),
    _city(),
    Column("code", Text, nullable=False),
    Column("parent_id", UUID, ForeignKey("organisation.id", deferrable=True, initially="DEFERRED")),
    Column("kind", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("contacts", JSONB, nullable=False, server_default=text("'{}'")),
    Column("calendar", Text, nullable=False),
    Column("district", Text),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    UniqueConstraint("city_id", "code"),
)

district = Table(
    "district",
    metadata,
    _city(),
    Column("code", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("polygon", JSONB),
    PrimaryKeyConstraint("city_id", "code"),
)

street = Table(
    "street",
    metadata,
    _id(),
    _city(),
    Column("code", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("aliases", ARRAY(Text), nullable=False),
    UniqueConstraint("city_id", "code"),
)

building = Table(
    "building",
    metadata,
    _id(),
    _city(),
    Column("street_id", UUID, ForeignKey("street.id"), nullable=False),
    Column("number", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("latitude", Double, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("kind", Text, nullable=False),
    UniqueConstraint("street_id", "number"),
)

territory = Table(
    "territory",
    metadata,
    _id(),
    _city(),
    Column("code", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("kind", Text, nullable=False),
    Column("district", Text),
    Column("street_id", UUID),
    Column("buildings", ARRAY(UUID), nullable=False, server_default=text("'{}'")),
    Column("polygon", JSONB),
    UniqueConstraint("city_id", "code"),
)

responsibility = Table(
    "responsibility",
    metadata,
    _id(),
    _city(),
    Column("selector", Text, nullable=False),
    Column("territory_id", UUID, ForeignKey("territory.id"), nullable=False),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("priority", Integer, nullable=False, server_default=text("100")),
    Column("calendar", Text),
    Column("fallback_id", UUID, ForeignKey("organisation.id")),
    Column("valid_from", Date),
    Column("valid_to", Date),
)

member = Table(
    "member",
    metadata,
    _id(),
    _city(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("district", Text),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    _now(),
)

citizen = Table(
    "citizen",
    metadata,
    _id(),
    _city(),
    Column("sealed", LargeBinary, nullable=False),
    Column("phone_index", LargeBinary),
    _now(),
    UniqueConstraint("city_id", "phone_index"),
)

access_token = Table(
    "access_token",
    metadata,
    _id(),
    _city(),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("member_id", UUID, ForeignKey("member.id")),
    Column("citizen_id", UUID, ForeignKey("citizen.id")),
    Column("name", Text, nullable=False),
    _now(),
    Column("expires_at", _instant()),
    Column("revoked_at", _instant()),
    CheckConstraint("num_nonnulls(member_id, citizen_id) = 1", name="one_subject"),
)

# --- the register ----------------------------------------------------------------------

number_series = Table(
    "number_series",
    metadata,
    Column("city_id", UUID, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("filled_to", Integer, nullable=False),
    PrimaryKeyConstraint("city_id", "year"),
)

number_pool = Table(
    "number_pool",
    metadata,
    Column("city_id", UUID, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("reserved_by", UUID),
    Column("reserved_until", _instant(), nullable=False, server_default=text("'-infinity'")),
    PrimaryKeyConstraint("city_id", "year", "number"),
)

appeal = Table(
    "appeal",
    metadata,
    _id(),
    _city(),
    Column("number", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("service_version", Integer, nullable=False),
    Column("category", Text, nullable=False),
    Column("sphere", Text, nullable=False),
    Column("criticality", Text, nullable=False),
    Column("emergency", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("building_id", UUID),
    Column("street_id", UUID),
    Column("district", Text),
    Column("address", Text),
    Column("apartment", Text),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("answers", JSONB, nullable=False),
    Column("citizen_id", UUID, ForeignKey("citizen.id")),
    Column("applicant", LargeBinary),
    Column("phone_index", LargeBinary),
    Column("operator_id", UUID),
    Column("contact", Text),
    Column("organisation_id", UUID),
    Column("assignment_id", UUID),
    Column("route", JSONB, nullable=False),
    Column("pause", JSONB),
    Column("pause_until", _instant()),
    Column("confirmation", JSONB),
    Column("first_contact", Boolean, nullable=False),
    Column("reopened", Integer, nullable=False),
    Column("due_at", _instant()),
    Column("registered_at", _instant(), nullable=False),
    Column("updated_at", _instant(), nullable=False),
    Column("closed_at", _instant()),
    Column("version", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    UniqueConstraint("city_id", "number"),
    # Law 3: without the resident's word there is no closed appeal, whoever writes it.
    CheckConstraint("status <> 'closed' OR confirmation IS NOT NULL", name="closed_by_resident"),
    Index("ix_appeal_register", "city_id", text("registered_at DESC"), text("id DESC")),
    Index("ix_appeal_open", "city_id", "status", text("registered_at DESC"), text("id DESC")),
    Index("ix_appeal_organisation", "organisation_id", text("registered_at DESC"),
          text("id DESC"), postgresql_where=text("organisation_id IS NOT NULL")),
    Index("ix_appeal_citizen", "citizen_id", text("registered_at DESC"), text("id DESC"),
          postgresql_where=text("citizen_id IS NOT NULL")),
    Index("ix_appeal_phone", "phone_index", postgresql_where=text("phone_index IS NOT NULL")),
    Index("ix_appeal_pause", "pause_until", postgresql_where=text("pause_until IS NOT NULL")),
)  # fmt: skip

assignment = Table(
    "assignment",
    metadata,
    _id(),
    _city(),
    _appeal(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("offered_at", _instant(), nullable=False),
    Column("answered_at", _instant()),
    Column("done_at", _instant()),
    Column("reason", Text),
    Index("ix_assignment_appeal_id", "appeal_id"),
    Index("ix_assignment_queue", "organisation_id", text("offered_at DESC"), text("id DESC")),
)

clock = Table(
    "clock",
    metadata,
    _city(),
    _appeal(),
    Column("stage", Text, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("calendar_version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", _instant(), nullable=False),
    Column("due_at", _instant(), nullable=False),
    Column("target", Interval, nullable=False),
    Column("paused_at", _instant()),
    Column("paused_reason", Text),
    Column("paused_for", Interval, nullable=False),
    Column("met_at", _instant()),
    Column("breached_at", _instant()),
    Column("cancelled_at", _instant()),
    Column("step", SmallInteger, nullable=False),
    Column("next_at", _instant()),
    PrimaryKeyConstraint("appeal_id", "stage", "round"),
    Index("ix_clock_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    Index("ix_clock_open", "city_id", "due_at", "appeal_id", "stage", "round",
          postgresql_where=text("state IN ('running', 'paused', 'breached')")),
)  # fmt: skip

event = Table(
    "event",
    metadata,
    _id(),
    _city(),
    _appeal(),
    Column("sequence", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", _instant(), nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("canonical", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    UniqueConstraint("appeal_id", "sequence"),
)

event_personal = Table(
    "event_personal",
    metadata,
    Column("event_id", UUID, ForeignKey("event.id"), nullable=False),
    Column("field", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("event_id", "field"),
)

attachment = Table(
    "attachment",
    metadata,
    _id(),
    _city(),
    Column("appeal_id", UUID, ForeignKey("appeal.id")),
    Column("owner_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("original_sha256", Text, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("storage_key", Text, nullable=False),
    Column("purpose", Text),
    Column("created_at", _instant(), nullable=False),
    Index("ix_attachment_appeal_id", "appeal_id"),
)

personal_read = Table(
    "personal_read",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _city(),
    _appeal(),
    Column("reader_id", UUID, nullable=False),
    Column("role", Text, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
    Column("at", _instant(), nullable=False),
)

# --- consequences ----------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _city(),
    Column("event_id", UUID, ForeignKey("event.id"), nullable=False),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Index("ix_outbox_order", "xid", "id"),
)

webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    _id(),
    _city(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text), nullable=False),
    Column("description", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("secrets", LargeBinary, nullable=False),
    Column("created_at", _instant(), nullable=False),
    Column("removed_at", _instant()),
    Index(
        "ix_webhook_endpoint_organisation_id",
        "organisation_id",
        postgresql_where=text("removed_at IS NULL"),
    ),
)

delivery = Table(
    "delivery",
    metadata,
    _id(),
    _city(),
    Column("endpoint_id", UUID, ForeignKey("webhook_endpoint.id"), nullable=False),
    Column("event_id", UUID, ForeignKey("event.id")),
    Column("type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("created_at", _instant(), nullable=False),
    Column("next_attempt_at", _instant()),
    Column("leased_until", _instant()),
    Column("finished_at", _instant()),
    UniqueConstraint("endpoint_id", "event_id"),
    Index("ix_delivery_queue", "endpoint_id", "next_attempt_at", "id",
          postgresql_where=text("state = 'pending'")),
    Index("ix_delivery_leased", "leased_until",
          postgresql_where=text("state = 'pending' AND leased_until IS NOT NULL")),
    Index("ix_delivery_log", "endpoint_id", text("created_at DESC"), text("id DESC")),
)  # fmt: skip

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("delivery_id", UUID, ForeignKey("delivery.id"), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("at", _instant(), nullable=False),
    Column("status", SmallInteger),
    Column("error", Text),
    Column("latency_ms", Integer, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("delivery_id", "number"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal_id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", _instant(), nullable=False),
    PrimaryKeyConstraint("principal_id", "key"),
    Index("ix_idempotency_created_at", "created_at"),
)
