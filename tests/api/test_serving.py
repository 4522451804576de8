"""A process that does nothing but serve: what it does once it is ready."""

import gc

import pytest

from api import app
from api.settings import Settings
from tests.support.rest import running


@pytest.fixture
def collector():
    """The collector as it was, and nothing that other tests had it leave alone."""
    before = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


async def test_a_process_that_serves_leaves_alone_what_stands_for_good(
    settings: Settings, collector: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app, "Settings", lambda: settings)
    served = app.serve_app()
    frozen = gc.get_freeze_count()
    async with running(served):
        # The schemas and the agreements stood by then.
        assert gc.get_freeze_count() > frozen + 100_000
        assert gc.get_threshold() == app.YOUNG
    assert hasattr(served.state, "graph")
