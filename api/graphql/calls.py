"""What is asked of the graph, read: a request's parameters, who asks, an operation to be run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import OperationDefinitionNode, OperationType

from api.errors import Malformed
from api.graphql.answers import Voice
from api.graphql.documents import Document
from api.graphql.weighing import Weight
from api.limits import Standing
from domain.access import Principal
from domain.errors import Fault


@dataclass(frozen=True, slots=True)
class Params:
    """What a request asks for (GraphQL over HTTP, §5.1), read and not yet judged."""

    query: str | None = None
    name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] | None = None
    document: str | None = None


def read_params(said: object) -> Params:
    """The parameters of a request. Raises Malformed for those of a wrong type."""
    if not isinstance(said, dict):
        raise misread("")
    wrong = [
        name
        for name, kind in _KINDS.items()
        if said.get(name) is not None and not isinstance(said[name], kind)
    ]
    if wrong:
        raise misread(*wrong)
    if not any(said.get(name) is not None for name in ("query", "documentId", "extensions")):
        raise misread("query")
    return Params(
        said.get("query"),
        said.get("operationName"),
        said.get("variables"),
        said.get("extensions"),
        said.get("documentId"),
    )


_KINDS = {
    "query": str,
    "operationName": str,
    "variables": dict,
    "extensions": dict,
    "documentId": str,
}


def misread(*names: str) -> Malformed:
    """The refusal of parameters that cannot be read."""
    return Malformed("GraphQL", [Fault(f"/{name}" if name else "", "format", {}) for name in names])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, how they are spoken to, and by what they can be judged again."""

    principal: Principal | None
    voice: Voice
    header: str | None = None
    """The Authorization header; None for the public."""
    address: str = ""
    key: str | None = None
    """The Idempotency-Key header, where one came."""

    @property
    def purse(self) -> str:
        """Whose budget an operation is paid from."""
        return str(self.principal.id) if self.principal else f"public {self.address}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that is sound, within bounds and paid for."""

    document: Document
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]
    weight: Weight
    standing: Standing

    @property
    def name(self) -> str | None:
        """The operation's name."""
        return self.operation.name.value if self.operation.name else None

    @property
    def requests(self) -> int:
        """How many requests of the quota it is: over REST each act would be one of its own."""
        if self.kind is not OperationType.MUTATION:
            return 1
        return max(1, self.document.acts(self.operation))

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.operation.operation
