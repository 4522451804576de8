"""The exchange with the national register, from a terminal."""

import pytest

from tests.api.cli.conftest import Ikomek
from tests.support.eotinish import ENVIRONMENT, stand_in, write_file, write_keys


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_a_sound_file_is_told_to_be_sound(nowhere: Ikomek, tmp_path):
    write_keys(tmp_path)
    told = nowhere("eotinish", "check", write_file("http://127.0.0.1:1", tmp_path))
    assert told.status == 0, told.err
    assert "kishi" in told.out
    assert "recalled" in told.out


def test_a_faulty_file_is_told_with_its_fault(nowhere: Ikomek, tmp_path):
    write_keys(tmp_path)
    told = nowhere("eotinish", "check", write_file("http://127.0.0.1:1", tmp_path, strange=1))
    assert told.status == 1
    assert "strange" in told.err


def test_without_a_file_there_is_nothing_to_compare(nowhere: Ikomek, monkeypatch):
    monkeypatch.delenv("IKOMEK_EOTINISH", raising=False)
    told = nowhere("eotinish", "reconcile")
    assert told.status == 2
    assert "IKOMEK_EOTINISH" in told.err


def test_both_registers_are_compared(nowhere: Ikomek, monkeypatch, city_database, tmp_path):
    monkeypatch.setenv("DATABASE_URL", city_database)
    with stand_in(tmp_path) as state:
        monkeypatch.setenv("IKOMEK_EOTINISH", str(write_file(state.url, tmp_path)))
        agree = nowhere("eotinish", "reconcile", "--fresh")
        assert agree.status == 0, agree.err
        assert "both registers agree" in agree.out
        [number] = state.say({"tale": "assigned", "description": "т", "docLang": "RU"})
        differ = nowhere("eotinish", "reconcile", "--fresh", "--repair")
    assert differ.status == 1
    assert f"{number} — unknown-here" in differ.out
    assert "ask-again (begun)" in differ.out


def test_no_worker_begins_with_a_file_that_is_faulty(nowhere: Ikomek, monkeypatch, tmp_path):
    write_keys(tmp_path)
    file = write_file("http://127.0.0.1:1", tmp_path, strange=1)
    monkeypatch.setenv("IKOMEK_EOTINISH", str(file))
    told = nowhere("worker")
    assert told.status == 1
    assert "strange" in told.err
    assert "docs/eotinish.md" in told.err


def test_the_doctor_looks_at_the_exchange(nowhere: Ikomek, monkeypatch, city_database, tmp_path):
    write_keys(tmp_path)
    monkeypatch.setenv("DATABASE_URL", city_database)
    monkeypatch.setenv("IKOMEK_EOTINISH", str(write_file("http://127.0.0.1:1", tmp_path)))
    assert "e-otinish\tok\tkishi" in nowhere("doctor").out
    monkeypatch.setenv("IKOMEK_EOTINISH", str(tmp_path / "absent.yaml"))
    assert "e-otinish\tWRONG\t" in nowhere("doctor").out
