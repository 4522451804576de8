"""A wrong file of identity providers is heard of at the start, not at somebody's login."""

from pathlib import Path

import pytest

from tests.api.cli.conftest import Ikomek

WRONG = "providers: [{code: egov, preset: egov, client_id: c, client_secret_env: NOT_SET}]"
SOUND = WRONG.replace("NOT_SET", "EGOV_SECRET")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "providers.yaml"
    monkeypatch.setenv("IKOMEK_PROVIDERS", str(path))
    return path


@pytest.mark.parametrize("text", [WRONG, "providers: 7", None], ids=["secret", "form", "absent"])
def test_the_api_does_not_start_with_providers_that_nobody_could_use(
    nowhere: Ikomek, file: Path, text: str | None
):
    if text is not None:
        file.write_text(text)
    answer = nowhere("serve")
    assert answer.status == 1
    assert "The file of identity providers cannot be used" in answer.err
    assert "docs/login.md" in answer.err


def test_the_doctor_names_the_ways_in_and_every_fault(
    ikomek: Ikomek, file: Path, monkeypatch: pytest.MonkeyPatch
):
    file.write_text(WRONG)
    assert "login\tWRONG\tThe file of identity providers cannot be used: egov: the variable " in (
        ikomek("doctor").out
    )
    file.write_text(SOUND)
    monkeypatch.setenv("EGOV_SECRET", "s")
    assert "login\tok\tegov" in ikomek("doctor").out
    monkeypatch.delenv("IKOMEK_PROVIDERS")
    assert "login\tok\tnobody logs in through others" in ikomek("doctor").out
