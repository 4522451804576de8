"""The graph as its callers meet it: the real application, in process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.access import Role
from tests.support.rest import Callers


@dataclass
class Graph:
    """Asks the graph by the roles of a small city."""

    callers: Callers

    async def ask(
        self,
        query: str,
        role: Role | None = Role.INSPECTOR,
        *,
        headers: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> dict[str, Any]:
        """The answer, whatever it says."""
        said = {"query": query, "variables": variables}
        async with self.callers.client(role) as client:
            response = await client.post("/graphql", json=said, headers=dict(headers or {}))
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def data(self, query: str, role: Role | None = Role.INSPECTOR, **rest: Any) -> Any:
        """What a sound query gives."""
        answer = await self.ask(query, role, **rest)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]
