"""Organisations, territories and rules as YAML files: bytes to entries with lines, and back."""

from collections.abc import Collection, Iterator, Mapping

from domain.catalogue.problems import Problem, Spot
from domain.organisations import exchange, export
from domain.organisations.exchange import Draft, Known, Reading, Row, Rows
from integrations.files.catalogue_yaml import Refused, decode, dump

PARTS = ("organisations", "territories", "responsibilities")


def read(files: Mapping[str, bytes], known: Known) -> Reading:
    """The draft of these files by name, or every problem found in any of them.

    Each file holds a mapping with lists under organisations, territories and
    responsibilities; a part may be spread over files.
    """
    parts: dict[str, list[Row]] = {part: [] for part in PARTS}
    problems: list[Problem] = []
    for name, data in files.items():
        try:
            source = decode(name, data)
        except Refused as refused:
            problems.append(Problem(name, refused.line, refused.code, "", refused.params))
            continue
        for part, row in part_rows(Spot(name, source.lines), source.content, PARTS, problems):
            parts[part].append(row)
    return exchange.read(Rows(**parts), known, problems)


def encode(draft: Draft, known: Known) -> bytes:
    """The draft as one YAML file; `read` gives the same draft back."""
    return dump(export.write(draft, known))


def part_rows(
    root: Spot, content: object, parts: Collection[str], problems: list[Problem]
) -> Iterator[tuple[str, Row]]:
    """The entries of a file by part; what is no part, or no list, is added to the problems."""
    if not isinstance(content, Mapping):
        problems.append(root.problem("not-a-mapping"))
        return
    for part, entries in content.items():
        if part not in parts:
            problems.append(root.at(str(part)).problem("unknown-field"))
        elif entries is not None and not isinstance(entries, list):
            problems.append(root.at(part).problem("not-a-list"))
        else:
            for place, entry in enumerate(entries or ()):
                yield part, (root.entry(part, place), entry)
