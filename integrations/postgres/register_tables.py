"""The register itself: numbers, appeals, what happened to them, who read of whom, what follows.

Times are timestamptz (UTC). What can name a person is either sealed (bytea, AES-GCM) or indexed
blindly (bytea, HMAC), never in the clear, except the appeal's own words and place, which the city
needs to search.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from integrations.postgres.schema import (
    Xid8,
    appeal_id,
    city_id,
    instant,
    metadata,
    own_id,
    same_city_id,
)

CONTROLLED = ["organisation_id", "district", "law_due_at", "hearing_at", "prolonged", "redirected"]
CONSIDERED = "met_at IS NOT NULL AND stage IN ('resolve', 'consider')"
"""What the end-to-end control counts (control.py)."""

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
    Column("reserved_until", instant(), nullable=False, server_default=text("'-infinity'")),
    PrimaryKeyConstraint("city_id", "year", "number"),
)

appeal = Table(
    "appeal",
    metadata,
    own_id(),
    city_id(),
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
    # The H3 cell of the point (domain/incidents/likeness.py): what is near is found by it.
    Column("cell", BigInteger),
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
    Column("pause_until", instant()),
    Column("waivers", JSONB, nullable=False, server_default=text("'[]'")),
    Column("extension", JSONB),
    Column("confirmation", JSONB),
    Column("incident_id", UUID, ForeignKey("incident.id")),
    Column("incident_joined_at", instant()),
    Column("incident_followed", Integer),
    # How it stands before the law (domain/law/standing.py) and what the state said of it, and what
    # is asked of it by index.
    Column("legal", JSONB),
    Column("legal_kind", Text),
    Column("law_due_at", instant()),
    Column("hearing_at", instant()),
    Column("prolonged", Boolean, nullable=False, server_default=text("false")),
    Column("redirected", SmallInteger, nullable=False, server_default=text("0")),
    Column("first_contact", Boolean, nullable=False),
    Column("reopened", Integer, nullable=False),
    Column("due_at", instant()),
    Column("registered_at", instant(), nullable=False),
    Column("updated_at", instant(), nullable=False),
    Column("closed_at", instant()),
    # That of the national register (e-Өтініш).
    Column("national_number", Text),
    Column("version", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    UniqueConstraint("city_id", "number"),
    # Law 3: without the resident's word there is no closed appeal, whoever writes it.
    CheckConstraint("status <> 'closed' OR confirmation IS NOT NULL", name="closed_by_resident"),
    Index("ix_appeal_register", "city_id", text("registered_at DESC"), text("id DESC")),
    Index("ix_appeal_open", "city_id", "status", text("registered_at DESC"), text("id DESC")),
    Index("ix_appeal_open_district", "district", "status", text("registered_at DESC"),
          text("id DESC"), postgresql_where=text("status NOT IN ('closed', 'withdrawn')")),
    Index("uq_appeal_national_number", "city_id", "national_number", unique=True,
          postgresql_where=text("national_number IS NOT NULL")),
    Index("ix_appeal_organisation", "organisation_id", text("registered_at DESC"),
          text("id DESC"), postgresql_where=text("organisation_id IS NOT NULL")),
    Index("ix_appeal_citizen", "citizen_id", text("registered_at DESC"), text("id DESC"),
          postgresql_where=text("citizen_id IS NOT NULL")),
    Index("ix_appeal_phone", "phone_index", postgresql_where=text("phone_index IS NOT NULL")),
    Index("ix_appeal_overdue", "city_id", text("registered_at DESC"), text("id DESC"),
          postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_appeal_closed", "city_id", "closed_at",
          postgresql_include=["first_contact", "district"],
          postgresql_where=text("status = 'closed'")),
    Index("ix_appeal_control", "city_id", "due_at", "id", postgresql_include=CONTROLLED,
          postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_appeal_control_executor", "organisation_id", "due_at", "id",
          postgresql_include=[name for name in CONTROLLED if name != "organisation_id"],
          postgresql_where=text("due_at IS NOT NULL AND organisation_id IS NOT NULL")),
    Index("ix_appeal_pause", "pause_until", postgresql_where=text("pause_until IS NOT NULL")),
    Index("ix_appeal_incident", "incident_id", "incident_followed",
          postgresql_where=text("incident_id IS NOT NULL")),
    Index("ix_appeal_near", "city_id", "service", "cell", "registered_at",
          postgresql_where=text("cell IS NOT NULL AND status IN"
                                " ('registered', 'assigned', 'in_progress', 'paused')")),
)  # fmt: skip

assignment = Table(
    "assignment",
    metadata,
    own_id(),
    same_city_id(),
    appeal_id(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("offered_at", instant(), nullable=False),
    Column("answered_at", instant()),
    Column("done_at", instant()),
    Column("reason", Text),
    Index("ix_assignment_appeal_id", "appeal_id"),
    Index("ix_assignment_queue", "organisation_id", "state", text("offered_at DESC"),
          text("id DESC")),
)  # fmt: skip

clock = Table(
    "clock",
    metadata,
    same_city_id(),
    appeal_id(),
    Column("stage", Text, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("calendar_version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", instant(), nullable=False),
    Column("due_at", instant(), nullable=False),
    Column("target", Interval, nullable=False),
    Column("paused_at", instant()),
    Column("paused_reason", Text),
    Column("paused_for", Interval, nullable=False),
    Column("met_at", instant()),
    Column("breached_at", instant()),
    Column("cancelled_at", instant()),
    Column("step", SmallInteger, nullable=False),
    Column("next_at", instant()),
    # That of the appeal: counts by district need no look at it.
    Column("district", Text),
    # Who has the appeal: an executor's promises are found among no others.
    Column("organisation_id", UUID),
    PrimaryKeyConstraint("appeal_id", "stage", "round"),
    Index("ix_clock_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    Index("ix_clock_list", "city_id", "state", "stage", "due_at", "appeal_id", "round"),
    Index("ix_clock_executor", "organisation_id", "state", "stage", "due_at", "appeal_id",
          "round", postgresql_where=text("organisation_id IS NOT NULL")),
    Index("ix_clock_considered", "city_id", "met_at",
          postgresql_include=["organisation_id", "district", "stage", "breached_at"],
          postgresql_where=text(CONSIDERED)),
    Index("ix_clock_considered_executor", "organisation_id", "met_at",
          postgresql_include=["district", "stage", "breached_at"],
          postgresql_where=text(f"{CONSIDERED} AND organisation_id IS NOT NULL")),
)  # fmt: skip

event = Table(
    "event",
    metadata,
    own_id(),
    same_city_id(),
    appeal_id(),
    Column("sequence", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", instant(), nullable=False),
    Column("internal", Boolean, nullable=False),
    Column("canonical", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    UniqueConstraint("appeal_id", "sequence"),
    Index("ix_event_order", "xid", "id"),
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
    own_id(),
    city_id(),
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
    Column("incident_id", UUID, ForeignKey("incident.id")),
    Column("created_at", instant(), nullable=False),
    Index("ix_attachment_appeal_id", "appeal_id"),
    Index("ix_attachment_original_sha256", "original_sha256"),
)

personal_read = Table(
    "personal_read",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    city_id(),
    Column("appeal_id", UUID, ForeignKey("appeal.id")),
    Column("reader_id", UUID, nullable=False),
    Column("role", Text, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
    Column("at", instant(), nullable=False),
    Column("citizen_id", UUID, ForeignKey("citizen.id")),
    Column("organisation_id", UUID),
    Column("operation", Text, nullable=False, server_default=text("'readApplicant'")),
    Column("purpose", Text),
    Index("ix_personal_read_appeal_id", "appeal_id"),
    Index("ix_personal_read_citizen_id", "citizen_id"),
    Index("ix_personal_read_city_id", "city_id", text("at DESC"), text("id DESC")),
)

# --- beside the register ---------------------------------------------------------------

consultation = Table(
    "consultation",
    metadata,
    own_id(),
    city_id(),
    Column("service", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("operator_id", UUID, nullable=False),
    Column("contact_id", UUID),
    Column("district", Text),
    Column("at", instant(), nullable=False),
    Index("ix_consultation_city_id_at", "city_id", "at"),
)

# --- consequences ----------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    same_city_id(),
    Column("event_id", UUID, ForeignKey("event.id"), nullable=False),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Index("ix_outbox_order", "xid", "id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal_id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", instant(), nullable=False),
    PrimaryKeyConstraint("principal_id", "key"),
    Index("ix_idempotency_created_at", "created_at"),
)
