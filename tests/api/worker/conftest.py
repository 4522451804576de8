"""The brokers that carry deliveries: the embedded one, and others where a server is named."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.bootstrap import House
from tests.conftest import make_settings

BROKERS = [
    pytest.param(None, id="embedded"),
    pytest.param("TEST_RABBITMQ_URL", id="rabbitmq"),
    pytest.param("TEST_REDIS_URL", id="redis"),
]


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The URL of a broker, None for the embedded one; nobody else uses it meanwhile.

    Tests of other processes have databases of their own, and would take each other's messages.
    """
    variable = request.param
    if variable is None:
        yield None
        return
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    url = os.environ[variable]
    name = f"ikomek-test-{hashlib.sha256(url.encode()).hexdigest()[:12]}.lock"
    with Path(tempfile.gettempdir(), name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield url


@pytest.fixture
def carried(house: House, broker: str | None, tmp_path: Path) -> House:
    """The house of the small city, its deliveries carried by this broker."""
    settings = make_settings(house.settings.database_url or "", tmp_path, broker_url=broker)
    return replace(house, settings=settings)
