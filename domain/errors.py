"""Refusals: what the domain answers when it may not, cannot or will not.

Every refusal carries a stable `code` (part of the API contract) and `params`
for the sentence that the door builds in the caller's language. Transport
(status codes, problem documents) lives in api/errors.py and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class Refusal(Exception):
    """The city's 'no', with a stable code and the facts that explain it."""

    code: ClassVar[str] = "refused"

    def __init__(self, **params: object) -> None:
        super().__init__(self.code, params)
        self.params: Mapping[str, object] = params

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code}({facts})"


class NotFound(Refusal):
    """It does not exist, or belongs to somebody else: the answer is the same.

    Params: `kind` (what was looked for), `id`.
    """

    code = "not-found"


class NotPermitted(Refusal):
    """The caller's role does not hold the permission. Params: `permission`, `role`."""

    code = "not-permitted"


class ScopeMissing(Refusal):
    """The role holds the permission, the token's scopes do not. Params: `permission`."""

    code = "insufficient-scope"


class InvalidTransition(Refusal):
    """The move is not in the transition table. Params: `action`, `status`, `allowed`."""

    code = "invalid-transition"


class VersionConflict(Refusal):
    """Somebody changed it since the caller read it. Params: `expected`, `actual`."""

    code = "version-conflict"


class Conflict(Refusal):
    """The request is sound but contradicts what stands. Params: `reason`."""

    code = "conflict"


class NotSealed(Refusal):
    """It stands in the register, but no checkpoint covers it yet. Params: `seconds` to wait."""

    code = "not-sealed"


class CursorLost(Refusal):
    """What a reader read last is not in the register: it was taken back to an earlier moment."""

    code = "cursor-lost"


class Unavailable(Refusal):
    """Something that we ask is down for now. Params: `what`."""

    code = "unavailable"


@dataclass(frozen=True, slots=True)
class Fault:
    """One bad field: where (JSON Pointer, '' is the whole), which rule, and its facts.

    `rule` is a stable word of the API (`required`, `unknown`, `out-of-range`, …).
    """

    pointer: str
    rule: str
    params: Mapping[str, object]


class Invalid(Refusal):
    """The input breaks rules; every broken one is named. Params: `faults`."""

    code = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults=tuple(faults))
        self.faults = tuple(faults)

    @classmethod
    def at(cls, pointer: str, rule: str, **params: object) -> "Invalid":
        """A refusal of a single field."""
        return cls([Fault(pointer, rule, params)])


class EvidenceMissing(Invalid):
    """A stage is claimed without what its service wants to see; each missing piece is named."""

    code = "evidence-missing"
