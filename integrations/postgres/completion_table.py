"""What became of each 'done': counted here, so that figures need not read the register.

Everything in it follows from the events; it can be made again from them (migration 0008 did).
"""

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from integrations.postgres.schema import appeal_id, instant, metadata, same_city_id

completion = Table(
    "completion",
    metadata,
    same_city_id(),
    appeal_id(),
    Column("number", SmallInteger, nullable=False),
    Column("organisation_id", UUID, ForeignKey("organisation.id"), nullable=False),
    Column("service", Text, nullable=False),
    Column("district", Text),
    Column("done_at", instant(), nullable=False),
    Column("verdict", Text),
    Column("judged_at", instant()),
    PrimaryKeyConstraint("appeal_id", "number"),
    Index("ix_completion_period", "city_id", "done_at"),
    Index("ix_completion_executor", "organisation_id", "done_at"),
)
