"""Loaders: what many fields ask for one by one is fetched once for all of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from strawberry.dataloader import DataLoader

from api.graphql.context import Context
from api.rest.operation import sound_step
from domain.questions import IncidentFilter


def appeals_by(context: Context, field: str, parts: frozenset[str]) -> DataLoader[Any, Any]:
    """Sketches of appeals by `number` or `id`, with these parts; None for what does not exist.

    A number of odd signs is that of none, and is not asked for: it would spoil all the others.
    """

    def make(context: Context) -> DataLoader[Any, Any]:
        async def load(keys: list[Any]) -> Sequence[Any]:
            sound = [key for key in keys if sound_step(str(key))]
            async with context.turns:
                found = await context.house.sketches.by(context.require(), field, sound, parts)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    return context.loader(f"appeals by {field} {sorted(parts)}", make)


def events(
    context: Context, *, internal: bool, after: int, limit: int
) -> DataLoader[UUID, list[dict[str, Any]]]:
    """The histories of appeals by their ids."""

    def make(context: Context) -> DataLoader[UUID, list[dict[str, Any]]]:
        async def load(keys: list[UUID]) -> Sequence[list[dict[str, Any]]]:
            async with context.turns:
                found = await context.house.bundles.events(
                    context.require(), keys, internal=internal, after=after, limit=limit
                )
            return [found.get(key, []) for key in keys]

        return DataLoader(load_fn=load)

    return context.loader(f"events {internal} {after} {limit}", make)


def attachments(context: Context) -> DataLoader[UUID, list[Any]]:
    """The attachments of appeals by their ids."""

    def make(context: Context) -> DataLoader[UUID, list[Any]]:
        async def load(keys: list[UUID]) -> Sequence[list[Any]]:
            async with context.turns:
                found = await context.house.bundles.attachments(context.require(), keys)
            return [found.get(key, []) for key in keys]

        return DataLoader(load_fn=load)

    return context.loader("attachments", make)


def incidents(context: Context) -> DataLoader[UUID, Any]:
    """Incidents as the caller sees them; None for those that do not exist for them."""

    def make(context: Context) -> DataLoader[UUID, Any]:
        async def load(keys: list[UUID]) -> Sequence[Any]:
            wanted = IncidentFilter(ids=frozenset(keys))
            async with context.turns:
                found = await context.house.incidents.incidents(
                    context.require(), wanted, None, len(keys)
                )
            seen = {one.incident.id: one for one in found}
            return [seen.get(key) for key in keys]

        return DataLoader(load_fn=load)

    return context.loader("incidents", make)
