"""The repository's own source, read as text and as trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSE = ("api", "domain", "integrations", "migrations", "demo")


@cache
def modules(*packages: str) -> tuple[Path, ...]:
    """The Python files of packages."""
    return tuple(sorted(path for name in packages for path in (ROOT / name).rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def calls(*packages: str) -> Iterator[tuple[Path, ast.Call, str]]:
    """Every call with the dotted name of what is called."""
    for path in modules(*packages):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                yield path, node, ast.unparse(node.func)


def literals(node: ast.expr) -> set[str]:
    """The texts that an expression can be; empty when it cannot be seen."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return literals(node.body) | literals(node.orelse)
    return set()


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
