"""A city's own authorities are looked at before anything is sent."""

import pytest

from tests.api.cli.conftest import Ikomek
from tests.integrations.webhooks.receiver import certified


@pytest.fixture
def file(tmp_path, monkeypatch):
    found = tmp_path / "authority.pem"
    found.write_text(certified()[1])
    monkeypatch.setenv("IKOMEK_WEBHOOK_AUTHORITIES", str(found))
    return found


def test_no_worker_begins_with_authorities_that_are_none(nowhere: Ikomek, file):
    file.write_text("hook.kz")
    told = nowhere("worker")
    assert told.status == 1
    assert "IKOMEK_WEBHOOK_AUTHORITIES" in told.err
    assert "docs/operations.md" in told.err


def test_the_doctor_counts_the_authorities(nowhere: Ikomek, monkeypatch, city_database, file):
    monkeypatch.setenv("DATABASE_URL", city_database)
    (line,) = (one for one in nowhere("doctor").out.splitlines() if one.startswith("authorities"))
    assert line.split("\t")[1] == "ok"
    assert line.endswith(" for webhooks, 1 of them the city's own")
    file.unlink()
    assert "authorities\tWRONG\t" in nowhere("doctor").out
