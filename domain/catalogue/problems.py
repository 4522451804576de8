"""What is wrong with an imported catalogue, and exactly where."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a catalogue was not taken in.

    `line` counts from 1 (in a table: the row as a spreadsheet shows it; 0 means the
    whole file). `code` is a stable word, `field` a dotted path inside the entry
    (`names.kk`) or the column, `params` the facts for the sentence.
    """

    file: str
    line: int
    code: str
    field: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a source: known by its JSON Pointer, told by its line and field.

    `lines` maps pointers to line numbers; a pointer without one takes its parent's.
    """

    file: str
    lines: Mapping[str, int]
    pointer: str = ""
    field: str = ""

    def at(self, *steps: str | int) -> "Spot":
        """A place inside this one, its field path carried on."""
        pointer, field = self.pointer, self.field
        for step in steps:
            pointer, field = f"{pointer}/{step}", f"{field}.{step}" if field else str(step)
        return Spot(self.file, self.lines, pointer, field)

    def entry(self, *steps: str | int) -> "Spot":
        """A place inside this one where a new entry, and so a new field path, begins."""
        pointer = self.pointer + "".join(f"/{step}" for step in steps)
        return Spot(self.file, self.lines, pointer)

    @property
    def line(self) -> int:
        """The nearest line that is known."""
        pointer = self.pointer
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 0)

    def problem(self, code: str, **params: object) -> Problem:
        """A problem at this place."""
        return Problem(self.file, self.line, code, self.field, params)
