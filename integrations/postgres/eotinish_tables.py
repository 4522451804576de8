"""The tables of the exchange with the national register of appeals (e-Өтініш).

`eotinish_file` is what the state named besides and is to be fetched.
`eotinish_message` is what the city tells, one row for each event that is told, under the event's
own id; `eotinish_inbox` what the state told, each message once. Both keep everything: what is over
says so in its state.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
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
from sqlalchemy.dialects.postgresql import JSONB, UUID

from integrations.postgres.schema import city_id, instant, metadata, own_id

STATES = "state IN ('pending', 'done', 'repeated', 'quarantined', 'dropped')"

eotinish_city = Table(
    "eotinish_city",
    metadata,
    Column("city_id", UUID, ForeignKey("city.id"), nullable=False),
    Column("since", instant(), nullable=False),
    Column("selection", JSONB, nullable=False),
    # Until when nothing is sent: something of the exchange itself must be mended first.
    Column("held_until", instant()),
    Column("held_fault", Text),
    PrimaryKeyConstraint("city_id"),
)

eotinish_case = Table(
    "eotinish_case",
    metadata,
    # Written before its appeal, in the same transaction.
    Column("appeal_id", UUID, ForeignKey("appeal.id", deferrable=True, initially="DEFERRED"),
           nullable=False),
    city_id(),
    Column("own_number", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("number", Text),
    Column("state", Text),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column("deadline", instant()),
    Column("opened_at", instant(), nullable=False),
    PrimaryKeyConstraint("appeal_id"),
    UniqueConstraint("city_id", "number"),
    UniqueConstraint("city_id", "own_number"),
    CheckConstraint("origin IN ('city', 'state')", name="origin"),
)  # fmt: skip

eotinish_message = Table(
    "eotinish_message",
    metadata,
    own_id(),
    city_id(),
    Column("appeal_id", UUID, ForeignKey("appeal.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("notice", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("created_at", instant(), nullable=False),
    Column("next_attempt_at", instant(), nullable=False),
    Column("leased_until", instant()),
    # When the async channel took it; then `correlation_id` is the gateway's own id of it.
    Column("sent_at", instant()),
    Column("asked", Integer, nullable=False, server_default=text("0")),
    Column("finished_at", instant()),
    Column("correlation_id", Text),
    Column("fault", Text),
    Column("detail", Text),
    Column("reason", Text),
    Column("judged_by", UUID),
    UniqueConstraint("appeal_id", "sequence"),
    CheckConstraint(STATES, name="state"),
    Index("ix_eotinish_message_due", "next_attempt_at", "id",
          postgresql_where=text("state = 'pending'")),
    Index("ix_eotinish_message_waiting", "appeal_id", "sequence",
          postgresql_where=text("state = 'pending'")),
    Index("ix_eotinish_message_tried", "city_id",
          postgresql_where=text("state = 'pending' AND notice = 'register'"
                                " AND (attempts > 0 OR judged_by IS NOT NULL)")),
    Index("ix_eotinish_message_quarantine", "city_id", "finished_at",
          postgresql_where=text("state = 'quarantined'")),
)  # fmt: skip

eotinish_inbox = Table(
    "eotinish_inbox",
    metadata,
    own_id(),
    city_id(),
    Column("message_id", Text, nullable=False),
    Column("correlation_id", Text),
    # What could be read of it at once; nothing where it looks like no message of the contract.
    Column("number", Text),
    Column("version", Integer),
    Column("tale", Text),
    Column("document", LargeBinary, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("received_at", instant(), nullable=False),
    Column("next_attempt_at", instant(), nullable=False),
    Column("acknowledged_at", instant()),
    Column("finished_at", instant()),
    Column("appeal_id", UUID, ForeignKey("appeal.id", deferrable=True, initially="DEFERRED")),
    Column("fault", Text),
    Column("detail", Text),
    Column("reason", Text),
    Column("judged_by", UUID),
    UniqueConstraint("city_id", "message_id"),
    CheckConstraint(STATES, name="state"),
    Index("ix_eotinish_inbox_due", "city_id", "received_at", "id",
          postgresql_where=text("state = 'pending'")),
    Index("ix_eotinish_inbox_unacknowledged", "city_id", "received_at",
          postgresql_where=text("acknowledged_at IS NULL")),
    Index("ix_eotinish_inbox_quarantine", "city_id", "finished_at",
          postgresql_where=text("state = 'quarantined'")),
    Index("ix_eotinish_inbox_number", "city_id", "number", "version"),
)  # fmt: skip

eotinish_file = Table(
    "eotinish_file",
    metadata,
    # What the attachment is called that is made of it.
    own_id(),
    city_id(),
    Column("appeal_id", UUID, ForeignKey("appeal.id", deferrable=True, initially="DEFERRED"),
           nullable=False),
    # What the state's store calls it.
    Column("identifier", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("created_at", instant(), nullable=False),
    Column("next_attempt_at", instant(), nullable=False),
    Column("leased_until", instant()),
    Column("finished_at", instant()),
    Column("fault", Text),
    Column("detail", Text),
    Column("reason", Text),
    Column("judged_by", UUID),
    UniqueConstraint("appeal_id", "identifier"),
    CheckConstraint(STATES, name="state"),
    Index("ix_eotinish_file_due", "city_id", "next_attempt_at", "id",
          postgresql_where=text("state = 'pending'")),
    Index("ix_eotinish_file_quarantine", "city_id", "finished_at",
          postgresql_where=text("state = 'quarantined'")),
)  # fmt: skip

eotinish_report = Table(
    "eotinish_report",
    metadata,
    own_id(),
    city_id(),
    # The city's day that a nightly comparison is of; none where somebody asked for it.
    Column("day", Text),
    Column("at", instant(), nullable=False),
    Column("finished_at", instant()),
    Column("ours", Integer, nullable=False, server_default=text("0")),
    Column("theirs", Integer, nullable=False, server_default=text("0")),
    Column("differences", JSONB, nullable=False, server_default=text("'[]'")),
    Column("repaired", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("city_id", "day"),
    Index("ix_eotinish_report_list", "city_id", text("at DESC"), text("id DESC")),
)
