"""The walls of the house: who imports whom, how long things are, what is never written down."""

import ast
import logging
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter import cli

from tests.house.source import HOUSE, ROOT, modules, tree, where

LONGEST_FUNCTION, LONGEST_MODULE = 60, 400
TABLES = ("migrations/versions/",)
"""Rows of tables, one after the other; they may be as long as the tables are."""


@pytest.fixture
def undisturbed() -> Iterator[None]:
    """The linter sets up logging as if it were alone, and silences all loggers that it finds."""
    known = [one for one in logging.Logger.manager.loggerDict.values()
             if isinstance(one, logging.Logger)]  # fmt: skip
    before = [one.disabled for one in known]
    yield
    for one, disabled in zip(known, before, strict=True):
        one.disabled = disabled


@pytest.mark.usefixtures("undisturbed")
def test_everybody_imports_only_whom_they_may(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def imports(path: Path) -> set[str]:
    """The modules of domain/ that one of them imports when it is loaded."""
    found: set[str] = set()
    for node in tree(path).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return found


def test_the_core_has_no_circle():
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in modules("domain")
    }
    graph = {name: imports(path) & set(names) for name, path in names.items()}
    while loose := [name for name, wanted in graph.items() if not wanted & set(graph)]:
        for name in loose:
            del graph[name]
    assert graph == {}, "these import each other in a circle"


def test_no_module_is_longer_than_a_reader_can_bear():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules(*HOUSE)
        if (lines := len(path.read_text().splitlines())) > LONGEST_MODULE
        and not str(path.relative_to(ROOT)).startswith(TABLES)
    }
    assert long == {}


def test_no_function_is_longer_than_a_page():
    long = {
        f"{where(path, node)} {node.name}": lines
        for path in modules(*HOUSE)
        if not str(path.relative_to(ROOT)).startswith(TABLES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def test_the_core_never_looks_at_the_clock_itself():
    looked = [
        where(path, node)
        for path in modules("domain")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in {"datetime.now", "datetime.utcnow", "date.today", "time.time"}
    ]
    assert looked == []


def written() -> list[Path]:
    """The files that the repository keeps, without what git does not know."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    ).stdout
    if not listed:
        pytest.skip("not a working copy of git")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


# Letters in brackets, so that this file does not name what it looks for.
REGISTRIES = re.compile(r"py[p]i\.org|python[h]osted\.org|npm[j]s\.(org|com)")
MACHINES = re.compile(r"(?<![\w./$}-])/(home|work|Users|root)/[\w.-]+")


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINES], ids=["registries", "machines"])
def test_no_file_names_a_package_registry_or_a_place_on_somebodys_machine(pattern: re.Pattern[str]):
    found = {}
    for path in written():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if hit := pattern.search(text):
            found[os.fspath(path.relative_to(ROOT))] = hit.group()
    assert found == {}


@pytest.mark.parametrize("package", ["api", "domain", "integrations"])
def test_a_room_is_imported_from_itself(package: str):
    full = [p for p in (ROOT / package).rglob("__init__.py") if p.read_text().strip()]
    assert full == []
