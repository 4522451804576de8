"""What several tests of the adapters ask for."""

from typing import TYPE_CHECKING

import pytest

from integrations.postgres import statistics
from tests.support.sql import fetch

if TYPE_CHECKING:
    from api.bootstrap import House
    from integrations.postgres.deliveries import Deliveries


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies about is added up."""
    monkeypatch.setattr(statistics, "LOOSE", 0)


@pytest.fixture
async def queue(house: "House") -> "Deliveries":
    """The house's deliveries, with nothing due that another test left."""
    await fetch(house, "UPDATE delivery SET state = 'cancelled' WHERE state = 'pending'")
    await fetch(house, "UPDATE webhook_endpoint SET removed_at = now(), enabled = false")
    await fetch(house, "UPDATE endpoint_health SET mended_at = NULL")
    await fetch(house, "DELETE FROM outbox")
    await fetch(house, "DELETE FROM delivery_lease")
    return house.deliveries
