"""By what lists of appeals can be narrowed: the conditions of the REST API, and places."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api.graphql.enums import AppealStatus, Channel, Criticality, Kind
from api.graphql.saying import as_query
from api.rest.appeals import AppealsQuery, wanted_appeals
from domain.ports import AppealFilter as Wanted


def _given(description: str) -> Any:
    return strawberry.field(description=description, default=None)


@strawberry.input(description="Which appeals; conditions are joined by 'and'.")
class AppealFilter:
    """What is null or left out does not narrow."""

    status: list[AppealStatus] | None = _given("In one of these statuses.")
    service: str | None = _given("Of this service, by code.")
    category: str | None = _given("Of this category, by code.")
    sphere: str | None = _given("Of this sphere, by code.")
    district: str | None = _given("In this district, by code.")
    organisation: UUID | None = _given("With this organisation now.")
    channel: Channel | None = _given("Come by this road.")
    kind: Kind | None = _given("Of this kind.")
    criticality: Criticality | None = _given("Of this criticality.")
    emergency: bool | None = _given("Only emergencies, or only what is none.")
    incident: UUID | None = _given("Joined to this incident.")
    overdue: bool | None = _given("True: only what is past due. False narrows nothing.")
    registered_from: datetime | None = _given("Registered at this time or later.")
    registered_to: datetime | None = _given("Registered before this time.")
    text: str | None = _given("Words, anywhere in text, address and number.")


_NAMES = {"text": "q"}


def wanted(said: AppealFilter | None, context: Any) -> Wanted:
    """The filter as the house has it. Raises Malformed."""
    if said is None:
        return Wanted()
    given = {_NAMES.get(name, name): value for name, value in vars(said).items()}
    if not given["overdue"]:
        del given["overdue"]
    return wanted_appeals(as_query(AppealsQuery, given, "/filter"), context.at)
