"""The tables of who came to be whom: invitations, identities, and what became of members."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from integrations.postgres.schema import city_id, instant, metadata, own_id

invitation = Table(
    "invitation",
    metadata,
    own_id(),
    city_id(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("district", Text),
    Column("name", Text),
    # The secret itself is known to the invited alone.
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("iin_index", LargeBinary),
    Column("sealed", LargeBinary),
    Column("invited_by", UUID, nullable=False),
    Column("created_at", instant(), nullable=False),
    Column("ends_at", instant(), nullable=False),
    Column("redeemed_at", instant()),
    Column("member_id", UUID, ForeignKey("member.id")),
    Column("revoked_at", instant()),
    CheckConstraint("num_nonnulls(redeemed_at, revoked_at) <= 1", name="one_end"),
    CheckConstraint("(redeemed_at IS NULL) = (member_id IS NULL)", name="redeemed_by_member"),
    Index("ix_invitation_city_id", "city_id", text("created_at DESC"), text("id DESC")),
    Index("ix_invitation_invited_by", "invited_by"),
)

identity = Table(
    "identity",
    metadata,
    own_id(),
    city_id(),
    Column("provider", Text, nullable=False),
    Column("subject_index", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("citizen_id", UUID, ForeignKey("citizen.id")),
    Column("member_id", UUID, ForeignKey("member.id")),
    Column("created_at", instant(), nullable=False),
    CheckConstraint("num_nonnulls(citizen_id, member_id) = 1", name="one_subject"),
    Index("uq_identity_citizen", "city_id", "provider", "subject_index", unique=True,
          postgresql_where=text("citizen_id IS NOT NULL")),
    Index("ix_identity_member", "city_id", "provider", "subject_index",
          postgresql_where=text("member_id IS NOT NULL")),
    Index("ix_identity_citizen_id", "citizen_id"),
)  # fmt: skip

member_event = Table(
    "member_event",
    metadata,
    own_id(),
    city_id(),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("member_id", UUID, ForeignKey("member.id")),
    Column("invitation_id", UUID, ForeignKey("invitation.id")),
    Column("type", Text, nullable=False),
    Column("actor_id", UUID, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("district", Text),
    Column("reason", Text),
    Column("at", instant(), nullable=False),
    CheckConstraint("num_nonnulls(member_id, invitation_id) >= 1", name="about_somebody"),
    Index("ix_member_event_member_id", "member_id", "at"),
    Index("ix_member_event_invitation_id", "invitation_id"),
)
