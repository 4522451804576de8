"""The feed: what each organisation was told, in an order that holds for good."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from integrations.postgres.schema import city_id, instant, metadata, own_id

feed_entry = Table(
    "feed_entry",
    metadata,
    Column("position", BigInteger, Identity(), primary_key=True),
    # No foreign keys: they would cost each event several look-ups, and rows are swept in time.
    Column("city_id", UUID, nullable=False),
    Column("organisation_id", UUID, nullable=False),
    # An event of an appeal, an incident_message or a notice.
    Column("message_id", UUID, nullable=False),
    Column("type", Text, nullable=False),
    Column("told_at", instant(), nullable=False),
    Index("ix_feed_entry_organisation_id", "organisation_id", "position"),
)

incident_message = Table(
    "incident_message",
    metadata,
    own_id(),
    city_id(),
    Column("incident_id", UUID, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", instant(), nullable=False),
    Column("organisations", ARRAY(UUID), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("told", Boolean, nullable=False, server_default=text("false")),
    Index("ix_incident_message_untold", "at", postgresql_where=text("NOT told")),
    Index("ix_incident_message_at", "at"),
)
"""What is said of an incident's act and to whom; kept because an incident goes on changing."""
