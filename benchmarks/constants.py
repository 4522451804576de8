"""A bare strawberry schema that answers with constants: the yardstick of benchmarks/graph.py."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import strawberry
from strawberry.asgi import GraphQL

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@strawberry.type
class Service:
    """A service."""

    code: str = "manholes.open-on-road"
    name: str = "Ашық люк"
    criticality: str = "HIGH"


@strawberry.type
class Organisation:
    """An organisation."""

    uuid: UUID = strawberry.field(default_factory=uuid4)
    name: str = "Су арнасы"


@strawberry.type
class Appeal:
    """Ten fields, and two things beside them."""

    number: str
    status: str = "ASSIGNED"
    kind: str = "COMPLAINT"
    channel: str = "PHONE"
    criticality: str = "HIGH"
    emergency: bool = False
    text: str = "Жолда люк ашық тұр, қақпағы жоқ"
    registered_at: datetime = NOW
    due_at: datetime | None = NOW
    version: int = 1
    service: Service = strawberry.field(default_factory=Service)
    organisation: Organisation = strawberry.field(default_factory=Organisation)


APPEALS = [Appeal(number=f"SEM-2026-{n:06d}") for n in range(50)]


@strawberry.type
class Query:
    """The one question."""

    @strawberry.field
    def appeals(self) -> list[Appeal]:
        """The constants."""
        return APPEALS


app: GraphQL[None, None] = GraphQL(strawberry.Schema(Query), graphql_ide=None)
