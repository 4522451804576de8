"""Who sees which appeals, as a condition in SQL: the first of the two tenant walls.

Every statement that touches an appeal takes its condition from here, so that no query
can forget it (law 5); a foreign appeal is simply not among the rows.
"""

from collections.abc import Collection
from typing import Any

from domain.access import CITY_WIDE, Principal, Role


class Parameters:
    """Positional parameters in the making: `add` keeps a value and names its place ($n)."""

    def __init__(self, *values: object) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: object) -> str:
        """The placeholder for a value."""
        self.values.append(value)
        return f"${len(self.values)}"


def lies_in(districts: Collection[str], parameters: Parameters, column: str) -> str:
    """The condition that a column names one of these districts: of one an equality, by which an
    index is read in its order.
    """
    if len(districts) == 1:
        return f"{column} = {parameters.add(next(iter(districts)))}"
    return f"{column} = ANY({parameters.add(sorted(districts))})"


def visible(principal: Principal, parameters: Parameters, alias: str = "a") -> str:
    """The condition under which `alias`, a row of `appeal`, exists for the principal."""
    city = f"{alias}.city_id = {parameters.add(principal.city)}"
    if principal.role is Role.CITIZEN:
        return f"{city} AND {alias}.citizen_id = {parameters.add(principal.citizen)}"
    if principal.role not in CITY_WIDE:
        own = parameters.add(list(principal.organisations))
        return (
            f"{city} AND EXISTS (SELECT 1 FROM assignment s"
            f" WHERE s.appeal_id = {alias}.id AND s.organisation_id = ANY({own}))"
        )
    if (districts := principal.confined) is not None:
        return f"{city} AND {lies_in(districts, parameters, f'{alias}.district')}"
    return city


def counted(principal: Principal, parameters: Parameters, alias: str = "n") -> str:
    """The condition under which `alias`, a row of `consultation`, counts for the principal."""
    city = f"{alias}.city_id = {parameters.add(principal.city)}"
    if principal.role not in CITY_WIDE:
        own = parameters.add(list(principal.organisations))
        return (
            f"{city} AND EXISTS (SELECT 1 FROM member m"
            f" WHERE m.id = {alias}.operator_id AND m.organisation_id = ANY({own}))"
        )
    if (districts := principal.confined) is not None:
        return f"{city} AND {lies_in(districts, parameters, f'{alias}.district')}"
    return city


def performed(principal: Principal, parameters: Parameters, alias: str = "c") -> str:
    """The condition under which `alias`, a row of `completion`, counts for the principal.

    Who sees less than a city judges the work of its own organisations, not that of whoever had
    the appeal before or after them.
    """
    city = f"{alias}.city_id = {parameters.add(principal.city)}"
    if principal.role not in CITY_WIDE:
        own = parameters.add(list(principal.organisations))
        return f"{city} AND {alias}.organisation_id = ANY({own})"
    if (districts := principal.confined) is not None:
        return f"{city} AND {lies_in(districts, parameters, f'{alias}.district')}"
    return city


def receiving(principal: Principal, parameters: Parameters, alias: str = "w") -> str:
    """The condition under which deliveries to `alias`, a row of `webhook_endpoint`, count."""
    city = f"{alias}.city_id = {parameters.add(principal.city)}"
    if principal.role in CITY_WIDE and principal.district is None:
        return city
    own = parameters.add(list(principal.organisations))
    return f"{city} AND {alias}.organisation_id = ANY({own})"


def concerning(principal: Principal, parameters: Parameters, alias: str = "i") -> str:
    """The condition under which `alias`, a row of `incident`, is the principal's business: their
    own organisation's, joined to an appeal that they see, or anything for who sees the city.
    """
    city = f"{alias}.city_id = {parameters.add(principal.city)}"
    everywhere = principal.role in CITY_WIDE and principal.district is None
    if everywhere:
        return city
    joined = (
        f"EXISTS (SELECT 1 FROM appeal a WHERE a.incident_id = {alias}.id"
        f" AND {visible(principal, parameters)})"
    )
    if principal.role is Role.CITIZEN:
        return f"{city} AND {joined}"
    if (districts := principal.confined) is not None:
        here = f"{alias}.districts && {parameters.add(sorted(districts))}::text[]"
        return f"{city} AND ({here} OR {joined})"
    own = f"= ANY({parameters.add(list(principal.organisations))})"
    return f"{city} AND ({alias}.owner_id {own} OR {alias}.executor_id {own} OR {joined})"


def known(principal: Principal, parameters: Parameters, alias: str = "i") -> str:
    """The condition under which an incident exists for the principal: what is public does for
    everybody in the city, though only its public fields.
    """
    city = f"{alias}.city_id = {parameters.add(principal.city)}"
    return f"({city} AND ({alias}.public OR ({concerning(principal, parameters, alias)})))"
