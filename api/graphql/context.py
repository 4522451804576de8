"""What one request of the graph carries: who asks, when, in which language, and their loaders."""

from asyncio import Semaphore
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from api.bootstrap import House
from api.errors import Malformed, Unauthenticated
from api.rest.operation import Call
from domain.access import Permission, Principal, Role
from domain.errors import NotFound
from domain.reference import Reference
from domain.values import new_id

T = TypeVar("T")
READING = 3
"""Statements that one operation has in hand at once."""
_ANYBODY = new_id()


@dataclass(slots=True)
class Context:
    """One request. `principal` is None for the public, who come without a token.

    `language` is the answer's (kk, ru, en); `key` the Idempotency-Key header, where one came.
    """

    house: House
    principal: Principal | None
    language: str
    at: datetime
    request_id: str
    key: str | None = None
    loaders: dict[str, Any] = field(default_factory=dict)
    turns: Semaphore = field(default_factory=lambda: Semaphore(READING))
    """Whoever reads holds one: a document may ask for forty lists, and all at once they would take
    every connection from those who register and act.
    """
    stream: Any = None
    """How the caller follows what happens (api/graphql/subscriptions.py: Stream)."""

    def require(self, permission: Permission | None = None) -> Principal:
        """Who asks. Raises Unauthenticated, NotPermitted, ScopeMissing."""
        if self.principal is None:
            raise Unauthenticated
        if permission is not None:
            self.principal.require(permission)
        return self.principal

    def anybody(self) -> Principal:
        """Who asks, or a principal who may nothing."""
        return self.principal or Principal(_ANYBODY, Role.SYSTEM, _ANYBODY)

    @property
    def reference(self) -> Reference:
        """The agreements of the principal's city. Raises Unauthenticated."""
        return self.house.references.of(self.require().city)

    def city(self, code: str | None) -> Reference:
        """The agreements of a city by its code; by none, of the principal's or of the only one.

        Raises NotFound, or Malformed where several are served and none was named.
        """
        if code is None and self.principal is not None:
            return self.reference
        cities = [self.house.references.of(id) for id in self.house.references.cities()]
        fitting = [each for each in cities if code in (None, each.city.code)]
        if code is None and len(fitting) > 1:
            raise Malformed("city")
        if not fitting:
            raise NotFound(kind="city", id=code or "")
        return fitting[0]

    def loader(self, name: str, make: Callable[["Context"], T]) -> T:
        """The loader of a name, made when it is first asked for; it lives as long as the request.

        The name tells loaders of one kind apart where they load other parts.
        """
        found = self.loaders.get(name)
        if found is None:
            found = self.loaders[name] = make(self)
        made: T = found
        return made

    def call(
        self,
        principal: Principal,
        *,
        path: Mapping[str, str] | None = None,
        query: Any = None,
        body: Any = None,
        language: str | None = None,
        conditional: bool = False,
        versions: frozenset[int] | None = None,
        key: str | None = None,
    ) -> Call:
        """The request as the operations of the house take it (api/rest/operation.py)."""
        return Call(
            house=self.house,
            principal=principal,
            at=self.at,
            language=language or self.language,
            path=path or {},
            query=query,
            body=body,
            conditional=conditional,
            if_match=versions,
            if_none_match=None,
            key=key,
            request_id=self.request_id,
        )
