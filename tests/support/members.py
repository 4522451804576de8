"""Members and invitations, made as the city's people make them, and persons who log in."""

from typing import Any
from uuid import UUID

from domain.access import Role
from domain.identity.iin import check_digit
from domain.identity.model import Person
from domain.values import new_id
from tests.support.city import KISHI, SmallCity
from tests.support.rest import Callers
from tests.support.sql import fetch


def iin(serial: int, birth: str = "900101", century: int = 3) -> str:
    """A sound IIN; two serials give two."""
    for number in range(serial * 7, 10_000):
        eleven = f"{birth}{century}{number:04d}"
        if (last := check_digit(eleven)) is not None:
            return f"{eleven}{last}"
    raise AssertionError(serial)


def person(serial: int = 1, **changes: Any) -> Person:
    """Somebody as eGov tells of them: named by their IIN."""
    number = changes.pop("iin", iin(serial))
    said: dict[str, Any] = {
        "provider": "egov", "subject": number or f"s-{serial}", "iin": number,
        "surname": "Серікова", "name": "Айгүл", "patronymic": "Маратқызы",
    }  # fmt: skip
    return Person(**said | changes)


async def employed(
    callers: Callers,
    role: Role = Role.EXECUTOR,
    organisation: UUID | None = None,
    *,
    state: str = "active",
    city: SmallCity = KISHI,
) -> str:
    """The id of a new member, of WATER unless another organisation is named."""
    id = new_id()
    standing = state if state in ("active", "suspended", "left") else "active"
    await fetch(
        callers.house,
        "INSERT INTO member (id, city_id, organisation_id, role, name, state)"
        " VALUES ($1, $2, $3, $4, 'Б. Жаңа', $5)",
        id, city.id, organisation or city.water, str(role), standing,
    )  # fmt: skip
    return str(id)


async def token_of(callers: Callers, member: str) -> str:
    """A token of a member."""
    return await callers.house.tokens.issue(KISHI.id, name="test", member=UUID(member))


async def invited(
    callers: Callers, role: Role = Role.EXECUTOR, by: Role = Role.ADMINISTRATOR, **said: Any
) -> Any:
    """An invitation of WATER with its secret, as answered."""
    body = {"organisation": str(KISHI.water), "role": str(role)} | said
    answer = await callers.call("POST", "/v1/invitations", body, role=by)
    assert answer.status_code == 201, answer.text
    return answer.json()
