"""The login without the rooms beside it: residents, members and waiting clients in memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid5

import httpx2
import yaml
from starlette.applications import Starlette

from api.app import create_app
from api.bootstrap import House, open_ways
from api.login.wiring import open_door
from domain.access import Role
from domain.errors import Conflict, NotFound
from domain.identity.model import Person, Subject
from domain.identity.ports import Asked
from tests.support.city import KISHI, names

BASE = "http://109.example"
APP = "kz.ikomek.app:/back"
"""Where the client of the tests takes people back: a mobile application."""


@dataclass
class Peoples:
    """Everybody that the city knows."""

    memberships: list[Subject] = field(default_factory=list)
    residents: dict[str, Subject] = field(default_factory=dict)
    earlier: dict[str, int] = field(default_factory=dict)
    linked: list[tuple[Subject, str]] = field(default_factory=list)
    invitations: dict[str, Subject | str] = field(default_factory=dict)
    """By token: the member it makes, or why it makes none."""

    async def resident(self, city: UUID, person: Person, at: datetime) -> Subject:
        assert at.tzinfo is not None
        id = uuid5(city, person.subject)
        return self.residents.setdefault(
            person.subject, Subject(id, city, Role.CITIZEN, name=person.full_name)
        )

    async def meet(self, city: UUID, person: Person, at: datetime) -> UUID:
        return (await self.resident(city, person, at)).id

    async def members(self, city: UUID, person: Person) -> list[Subject]:
        return [one for one in self.memberships if one.city == city]

    async def invited_to(self, invitation: str) -> tuple[UUID, UUID] | None:
        found = self.invitations.get(invitation)
        if not isinstance(found, Subject) or found.organisation is None:
            return None
        return found.city, found.organisation

    async def redeem(self, invitation: str, person: Person, at: datetime) -> Subject:
        found = self.invitations.get(invitation)
        if found is None:
            raise NotFound(kind="invitation", id="")
        if isinstance(found, str):
            raise Conflict(reason=found)
        self.invitations[invitation] = "nothing-changed"
        return found

    async def linkable(self, resident: Subject, person: Person) -> int:
        return self.earlier.get(person.phone or "", 0)

    async def link(self, resident: Subject, person: Person, at: datetime) -> int:
        self.linked.append((resident, person.phone or ""))
        return self.earlier.pop(person.phone or "", 0)


@dataclass
class Waiting:
    """Clients' requests that wait, by handle, and what they were answered."""

    requests: dict[str, Asked] = field(default_factory=dict)
    granted: dict[str, tuple[Subject, frozenset[str]]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    """Handles of requests that began in another browser."""

    def ask(self, handle: str, *, staff: bool = False, **changes: Any) -> str:
        asked: dict[str, Any] = {
            "city": KISHI.id, "client_id": "app", "client_name": "iKOMEK <109>", "staff": staff,
            "scopes": frozenset({"appeals:read", "appeals:write"}), "language": "ru",
        }  # fmt: skip
        self.requests[handle] = Asked(**asked | changes)
        return handle

    async def asked(self, handle: str) -> Asked:
        if handle not in self.requests:
            raise NotFound(kind="authorization-request", id="")
        return self.requests[handle]

    async def grant(
        self, handle: str, subject: Subject, scopes: frozenset[str], at: datetime
    ) -> str:
        await self.asked(handle)
        del self.requests[handle]
        self.granted[handle] = subject, scopes
        return f"{APP}?code=the-code"

    async def refuse(self, handle: str, error: str, at: datetime) -> str:
        await self.asked(handle)
        del self.requests[handle]
        self.refused[handle] = error
        return f"{APP}?error={error}"


WORDS = {"appeals:read": names("Обращения читать"), "appeals:write": names("Обращения подавать")}


@dataclass
class Desk:
    """The login as its visitors meet it."""

    app: Starlette
    people: Peoples
    waiting: Waiting

    def browser(self, **headers: str) -> httpx2.AsyncClient:
        """A browser with cookies of its own that follows nothing by itself."""
        transport = httpx2.ASGITransport(app=self.app)
        return httpx2.AsyncClient(transport=transport, base_url=BASE, headers=headers)


@asynccontextmanager
async def open_desk(
    house: House,
    folder: Path,
    *entries: Mapping[str, Any],
    base_url: str = BASE,
    mobile: Mapping[str, Any] | None = None,
) -> AsyncIterator[Desk]:
    """The application with its login over providers of a file."""
    file = folder / "providers.yaml"
    content: dict[str, Any] = {"providers": [dict(one) for one in entries]}
    file.write_text(yaml.safe_dump(content | ({"mobile": dict(mobile)} if mobile else {})))
    settings = house.settings.model_copy(update={"providers": file, "public_url": base_url})
    # The copy would remember where the other one's links begin.
    settings.__dict__.pop("base_url", None)
    async with open_ways(settings, house.signings) as opened:
        desk = Desk(create_app(settings), Peoples(), Waiting())
        desk.app.state.login = open_door(
            house, opened, people=desk.people, authorizations=desk.waiting,
            scope_words=WORDS.get, bound=lambda _, handle: handle not in desk.waiting.elsewhere,
            base_url=base_url,
        )  # fmt: skip
        yield desk


def location(response: httpx2.Response) -> str:
    """Where an answer sends the browser."""
    assert response.status_code == 303, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.headers["location"]


def ticket_of(page: httpx2.Response) -> str:
    """The ticket of a page's form."""
    assert page.status_code == 200, page.text
    return unescape(page.text.split('name="ticket" value="')[1].split('"')[0])


def query_of(url: str) -> dict[str, str]:
    """The query of an address."""
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
