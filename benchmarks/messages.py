"""Messages as the relay writes them, for benchmarks that begin behind it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from domain.webhooks.events import News, payload
from domain.webhooks.secrets import new_secret

SECRET = new_secret(bytes(range(32)))


def bodies(count: int) -> Iterator[bytes]:
    """So many thin messages, each of an appeal of its own."""
    for number in range(count):
        yield payload(
            News(
                type="appeal.assigned",
                at=datetime.now(UTC),
                appeal_id=UUID(int=number + 1),
                number=f"SEM-2026-{number:07}",
                sequence=2,
                status="assigned",
                service="manholes.open-on-road",
                organisation_id=UUID(int=109),
                link=f"https://109.semey.kz/v1/appeals/SEM-2026-{number:07}",
            )
        )
