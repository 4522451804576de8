"""How well the words of appeals tell duplicates: precision and recall by threshold, and speed.

    python -m benchmarks.incident_likeness

The set flags rows, not pairs: a row is found when another one before it, about the same service,
is as alike as the threshold asks. Two yardsticks stand beside it: flagging every row, and
flagging exact copies alone, for what the flag itself is worth. `agree` needs no flag: of pairs
that are alike in Kazakh, the share that are alike in Russian too, since both say the same.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from time import perf_counter

from domain.incidents.likeness import ALIKE, words_alike

ROOT = Path(__file__).parents[1]
TEXTS = ROOT / "catalogues" / "phrases" / "kzgov.csv"
FLAGS = Path(__file__).with_name("data") / "kzgov_duplicates.csv"
THRESHOLDS = (50, 60, 65, 70, 75, 80, 90, 100)


@dataclass(frozen=True, slots=True)
class Row:
    """A complaint, and what its set says of it."""

    service: str
    kk: str
    ru: str
    flagged: bool


def main() -> None:
    """Measure and print."""
    rows = _read()
    flagged = sum(row.flagged for row in rows)
    print(f"{len(rows)} complaints, {flagged} flagged as duplicates ({flagged / len(rows):.2f})")
    for language in ("kk", "ru"):
        texts: Callable[[Row], str] = (lambda r: r.kk) if language == "kk" else (lambda r: r.ru)
        began = perf_counter()
        best = _best(rows, texts)
        spent = perf_counter() - began
        print(f"\n{language}: {_pairs(rows)} pairs in {spent * 1000:.0f} ms")
        _tell("every row", [True] * len(rows), rows)
        _tell("exact copies", _copies(rows, texts), rows)
        for threshold in THRESHOLDS:
            mark = " <- ALIKE" if threshold == ALIKE else ""
            _tell(f"alike >= {threshold}{mark}", [b >= threshold for b in best], rows)
    _agreement(rows)


def _read() -> list[Row]:
    with FLAGS.open(newline="") as file:
        flags = {row["id"]: row["duplicate"] == "yes" for row in csv.DictReader(file)}
    with TEXTS.open(newline="") as file:
        return [
            Row(row["service"], row["kk"], row["ru"], flags[row["id"]])
            for row in csv.DictReader(file)
            if row["id"] in flags
        ]


def _best(rows: Sequence[Row], text: Callable[[Row], str]) -> list[float]:
    """How alike each row is to the most alike one before it, about the same service."""
    before: dict[str, list[str]] = {}
    found = []
    for row in rows:
        known = before.setdefault(row.service, [])
        found.append(max((words_alike(text(row), other) for other in known), default=0.0))
        known.append(text(row))
    return found


def _copies(rows: Sequence[Row], text: Callable[[Row], str]) -> list[bool]:
    seen: set[tuple[str, str]] = set()
    found = []
    for row in rows:
        key = (row.service, text(row))
        found.append(key in seen)
        seen.add(key)
    return found


def _pairs(rows: Sequence[Row]) -> int:
    return sum(1 for one, other in combinations(rows, 2) if one.service == other.service)


def _tell(name: str, chosen: Sequence[bool], rows: Sequence[Row]) -> None:
    right = sum(1 for row, one in zip(rows, chosen, strict=True) if one and row.flagged)
    precision = right / max(1, sum(chosen))
    recall = right / sum(row.flagged for row in rows)
    print(f"  {name:22} found {sum(chosen):4}   precision {precision:.2f}   recall {recall:.2f}")


def _agreement(rows: Sequence[Row]) -> None:
    print("\nagree: of pairs about one service alike in Kazakh, alike in Russian")
    pairs = [p for p in combinations(rows, 2) if p[0].service == p[1].service]
    both = [(words_alike(a.kk, b.kk), words_alike(a.ru, b.ru)) for a, b in pairs]
    for threshold in THRESHOLDS[:-1]:
        alike = [ru for kk, ru in both if kk >= threshold]
        agreed = sum(ru >= threshold for ru in alike) / max(1, len(alike))
        print(
            f"  alike >= {threshold:3}   pairs {len(alike):5} of {len(both)}   agree {agreed:.2f}"
        )


if __name__ == "__main__":
    main()
