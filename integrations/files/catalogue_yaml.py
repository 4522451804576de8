"""The catalogue as a folder of YAML files: bytes to plain data with line numbers, and back."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from domain.catalogue.exchange import Reading, References, SourceFile, read_files, write_files
from domain.catalogue.model import Catalogue
from domain.catalogue.problems import Problem

MAX_BYTES = 10_000_000
MAX_DEPTH = 40
SUFFIXES = (".yaml", ".yml")
NOT_SPHERES = frozenset({"policies.yaml"})
"""Files that lie in the same folder but hold no sphere."""


class Refused(Exception):
    """The text cannot become plain data."""

    def __init__(self, code: str, line: int, **params: object) -> None:
        super().__init__(code)
        self.code, self.line, self.params = code, line, params


def read_folder(folder: Path, references: References) -> Reading:
    """The catalogue of a folder on disk, files in order of name; policies.yaml is passed over.

    Raises OSError when the folder cannot be read.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    files = {path.name: path.read_bytes() for path in paths if path.name not in NOT_SPHERES}
    return read(files, references)


def read(files: Mapping[str, bytes], references: References) -> Reading:
    """The catalogue of the files by name: a draft, or every problem found."""
    sources: list[SourceFile] = []
    problems: list[Problem] = []
    for name, data in files.items():
        try:
            sources.append(decode(name, data))
        except Refused as refused:
            problems.append(Problem(name, refused.line, refused.code, "", refused.params))
    return read_files(sources, references, problems)


def encode(catalogue: Catalogue) -> dict[str, bytes]:
    """The catalogue as YAML files by name; `read` gives the same catalogue back."""
    return {name: dump(content) for name, content in write_files(catalogue).items()}


def decode(name: str, data: bytes) -> SourceFile:
    """One file as plain data. Raises Refused.

    Codes: too-large, bad-utf-8, bad-yaml, alias (no anchors are taken), duplicate (key),
    too-deep.
    """
    if len(data) > MAX_BYTES:
        raise Refused("too-large", 0, limit=MAX_BYTES, size=len(data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused("bad-utf-8", line, byte=error.start) from error
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        lines = dict(_lines(root))
        return SourceFile(name, loader.construct_document(root) if root else None, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise Refused("bad-yaml", mark.line + 1 if mark else 0, reason=error.problem) from error
    except (yaml.YAMLError, ValueError) as error:
        raise Refused("bad-yaml", 0, reason=str(error).splitlines()[0]) from error


# The parser in C is ten times faster, but a build of PyYAML may come without it.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader; nothing but plain data can come of it.

    Dates stay texts: the core reads them, and tells the line of one that does not exist.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {
        letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for letter, resolvers in _Base.yaml_implicit_resolvers.items()
    }


def _lines(root: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Pointer and line of every node; refuses what a reader of the file could not see."""
    met: set[int] = set()
    waiting = [("", root, 0)] if root is not None else []
    while waiting:
        pointer, node, depth = waiting.pop()
        line = node.start_mark.line + 1
        if id(node) in met:
            raise Refused("alias", line)
        if depth > MAX_DEPTH:
            raise Refused("too-deep", line, limit=MAX_DEPTH)
        met.add(id(node))
        yield pointer, line
        waiting += [(f"{pointer}/{step}", inner, depth + 1) for step, inner in _inner(node)]


def _inner(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.SequenceNode):
        return [(str(number), item) for number, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return []
    pairs = [(str(key.value), value) for key, value in node.value]
    keys: set[str] = set()
    for (key, _), (mark, _) in zip(pairs, node.value, strict=True):
        if key in keys:
            raise Refused("duplicate", mark.start_mark.line + 1, what="key", value=key)
        keys.add(key)
    return pairs


def dump(content: Mapping[str, object]) -> bytes:
    """Plain data as YAML that `decode` takes; a list of numbers stands in one line."""
    text: str = yaml.dump(
        content,
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=False,
        width=100,
    )
    return text.encode()


_DumpBase: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_DumpBase):  # type: ignore[misc]
    """Writes every value out in full: `read` takes no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _sequence(dumper: Any, items: list[object]) -> yaml.Node:
    flow = bool(items) and all(isinstance(each, int | float) for each in items)
    node: yaml.Node = dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flow)
    return node


_Dumper.add_representer(list, _sequence)
