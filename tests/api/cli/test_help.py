"""Help explains itself, and a wrong word is answered in one sentence."""

import importlib

import pytest
from cyclopts import App

from api import cli


def _all_commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, (place, _) in cli.COMMANDS.items():
        found.append((name,))
        module, _, attribute = place.partition(":")
        target = getattr(importlib.import_module(module), attribute)
        if isinstance(target, App):
            found += [(name, inner) for inner in target if not inner.startswith("-")]
    return found


@pytest.mark.parametrize("command", _all_commands(), ids=" ".join)
def test_every_command_explains_itself(nowhere, command):
    answer = nowhere(*command, "--help")
    assert answer.status == 0
    assert f"Usage: ikomek {' '.join(command)}" in answer.out
    described = answer.out.split("\n\n")[1]
    assert described.strip().endswith((".", ":"))


def test_the_program_names_all_its_commands(nowhere):
    answer = nowhere("--help")
    asked = "serve worker scheduler up migrate demo catalogue organisations token register openapi"
    for name in asked.split():
        assert f" {name} " in answer.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("catalogue", "import"),
        ("token", "issue", "--role", "mayor", "--organisation", "centre", "--name", "A"),
        ("up", "--port", "many"),
        ("up", "--seconds", "0"),
        ("catalogue", "check", "/no/such/folder"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_sentence_and_exit_code_two(ikomek, arguments):
    answer = ikomek(*arguments)
    assert answer.status == 2
    assert len(answer.err.strip().splitlines()) <= 2
    assert "Traceback" not in answer.err + answer.out


@pytest.mark.parametrize(("name", "value"), [("PORT", "many"), ("POOL_SIZE", "1")])
def test_a_wrong_setting_is_named(nowhere, monkeypatch, name, value):
    monkeypatch.setenv(f"IKOMEK_{name}", value)
    answer = nowhere("migrate", "--status")
    assert answer.status == 2
    assert name in answer.err


def test_a_database_that_does_not_answer_is_said_with_how_to_mend_it(nowhere, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    answer = nowhere("token", "list")
    assert answer.status == 1
    assert "does not answer" in answer.err
    assert "Check DATABASE_URL" in answer.err
    assert "Traceback" not in answer.err


def test_debug_shows_where_an_error_arose(nowhere, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    assert "Traceback" in nowhere("token", "list", "--debug").err
