"""docs/security.md promises nothing that no test stands for."""

import ast
import re
from functools import cache

import pytest

from tests.house.source import ROOT, modules, tree

PAGE = (ROOT / "docs" / "security.md").read_text()
NAMES = sorted(set(re.findall(r"`(test_\w+)`", PAGE)))
FILES = sorted(set(re.findall(r"`((?:tests|api|domain|integrations|docs)/[\w/.]+)`", PAGE)))
TEN = tuple(f"API{number}" for number in range(1, 11))
ITEMS = (
    "4.1.1", "4.1.3", "4.1.4", "4.3.1", "4.3.2", "4.4.2", "5.2.1", "5.2.2", "5.2.3", "5.2.4",
    "5.2.5", "5.2.6", "5.3.2", "5.4.1", "5.4.2", "5.4.3", "8.2.2", "8.2.3", "8.3.2", "8.4.1",
    "9.1.1", "9.1.2", "9.1.3", "9.2.1", "9.2.2", "9.2.3", "9.2.4", "10.2.1", "10.2.2", "10.3.1",
    "10.3.2", "10.3.3", "10.4.1", "10.4.2", "10.4.3", "10.4.4", "10.4.5", "10.4.6", "10.4.7",
    "10.4.8", "10.4.9", "10.4.10", "10.4.11", "10.4.16", "10.5.1", "10.5.2", "10.5.3", "10.5.4",
    "10.7.1", "10.7.2", "10.7.3",
    "16.2.5", "16.3.1", "16.3.2", "16.3.3", "16.4.2", "16.4.3", "16.5.1", "16.5.2", "16.5.3",
    "16.5.4",
)  # fmt: skip


@cache
def known() -> frozenset[str]:
    """Every test of the suite by its name."""
    return frozenset(
        node.name
        for path in modules("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def rows() -> list[list[str]]:
    """The tables that say what stands for an item: their rows, cell by cell."""
    found = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("|")]
    return [row for row in found if re.match(r"API\d|\d+\.\d+\.\d+", row[0])]


@pytest.mark.parametrize("name", NAMES)
def test_every_test_that_the_page_names_exists(name: str):
    assert name in known(), "the page names it, and no test is called so"


@pytest.mark.parametrize("file", FILES)
def test_every_file_that_the_page_names_exists(file: str):
    beside = "tests/" + file if file.startswith("test_") else file
    assert (ROOT / beside).exists()


@pytest.mark.parametrize("item", [*TEN, *ITEMS])
def test_every_item_has_a_row(item: str):
    assert any(re.search(rf"(^|[ ,]){re.escape(item)}($|[ ,])", row[0]) for row in rows())


def test_every_row_names_a_test():
    assert rows()
    for item, done, tests in rows():
        assert done.strip(), item
        assert re.search(r"`test_\w+`", tests), item
