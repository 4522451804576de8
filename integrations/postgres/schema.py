"""What all tables share: the metadata with its naming, and the columns that recur."""

from sqlalchemy import (
    Column,
    ForeignKey,
    MetaData,
    func,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID
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


def instant() -> TIMESTAMP:
    return TIMESTAMP(timezone=True)


def own_id() -> Column[object]:
    return Column("id", UUID, primary_key=True)


def city_id() -> Column[object]:
    return Column("city_id", UUID, ForeignKey("city.id"), nullable=False)


def same_city_id() -> Column[object]:
    """The city of a row that follows from another, which is bound to it.

    It refers to nothing itself: each row that an act writes would lock its city's row once more,
    and that row is everybody's.
    """
    return Column("city_id", UUID, nullable=False)


def appeal_id() -> Column[object]:
    return Column("appeal_id", UUID, ForeignKey("appeal.id"), nullable=False)


def written_at(name: str = "created_at") -> Column[object]:
    return Column(name, instant(), nullable=False, server_default=func.now())
