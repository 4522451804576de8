"""The tables of incidents: one physical problem behind many appeals, and its history."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
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

incident = Table(
    "incident",
    metadata,
    own_id(),
    city_id(),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("matching", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("services", ARRAY(Text), nullable=False),
    Column("area", JSONB, nullable=False),
    Column("districts", ARRAY(Text), nullable=False),
    Column("texts", JSONB, nullable=False),
    Column("owner_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("executor_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("opened_by", UUID, nullable=False),
    Column("opened_at", instant(), nullable=False),
    Column("updated_at", instant(), nullable=False),
    Column("planned_from", instant()),
    Column("planned_to", instant()),
    Column("started_at", instant()),
    Column("accepted_at", instant()),
    Column("resolved_at", instant()),
    Column("ended_at", instant()),
    Column("reported", ARRAY(Text), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("acts", Integer, nullable=False),
    # False while a joined appeal may still have an act to follow.
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    Index("ix_incident_list", "city_id", text("opened_at DESC"), text("id DESC")),
    Index("ix_incident_live", "city_id",
          postgresql_where=text("status IN ('announced', 'active')")),
    Index("ix_incident_unsettled", "city_id", postgresql_where=text("NOT settled")),
)  # fmt: skip

incident_event = Table(
    "incident_event",
    metadata,
    Column("incident_id", UUID, ForeignKey("incident.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    city_id(),
    Column("type", Text, nullable=False),
    Column("at", instant(), nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("actor_id", UUID, nullable=False),
    Column("actor_organisation", UUID),
    Column("act", Integer),
    Column("data", JSONB, nullable=False),
    Column("sealed", LargeBinary),
    PrimaryKeyConstraint("incident_id", "sequence"),
)

shared_attachment = Table(
    "shared_attachment",
    metadata,
    Column("appeal_id", UUID, ForeignKey("appeal.id"), nullable=False),
    Column("attachment_id", UUID, ForeignKey("attachment.id"), nullable=False),
    PrimaryKeyConstraint("appeal_id", "attachment_id"),
    Index("ix_shared_attachment_attachment_id", "attachment_id"),
)
"""Evidence of an incident, shown with each appeal that was resolved by it."""
