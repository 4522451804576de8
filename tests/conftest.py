"""What every test may ask for: a server, a fresh database, a small city, a house that stands in it.

`database` is migrated and empty; `house` lives in another one, where the small city
(tests/support/city.py) is written. Both are fresh for each module.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from integrations.postgres import migrate
from tests.support.postgres import Server, open_server

# What a test of the pure domain need not wait for is imported where it is used.
if TYPE_CHECKING:
    from api.bootstrap import House
    from api.settings import Settings

# What a property takes says how busy the machine is, and of the first example what was imported.
hypothesis.settings.register_profile("house", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("house")

TEST_KEYS = (
    "index:aWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWk="
    " 1:c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M="
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with a test that asks for more than the usual time come first, then those of many
    tests: begun last, they would keep one process busy after the others have ended. The order
    reaches the processes where nothing else orders them (`--no-loadscope-reorder`).
    """
    usual = float(config.getini("timeout"))
    slow = {item.path: _asked(item) for item in items if _asked(item) > usual}
    many = Counter(item.path for item in items)
    items.sort(key=lambda item: (-slow.get(item.path, 0.0), -many[item.path], item.path))


def _asked(item: pytest.Item) -> float:
    """Seconds that a test asks for by its own mark; none: 0."""
    mark = item.get_closest_marker("timeout")
    if mark is None:
        return 0.0
    return float(mark.args[0] if mark.args else mark.kwargs.get("timeout", 0))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The run's PostgreSQL: that of DATABASE_URL (its owner's), else an embedded one."""
    with open_server(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def neighbours() -> Iterator[None]:
    """Whose server is shared lets the other processes' transactions end before it looks."""
    if url := os.environ.get("DATABASE_URL"):
        from tests.support.neighbours import patience

        with patience(url):
            yield
    else:
        yield


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """The name of a migrated database; copy it, do not connect to it."""
    with server.database() as name:
        migrate.upgrade(server.url_of(name))
        yield name


@pytest.fixture(scope="session")
async def city_template(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """The name of a database that holds the small city; copy it, do not connect to it."""
    from api.bootstrap import open_house
    from tests.support.city import write_small_city

    with server.database(template) as name:
        settings = make_settings(server.url_of(name), tmp_path_factory.mktemp("home"))
        async with open_house(settings) as house:
            await write_small_city(house.engine, house.keyring)
        yield name


@pytest.fixture(scope="module")
def database(server: Server, template: str) -> Iterator[str]:
    """The URL (of the owner) of a migrated, empty database of this module's own."""
    with server.database(template) as name:
        yield server.url_of(name)


@pytest.fixture(scope="module")
def city_database(server: Server, city_template: str) -> Iterator[str]:
    """The URL (of the owner) of a database of this module's own that holds the small city."""
    with server.database(city_template) as name:
        yield server.url_of(name)


@pytest.fixture(scope="module")
def settings(city_database: str, tmp_path_factory: pytest.TempPathFactory) -> "Settings":
    """Settings for `city_database`, with a home of their own."""
    return make_settings(city_database, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
async def house(settings: "Settings") -> AsyncIterator["House"]:
    """An open api.bootstrap.House in the small city, its reference read."""
    from api.bootstrap import open_house

    async with open_house(settings) as opened:
        await opened.references.refresh(opened.now())
        yield opened


def make_settings(url: str, home: Path, **changes: Any) -> "Settings":
    """Settings that depend on nothing of this machine's environment."""
    from api.settings import Settings
    from tests.support.register import WITNESS

    given: dict[str, Any] = {
        "database_url": url,
        "database_owner_url": url,
        "broker_url": None,
        "storage_url": None,
        "home": home,
        "keys": TEST_KEYS,
        "pool_size": 5,
        "webhook_allow_http": True,
        "webhook_allowed_networks": ("127.0.0.0/8",),
        "witness_keys": (str(WITNESS),),
    }
    return Settings(**given | changes)
