"""The brokers that carry deliveries: the embedded one, and others where a server is named; and the
national register that exchanges with a worker.
"""

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
from tests.support.eotinish import ENVIRONMENT, StandIn, stand_in

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys and the city's file of the exchange lie."""
    return tmp_path_factory.mktemp("eotinish")


@pytest.fixture(scope="module")
def state(folder: Path) -> Iterator[StandIn]:
    """The gateway and the register behind it, as a process of its own."""
    with stand_in(folder) as running:
        yield running


@pytest.fixture
def state_secrets(monkeypatch: pytest.MonkeyPatch, state: StandIn) -> None:
    """What a worker needs of the environment to speak with it, and a register in its best mood."""
    state.mood()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
