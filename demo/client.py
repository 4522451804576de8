"""One HTTP client for all who act: the same key for every try, nothing unexpected hidden."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

TRIES = 8
_LATER = frozenset({429, 503})
_SHOWN = 8


class DemoFailed(Exception):
    """The platform answered as it never may."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer that nobody expected."""

    what: str
    status: int
    body: str

    def __str__(self) -> str:
        return f"{self.what}: {self.status} {self.body}"


@dataclass(slots=True)
class Client:
    """Requests of the demonstration, counted."""

    http: httpx2.AsyncClient
    run: str = field(default_factory=lambda: uuid4().hex[:12])
    requests: int = 0
    retries: int = 0
    unexpected: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    async def get(self, path: str, token: str, *, language: str = "ru") -> Any:
        """The answer's JSON; None when it was unexpected."""
        return await self._ask("GET", path, token, {"Accept-Language": language}, {})

    async def post(
        self,
        path: str,
        token: str,
        key: str,
        body: Mapping[str, Any] | None = None,
        *,
        file: tuple[str, bytes, str] | None = None,
    ) -> Any:
        """Post once, however many tries it takes: `key` is unique to the act within this run."""
        what = {"files": {"file": file}} if file else {"json": body or {}}
        return await self._ask("POST", path, token, {"Idempotency-Key": f"{self.run}-{key}"}, what)

    async def _ask(
        self, method: str, path: str, token: str, headers: dict[str, str], what: dict[str, Any]
    ) -> Any:
        headers["Authorization"] = f"Bearer {token}"
        answer = await self._answer(method, path, headers, what)
        if answer.is_success:
            return answer.json() if answer.content else {}
        problem = Problem(f"{method} {path}", answer.status_code, answer.text[:400])
        if answer.status_code >= 500:
            raise DemoFailed(str(problem))
        self.unexpected[f"{path.rpartition('/')[2]} {answer.status_code}"] += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(problem)
        return None

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], what: dict[str, Any]
    ) -> httpx2.Response:
        """The first answer that is not 'later'. Raises DemoFailed when none comes."""
        last = ""
        for attempt in range(TRIES):
            self.requests += 1
            try:
                answer = await self.http.request(method, path, headers=headers, **what)
            except httpx2.TransportError as error:
                last = repr(error)
            else:
                if answer.status_code not in _LATER:
                    return answer
                last = f"{answer.status_code} {answer.text[:200]}"
            self.retries += 1
            await asyncio.sleep(min(0.1 * 2**attempt, 3))
        raise DemoFailed(f"{method} {path}: no answer after {TRIES} tries, the last: {last}")
