"""Who somebody is, as an identity provider tells it, and whom the city knows them as."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.access import Role


@dataclass(frozen=True, slots=True)
class Person:
    """What an identity provider says of somebody who logged in.

    `provider` is the provider's code in the settings, `subject` its own lasting id of the person
    (eGov has none but the IIN). `iin` is valid where it is told, `phone` is E.164 and was verified
    by the provider. Nothing here says how the person proved who they are: no provider tells it in a
    way that could be relied upon.
    """

    provider: str
    subject: str
    iin: str | None = None
    surname: str | None = None
    name: str | None = None
    patronymic: str | None = None
    birth_date: date | None = None
    phone: str | None = None
    email: str | None = None

    @property
    def full_name(self) -> str:
        """Surname, name and patronymic, as far as they were told."""
        return " ".join(filter(None, (self.surname, self.name, self.patronymic)))


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the city knows somebody as: one of its residents, or a member of an organisation.

    A person may be several: a resident, and a member of each organisation that took them in.
    """

    id: UUID
    city: UUID
    role: Role
    organisation: UUID | None = None
    name: str = ""
    district: str | None = None

    @property
    def is_resident(self) -> bool:
        """Whether they are here as a resident."""
        return self.role is Role.CITIZEN
