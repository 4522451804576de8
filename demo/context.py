"""What a replay is given: where the platform answers, for whom it may speak, and when it ends."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.access import Role


@dataclass(frozen=True, slots=True)
class ReplayContext:
    """The demonstration's sample is replayed through the platform's own HTTP API.

    `tokens` holds the bearer tokens by role (domain.access.Role); `token_for` gives one of an executor of any organisation, by the organisation's code.
    The city's clock runs fast from `started` and meets the real one at `until` (real times);
    both are None where the clock is the real one. `report` is told (done, total, what).
    """

    base_url: str
    tokens: Mapping[Role, Sequence[str]]
    token_for: Callable[[str], Awaitable[str]]
    started: datetime | None
    until: datetime | None
    report: Callable[[int, int, str], None]
