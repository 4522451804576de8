"""The command line as somebody at a terminal meets it: arguments in, text and exit code out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from api import cli
from tests.conftest import TEST_KEYS


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str


Ikomek = Callable[..., Answer]


@pytest.fixture
def nowhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Ikomek:
    """The program on a machine where nothing is set."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "STORAGE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IKOMEK_HOME", str(tmp_path / "home"))

    def ask(*arguments: object) -> Answer:
        capsys.readouterr()
        status = cli.run([str(each) for each in arguments])
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    return ask


@pytest.fixture
def ikomek(nowhere: Ikomek, city_database: str, monkeypatch: pytest.MonkeyPatch) -> Ikomek:
    """The program in the small city of this module."""
    monkeypatch.setenv("DATABASE_URL", city_database)
    monkeypatch.setenv("IKOMEK_KEYS", TEST_KEYS)
    return nowhere
