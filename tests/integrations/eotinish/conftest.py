"""Keys of both sides, and envelopes as the product and the gateway make them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.eotinish.contract import Contract, read_contract
from integrations.eotinish.signing import LocalSigner, read_local
from tests.peers.soap import Seal
from tests.support.eotinish import write_keys

AT = datetime(2026, 11, 28, 4, 30, 15, 123_000, tzinfo=UTC)


@pytest.fixture(scope="session")
def contract() -> Contract:
    return read_contract()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    write_keys(folder)
    return folder


@pytest.fixture(scope="session")
def elliptic_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elliptic")
    write_keys(folder, elliptic=True)
    return folder


def city_of(folder: Path) -> LocalSigner:
    """The city's signer, which trusts the gateway."""
    return read_local(folder / "city.key", folder / "city.crt", folder / "gateway.crt", None)


def gateway_of(folder: Path) -> Seal:
    """The gateway's own, by hand, which knows the city's certificate."""
    return Seal(folder / "gateway.key", folder / "gateway.crt", folder / "city.crt")
