"""The tables of what a city has agreed on, and of who and where."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from integrations.postgres.schema import city_id, instant, metadata, own_id, written_at

# --- the city and what it has agreed on ------------------------------------------------

city = Table(
    "city",
    metadata,
    own_id(),
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
    city_id(),
    Column("code", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("city_id", "code"),
)

category = Table(
    "category",
    metadata,
    city_id(),
    Column("code", Text, nullable=False),
    Column("sphere", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("city_id", "code"),
)

service_version = Table(
    "service_version",
    metadata,
    city_id(),
    Column("code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("category", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("current", Boolean, nullable=False, server_default=text("true")),
    written_at(),
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
    city_id(),
    Column("code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    written_at(),
    # The administrator who changed a day of it; None where it came by a file.
    Column("written_by", UUID),
    PrimaryKeyConstraint("city_id", "code", "version"),
)

policy_version = Table(
    "policy_version",
    metadata,
    city_id(),
    Column("code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("effective_from", Date, nullable=False),
    written_at(),
    PrimaryKeyConstraint("city_id", "code", "version"),
)

channel_policy = Table(
    "channel_policy",
    metadata,
    city_id(),
    Column("channel", Text, nullable=False),
    Column("policy", Text, nullable=False),
    PrimaryKeyConstraint("city_id", "channel"),
)

law_version = Table(
    "law_version",
    metadata,
    city_id(),
    Column("version", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("effective_from", Date, nullable=False),
    written_at(),
    PrimaryKeyConstraint("city_id", "version"),
)

# --- who and where ---------------------------------------------------------------------

organisation = Table(
    "organisation",
    metadata,
    own_id(),
    city_id(),
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
    city_id(),
    Column("code", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("polygon", JSONB),
    Column("parent", Text),
    PrimaryKeyConstraint("city_id", "code"),
)

street = Table(
    "street",
    metadata,
    own_id(),
    city_id(),
    Column("code", Text, nullable=False),
    Column("names", JSONB, nullable=False),
    Column("aliases", ARRAY(Text), nullable=False),
    UniqueConstraint("city_id", "code"),
)

building = Table(
    "building",
    metadata,
    own_id(),
    city_id(),
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
    own_id(),
    city_id(),
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
    own_id(),
    city_id(),
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
    own_id(),
    city_id(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("district", Text),
    Column("state", Text, nullable=False, server_default=text("'active'")),
    Column("active", Boolean, Computed("(state = 'active'::text)", persisted=True),
           nullable=False),
    Column("iin_index", LargeBinary),
    Column("sealed", LargeBinary),
    written_at(),
    CheckConstraint("state IN ('active', 'suspended', 'left')", name="state"),
    Index("ix_member_organisation_id", "organisation_id"),
    Index("ix_member_iin_index", "iin_index", postgresql_where=text("iin_index IS NOT NULL")),
)  # fmt: skip

citizen = Table(
    "citizen",
    metadata,
    own_id(),
    city_id(),
    Column("sealed", LargeBinary, nullable=False),
    Column("phone_index", LargeBinary),
    Column("iin_index", LargeBinary),
    written_at(),
    # A family may share a telephone; whoever is known by nothing else is one for each.
    Index("uq_citizen_phone", "city_id", "phone_index", unique=True,
          postgresql_where=text("iin_index IS NULL")),
    Index("ix_citizen_phone_index", "phone_index"),
    Index("uq_citizen_iin", "city_id", "iin_index", unique=True,
          postgresql_where=text("iin_index IS NOT NULL")),
)  # fmt: skip

access_token = Table(
    "access_token",
    metadata,
    own_id(),
    city_id(),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("member_id", UUID, ForeignKey("member.id")),
    Column("citizen_id", UUID, ForeignKey("citizen.id")),
    Column("name", Text, nullable=False),
    written_at(),
    Column("expires_at", instant()),
    Column("revoked_at", instant()),
    CheckConstraint("num_nonnulls(member_id, citizen_id) = 1", name="one_subject"),
)
