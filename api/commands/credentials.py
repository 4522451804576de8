"""The demonstration's people and their tokens, kept in one file that only its owner reads."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from api.commands.console import Failure
from api.commands.database import Office
from domain.access import Role
from domain.reference import City
from integrations.postgres import office

FILE = "demo-credentials.json"
CENTRE, AKIMAT = "contact-centre-109", "akimat"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demonstration: a member, or (with a phone) a resident."""

    role: Role
    name: str
    organisation: str | None = None
    district: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """A person's token."""

    role: Role
    name: str
    organisation: str | None
    token: str


_OPERATORS = ("Айгүл Серікова", "Марат Ахметов", "Елена Ким", "Динара Оспанова")
_INSPECTORS = ("Ерлан Жұмабаев", "Ольга Петрова", "Асхат Нұрланов", "Гүлнар Тлеубаева")
_RESIDENTS = ("Жанар Әлиева", "Иван Соколов", "Санжар Болатов", "Наталья Вебер")
EXECUTORS = (
    "water", "heat-centre", "power-ortalyk", "waste-ortalyk", "roads-right-bank", "lighting",
    "cleaning", "buses-1", "emergency-dispatch", "dept-utilities",
)  # fmt: skip

PEOPLE: Sequence[Person] = (
    *(Person(Role.OPERATOR, name, CENTRE) for name in _OPERATORS),
    *(Person(Role.INSPECTOR, name, CENTRE) for name in _INSPECTORS),
    Person(Role.AKIM, "Аким города", AKIMAT),
    Person(Role.AKIM, "Аким района Ертис", "akimat-ertis", district="ertis"),
    Person(Role.ADMINISTRATOR, "Администратор 109", CENTRE),
    Person(Role.AUDITOR, "Аудитор", AKIMAT),
    *(
        Person(role, f"{title} ({code})", code)
        for code in EXECUTORS
        for role, title in ((Role.EXECUTOR, "Диспетчер"), (Role.HEAD, "Руководитель"))
    ),
    *(
        Person(Role.CITIZEN, name, phone=f"+7700000{number:04d}")
        for number, name in enumerate(_RESIDENTS, 1090)
    ),
)


class Credentials:
    """The file of tokens under home; one person has one token in it."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._known = {(c.role, c.name, c.organisation): c for c in self._read()}

    @property
    def all(self) -> list[Credential]:
        """Everybody's, in the order of their making."""
        return list(self._known.values())

    def of(self, role: Role) -> list[Credential]:
        """Those of a role."""
        return [each for each in self.all if each.role is role]

    async def ensure(self, at: Office, city: City, people: Sequence[Person]) -> list[Credential]:
        """A living token for each; those that stand are kept. The file is written once."""
        found = [await self.one(at, city, person) for person in people]
        self.write()
        return found

    async def one(self, at: Office, city: City, person: Person) -> Credential:
        """A living token for one person; `write` keeps it."""
        key = (person.role, person.name, person.organisation)
        known = self._known.get(key)
        if known is not None and await at.tokens.find(known.token) is not None:
            return known
        token = await self._issue(at, city, person)
        made = Credential(person.role, person.name, person.organisation, token)
        self._known[key] = made
        return made

    async def _issue(self, at: Office, city: City, person: Person) -> str:
        citizen = member = None
        async with at.engine.begin() as connection:
            if person.phone is not None:
                citizen = await _citizen(connection, at, city, person)
            else:
                member = await _member(connection, city, person)
        name = _label(person)
        return await at.tokens.issue(city.id, name=name, member=member, citizen=citizen)

    def _read(self) -> list[Credential]:
        try:
            rows = orjson.loads(self.path.read_bytes())["credentials"]
            return [
                Credential(Role(row["role"]), row["name"], row["organisation"], row["token"])
                for row in rows
            ]
        except FileNotFoundError:
            return []
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise Failure(f"{self.path} is spoilt.", "Remove it; new tokens are made.") from error

    def write(self) -> None:
        """Put everybody's into the file, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {"credentials": [asdict(each) for each in self.all]}
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        fresh.replace(self.path)


def executor_of(organisation: str, role: Role = Role.EXECUTOR) -> Person:
    """The dispatcher (or the head) of any organisation of the city."""
    title = "Руководитель" if role is Role.HEAD else "Диспетчер"
    return Person(role, f"{title} ({organisation})", organisation)


def _label(person: Person) -> str:
    """What the list of tokens may say: a resident's name is sealed everywhere (law 6)."""
    return "resident" if person.role is Role.CITIZEN else person.name


async def _citizen(connection: AsyncConnection, at: Office, city: City, person: Person) -> UUID:
    return await office.ensure_citizen(
        connection, city.id, at.keyring, name=person.name, phone=str(person.phone)
    )


async def _member(connection: AsyncConnection, city: City, person: Person) -> UUID:
    firm = await office.organisation_id(connection, city.id, str(person.organisation))
    if firm is None:
        raise Failure(f"There is no organisation '{person.organisation}'.")
    return await office.ensure_member(
        connection, city.id, firm, person.role, person.name, district=person.district
    )
