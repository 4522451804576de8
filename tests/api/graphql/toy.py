"""A small schema that counts how often its resolvers ran, for tests of what happens before them."""

import asyncio
from collections.abc import AsyncGenerator

import strawberry

RAN: list[str] = []
"""Every resolver that ran."""


@strawberry.type
class Service:
    code: str
    name: str

    @strawberry.field
    def kin(self) -> list["Service"]:
        RAN.append("kin")
        return [self]


@strawberry.type
class Appeal:
    number: str
    text: str | None

    @strawberry.field
    def service(self) -> Service:
        RAN.append("service")
        return Service(code="roads", name="Roads")

    @strawberry.field
    def similar(self, first: int = 20) -> list["Appeal"]:
        RAN.append("similar")
        return [self] * min(first, 3)


@strawberry.type
class AppealConnection:
    nodes: list[Appeal | None]


@strawberry.input
class Filter:
    numbers: list[str] | None = None
    inner: "Filter | None" = None


@strawberry.type
class Query:
    @strawberry.field
    def appeals(self, first: int = 20, filter: Filter | None = None) -> AppealConnection:
        RAN.append("appeals")
        return AppealConnection(nodes=[appeal(n) for n in range(first)])

    @strawberry.field
    def appeal(self, number: str = "1") -> Appeal | None:
        RAN.append("appeal")
        return appeal(1)

    @strawberry.field
    def named(self, ids: list[strawberry.ID]) -> list[Appeal]:
        RAN.append("named")
        return [appeal(1) for _ in ids]

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("the text of somebody's appeal")

    @strawberry.field(metadata={"cost": 7})
    def dear(self) -> str:
        RAN.append("dear")
        return "dear"

    @strawberry.field
    async def slow(self) -> str:
        await asyncio.sleep(5)
        return "slow"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncGenerator[int, None]:
        for n in range(3):
            yield n

    @strawberry.subscription
    async def endless(self) -> AsyncGenerator[int, None]:
        yield 0
        await asyncio.Event().wait()


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self, number: str) -> str:
        RAN.append("touch")
        return number


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)
GRAPH = SCHEMA._schema


def appeal(n: int) -> Appeal:
    return Appeal(number=str(n), text="люк")
