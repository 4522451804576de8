"""The login over two peers: the stand-in of eGov, and a certified OpenID provider."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from api.bootstrap import House
from tests.support.login import Desk, open_desk
from tests.support.providers import (
    SECRET,
    Peer,
    egov_entry,
    openid_entry,
    running_egov,
    running_openid,
)


@pytest.fixture(scope="module")
def egov() -> Iterator[Peer]:
    with running_egov() as peer:
        yield peer


@pytest.fixture(scope="module")
def water() -> Iterator[Peer]:
    with running_openid() as peer:
        yield peer


@pytest.fixture(autouse=True)
def calm(egov: Peer, water: Peer) -> None:
    egov.mood()
    water.mood()


@pytest.fixture
async def desk(
    house: House, egov: Peer, water: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """eGov for everybody, and the water company's own provider for its members."""
    monkeypatch.setenv("EGOV_SECRET", SECRET)
    monkeypatch.setenv("WATER_SECRET", SECRET)
    own = openid_entry(
        water.url, organisations=["kishi/water"], names={"kk": "Су", "ru": "Вода", "en": "Water"}
    )
    async with open_desk(house, tmp_path, egov_entry(egov.url, timeout_seconds=1.5), own) as found:
        yield found
