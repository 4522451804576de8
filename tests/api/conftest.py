"""What every test of the API may rely on."""

from typing import Any

import pytest

from api.limits import Quota


@pytest.fixture(autouse=True)
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotas that a test opens count by a clock that stands still: a minute that ended in the midst
    of it would allow as much again.
    """
    init = Quota.__init__

    def within(quota: Quota, per_minute: int, *_: Any) -> None:
        init(quota, per_minute, lambda: 30.0)

    monkeypatch.setattr(Quota, "__init__", within)
