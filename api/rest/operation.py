"""One row of the contract: an operation, and what its handler is given and gives back.

Routes and openapi/openapi.yaml are both made from these rows, so they cannot disagree.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from api.bootstrap import House
from api.errors import Malformed, PreconditionRequired
from domain.access import Permission, Principal
from domain.errors import Fault, NotFound
from domain.ports import UnitOfWork
from domain.reference import Reference

_STEP = re.compile(r"[\x20-\x7e]{1,100}")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers. `body` is what orjson can write, or bytes with their `media_type`."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, decoded: nothing in it needs judging for its form any more."""

    house: House
    principal: Principal
    at: datetime
    language: str
    path: Mapping[str, str]
    query: Any
    body: Any
    conditional: bool
    if_match: frozenset[int] | None
    if_none_match: str | None
    key: str | None
    request_id: str

    @property
    def reference(self) -> Reference:
        """The city's agreements as they stand now."""
        return self.house.references.of(self.principal.city)

    def id(self, kind: str, name: str = "id") -> UUID:
        """A path parameter as an id. Raises NotFound: what is no id names nothing."""
        try:
            return UUID(self.path[name])
        except ValueError:
            raise NotFound(kind=kind, id=self.path[name]) from None

    def edited(self) -> frozenset[int] | None:
        """The versions that the caller accepts, None for any (`*`).

        Raises PreconditionRequired without If-Match.
        """
        if not self.conditional:
            raise PreconditionRequired
        return self.if_match


Handler = Callable[[Call], Awaitable[Reply]]
Prepare = Callable[[Call], Awaitable[Any]]
Judge = Callable[[Mapping[str, object], Principal, Reference, datetime], Iterable[Fault]]
UnitHandler = Callable[[Call, UnitOfWork], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Upload:
    """Marks an operation whose body is multipart/form-data with one `file`."""

    max_bytes: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `reads` answers without changing anything; `writes` is handed a unit of work, which the
    door commits together with the answer to the Idempotency-Key. Exactly one of them is set.
    `prepare` does what takes long and needs no transaction, before the unit is opened; what it
    returns takes the place of the body.
    `judges` finds the faults of the city in a JSON object that is no body yet, so that who mends
    its form learns of both at once.
    `permission` None means that nobody needs to say who they are (`open_to_all`), or that
    any principal may ask.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    reads: Handler | None = None
    writes: UnitHandler | None = None
    prepare: Prepare | None = None
    judges: Judge | None = None
    permission: Permission | None = None
    open_to_all: bool = False
    query: type[BaseModel] | None = None
    body: type[BaseModel] | Upload | None = None
    answer: Any = None
    status: int = 200
    media_type: str = "application/json"
    refusals: tuple[int, ...] = ()
    etag: bool = False
    if_match: bool = False

    @property
    def keyed(self) -> bool:
        """Whether the operation takes an Idempotency-Key: every POST does."""
        return self.method == "POST"


def malformed(reason: str, pointer: str, rule: str, **params: object) -> Malformed:
    """A request whose parameter is not of the contract."""
    return Malformed(reason, [Fault(pointer, rule, params)])


def sound_step(step: str) -> bool:
    """Whether a text may name a thing: steps of paths, and what stands for them elsewhere."""
    return _STEP.fullmatch(step) is not None


def require_step(step: str) -> None:
    """Raise NotFound for what names nothing anywhere: a text of odd signs."""
    if not sound_step(step):
        raise NotFound(kind="path", id=step)
