"""What several tests of the adapters ask for."""

import pytest

from integrations.postgres import statistics


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies about is added up."""
    monkeypatch.setattr(statistics, "LOOSE", 0)
