"""The REST API as its callers meet it: the real application, in process, with everybody's token."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

import httpx2
from starlette.applications import Starlette

from api.app import create_app
from api.bootstrap import House
from api.rest.openapi import document
from api.settings import Settings
from domain.access import Role
from tests.support.city import KISHI, MANHOLE, MANHOLE_ANSWERS, SmallCity

STAFF = tuple(role for role in Role if role not in (Role.CITIZEN, Role.SYSTEM))
CHANNELS = {Role.CITIZEN: "app"}
"""Roads by which people of a role usually come; the rest take calls."""
BASE = "http://kishi.example"


def documented(method: str, path: str) -> frozenset[int]:
    """The statuses that the contract tells of a call; none of what is not in it."""
    plain = path.partition("?")[0]
    for template, operations in _paths():
        if template.fullmatch(plain):
            return operations.get(method.lower(), frozenset())
    return frozenset()


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, frozenset[int]]]]:
    """Those without a parameter first, which is how the router takes them."""
    return [
        (
            re.compile(re.sub(r"\{\w+\}", "[^/]+", path)),
            {name: frozenset(map(int, one["responses"])) for name, one in methods.items()},
        )
        for path, methods in sorted(document()["paths"].items(), key=lambda item: "{" in item[0])
    ]


async def issue_tokens(house: House, city: SmallCity = KISHI) -> dict[Role, str]:
    """A token for the member of every role and for the resident."""
    tokens: dict[Role, str] = {
        role: await house.tokens.issue(city.id, name="test", member=city.ident(f"member-{role}"))
        for role in STAFF
    }
    tokens[Role.CITIZEN] = await house.tokens.issue(city.id, name="test", citizen=city.citizen)
    return tokens


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[Starlette]:
    """The application between its start and its end."""
    async with app.router.lifespan_context(app):
        yield app


@dataclass
class Callers:
    """Everybody's way to the API. Answers come as httpx2 responses; errors are not hidden."""

    app: Starlette
    house: House
    city: SmallCity
    tokens: Mapping[Role, str]

    def client(self, role: Role | None = Role.INSPECTOR) -> httpx2.AsyncClient:
        """A client with the token of a role, or with none."""
        headers = {"authorization": f"Bearer {self.tokens[role]}"} if role else {}
        return client_of(self.app, headers)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role | None = Role.INSPECTOR,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
        **options: Any,
    ) -> httpx2.Response:
        """One call; a POST gets a fresh Idempotency-Key unless one is named. What it answers is in
        the contract.
        """
        sent = dict(headers or {})
        if method == "POST":
            sent.setdefault("idempotency-key", key or uuid4().hex)
        if body is not None:
            options["json"] = body
        async with self.client(role) as client:
            answer = await client.request(method, path, headers=sent, **options)
        told = documented(method, path)
        assert not told or answer.status_code in told, (
            f"{method} {path} is not told to answer {answer.status_code}: {answer.text}"
        )
        return answer

    async def register(self, role: Role = Role.OPERATOR, **changes: Any) -> dict[str, Any]:
        """Register one appeal about an open manhole; the appeal as answered."""
        said = intake(self.city, **{"channel": CHANNELS.get(role, "phone")} | changes)
        response = await self.call("POST", "/v1/appeals", said, role=role)
        assert response.status_code == 201, response.text
        appeal: dict[str, Any] = response.json()
        return appeal

    async def act(
        self, number: str, action: str, body: Any = None, *, role: Role, **options: Any
    ) -> httpx2.Response:
        """Do one action on an appeal."""
        path = f"/v1/appeals/{number}/{action}"
        return await self.call("POST", path, body or {}, role=role, **options)

    async def brought_to(self, status: str, by: Role = Role.OPERATOR) -> dict[str, Any]:
        """A fresh appeal that was brought to a status by those whose work it is."""
        appeal = await self.register(by, **({"applicant": ...} if by is Role.CITIZEN else {}))
        for action, body, role in _ROADS[status]:
            said = {"organisation": str(self.city.water)} if action == "assign" else body
            response = await self.act(appeal["number"], action, said, role=role)
            assert response.status_code == 200, response.text
            appeal = response.json()
        assert appeal["status"] == status
        return appeal


_Step = tuple[str, Any, Role]
_DECLINED: _Step = ("decline", {"reason": "Не наш люк"}, Role.EXECUTOR)
_ACCEPTED: _Step = ("accept", {}, Role.EXECUTOR)
_RESOLVED: _Step = ("resolve", {"text": "Закрыт", "no_photo_reason": "Ночь"}, Role.EXECUTOR)
_ROADS: Mapping[str, tuple[_Step, ...]] = {
    "registered": (_DECLINED,),
    "assigned": (),
    "in_progress": (_ACCEPTED,),
    "resolved": (_ACCEPTED, _RESOLVED),
    "checked": (_ACCEPTED, _RESOLVED, ("check", {}, Role.INSPECTOR)),
    "closed": (_ACCEPTED, _RESOLVED, ("confirm", {"how": "call"}, Role.OPERATOR)),
    "withdrawn": (("withdraw", {"how": "call"}, Role.OPERATOR),),
}


def client_of(app: Starlette, headers: Mapping[str, str] | None = None) -> httpx2.AsyncClient:
    """A client of an application in this process."""
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url=BASE, headers=dict(headers or {}))


def intake(city: SmallCity = KISHI, **changes: Any) -> dict[str, Any]:
    """The body of a new appeal: an open manhole before house 12."""
    said: dict[str, Any] = {
        "service": MANHOLE,
        "kind": "complaint",
        "channel": "phone",
        "language": "kk",
        "text": "Жолда люк ашық тұр, қақпағы жоқ",
        "location": {"building": str(city.house)},
        "answers": MANHOLE_ANSWERS,
        "applicant": {"name": "Айгүл Серікова", "phone": "+77015550109"},
    }
    return {name: value for name, value in (said | changes).items() if value is not ...}


def assert_problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """That a refusal is told as the contract says; the problem document."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"] == f"/problems/{code}"
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == response.headers["x-request-id"]
    return document


def pointers(response: httpx2.Response) -> dict[str, str]:
    """The faults of a refusal: rule by pointer."""
    faults = response.json().get("errors", ())
    assert all(fault["message"] for fault in faults)
    return {fault["pointer"]: fault["rule"] for fault in faults}


def make_callers_app(settings: Settings, **changes: Any) -> Starlette:
    """An application of the settings, some of them changed."""
    return create_app(settings.model_copy(update=changes))
