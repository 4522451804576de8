"""What lists, searches and counts are answered from; all of it follows from the appeals.

A card is an appeal as searches ask for it: its facets as numbers, the organisations that it was
ever given to, its words. One index holds all three, so that any of them together are looked up as
one. Its row changes only when a facet does, since each change writes the words' index anew.

A tally is a change of a count, written by triggers with the fact itself: nobody waits for
another's row, and the sum is exact at any moment. The scheduler adds them up (statistics.py).

A holding is the same for a set of organisations: all that an appeal was ever given to, whoever
they are by now. Each appeal stands with one set alone, so that those of whoever sees several
organisations are the sum of all sets with any of them, none of it twice.

A desk is what of that is still open and how it stands, in the order of lists, so that those of an
organisation are found without stepping over everybody's. The scheduler sweeps what has ended.

A meeting is what an appeal of the city ever was of and about, once and for good: of what never met
nothing is found, and nothing looked for. A dealing is the same of an organisation: a facet of some
card that was ever given to it, days aside.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy import Integer as Int
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from integrations.postgres.schema import appeal_id, city_id, instant, metadata, same_city_id

card = Table(
    "card",
    metadata,
    appeal_id(),
    same_city_id(),
    Column("registered_at", instant(), nullable=False),
    Column("facets", ARRAY(Int), nullable=False),
    Column("organisations", ARRAY(UUID), nullable=False),
    Column("words", Text, nullable=False),
    PrimaryKeyConstraint("appeal_id"),
    # Few entries may wait to be sorted in: whoever is the one to sort them in waits for it.
    Index("ix_card_found", "facets", "organisations", "words", postgresql_using="gin",
          postgresql_ops={"words": "gin_trgm_ops"},
          postgresql_with={"gin_pending_list_limit": 256}),
)  # fmt: skip

# SQLAlchemy gives DDL no types.
event.listen(card, "before_create", DDL("CREATE EXTENSION IF NOT EXISTS pg_trgm"))  # type: ignore[no-untyped-call]

tally = Table(
    "tally",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    same_city_id(),
    Column("subject", Text, nullable=False),
    Column("place", Text),
    Column("state", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
)

holding = Table(
    "holding",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    same_city_id(),
    Column("subject", Text, nullable=False),
    Column("holders", ARRAY(UUID), nullable=False),
    Column("state", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    # The sum of what was added up already; what was not lies loose beside it.
    Index("uq_holding_settled", "city_id", "subject", "holders", "state", unique=True,
          postgresql_where=text("settled")),
    Index("ix_holding_loose", "id", postgresql_where=text("NOT settled")),
)  # fmt: skip

desk = Table(
    "desk",
    metadata,
    Column("organisation_id", UUID, nullable=False),
    Column("registered_at", instant(), nullable=False),
    Column("appeal_id", UUID, nullable=False),
    same_city_id(),
    Column("ended", Boolean, nullable=False, server_default=text("false")),
    Column("status", Text, nullable=False),
    PrimaryKeyConstraint("organisation_id", "registered_at", "appeal_id"),
    Index(
        "ix_desk_status",
        "organisation_id",
        "status",
        "registered_at",
        "appeal_id",
        postgresql_where=text("NOT ended"),
    ),
    Index("ix_desk_ended", "appeal_id", postgresql_where=text("ended")),
)

meeting = Table(
    "meeting",
    metadata,
    city_id(),
    Column("service", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("sphere", Text, nullable=False),
    Column("kind", Text, nullable=False),
    PrimaryKeyConstraint("city_id", "service", "category", "sphere", "kind"),
)

dealing = Table(
    "dealing",
    metadata,
    Column("organisation_id", UUID, nullable=False),
    Column("facet", Int, nullable=False),
    same_city_id(),
    # No key: two who are the first at once both write it, and neither waits for the other.
    Index("ix_dealing_of", "organisation_id", "facet"),
)
