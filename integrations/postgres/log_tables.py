"""The log over the register: leaves in order, tiles of their tree, what was signed of it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import UUID

from integrations.postgres.schema import Xid8, city_id, instant, metadata

log_leaf = Table(
    "log_leaf",
    metadata,
    # No foreign keys: a leaf outlives its event, so that it can tell that one is gone.
    Column("city_id", UUID, nullable=False),
    Column("index", BigInteger, nullable=False),
    Column("event_id", UUID, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("city_id", "index"),
    UniqueConstraint("event_id"),
)

log_tile = Table(
    "log_tile",
    metadata,
    Column("city_id", UUID, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("index", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    PrimaryKeyConstraint("city_id", "level", "index"),
)

log_key = Table(
    "log_key",
    metadata,
    city_id(),
    Column("key", Text, nullable=False),
    Column("since", instant(), nullable=False),
    PrimaryKeyConstraint("city_id", "key"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    city_id(),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("at", instant(), nullable=False),
    Column("note", Text, nullable=False),
    PrimaryKeyConstraint("city_id", "size"),
)

cosignature = Table(
    "cosignature",
    metadata,
    Column("city_id", UUID, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("at", instant(), nullable=False),
    PrimaryKeyConstraint("city_id", "size", "key"),
    ForeignKeyConstraint(
        ["city_id", "size"],
        ["checkpoint.city_id", "checkpoint.size"],
        name="fk_cosignature_checkpoint",
    ),
)

day_end = Table(
    "day_end",
    metadata,
    city_id(),
    Column("day", Date, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mailed_at", instant()),
    PrimaryKeyConstraint("city_id", "day"),
)
"""With which checkpoint each day of a city ended, and when that was mailed."""

log_cursor = Table(
    "log_cursor",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("xid", Xid8, nullable=False),
    Column("event_id", UUID, nullable=False),
    Column("cluster", Text),
    CheckConstraint("id = 1", name="one"),
)
"""How far the events are sealed; of the transactions of which cluster of databases."""
