"""A trial's report as tables: the totals, then what the draft changes, the most changed first."""

from collections.abc import Iterable, Sequence

from api.commands.console import say, table
from domain.trials.report import Found, Line, Report, Side

SHOWN = 20
NOBODY = "(inspectors)"
LINE = (
    "clocks", "kept", "kept under draft", "breached", "breached under draft", "open",
    "open under draft", "median %", "median % under draft", "p90 %", "p90 % under draft",
    "changed", "newly late", "newly kept",
)  # fmt: skip
SHORT = ("clocks", "kept", "breached", "open", "median %", "p90 %", "+late", "+kept")
"""The same for eyes: `then → under draft` in one cell, or one figure where both agree."""
KEYS = ("service", "stage", "policy", "policy under draft")


def show(report: Report, *, everything: bool = False) -> None:
    """Print the tables; of long ones the beginning, unless `everything` is wanted."""
    limit = None if everything else SHOWN
    _lines("Promises", ("stage",), [report["total"], *report["stages"]], None)
    changed = [line for line in report["policies"] if line["changed"]]
    _lines("By policy", ("stage", "policy"), report["policies"] if everything else changed, limit)
    changed = [line for line in report["services"] if line["changed"]]
    _lines(
        "By service",
        ("service", "stage", "policy"),
        report["services"] if everything else changed,
        limit,
    )
    _examples("Late under the draft alone", report["newly_late"])
    _examples("Kept under the draft alone", report["newly_kept"])
    _rows(
        "Executors",
        ("executor", "then", "under draft", "difference"),
        [
            (each["organisation"] or NOBODY, each["then"], each["draft"],
             each["draft"] - each["then"])
            for each in report["executors"]
            if everything or each["draft"] != each["then"]
        ],
        limit,
    )  # fmt: skip
    _rows(
        "Another way",
        ("from", "to", "reason", "appeals", "examples"),
        [
            (each["from"] or NOBODY, each["to"] or NOBODY, each["reason"], each["appeals"],
             ", ".join(each["examples"]))
            for each in report["moves"]
        ],
        limit,
    )  # fmt: skip
    _rest(report, limit)


def _rest(report: Report, limit: int | None) -> None:
    lost = [each for each in report["moves"] if each["to"] is None]
    if lost:
        say(f"Left without an executor: {sum(each['appeals'] for each in lost)} appeals.")
    _rows(
        "Services",
        ("service", "change", "before", "under draft", "appeals"),
        [
            (each["service"], each["change"], each["before"], each["after"], each["appeals"])
            for each in report["draft"]["services"]
        ],
        limit,
    )
    _rows(
        "Answers that no longer fit",
        ("service", "appeals", "examples"),
        [
            (each["service"], each["appeals"], ", ".join(each["examples"]))
            for each in report["misfits"]
        ],
        limit,
    )


def cells(line: Line) -> tuple[object, ...]:
    """The figures of a line, in the order of LINE."""
    then, draft = line["then"], line["draft"]
    return (
        max(then["clocks"], draft["clocks"]), then["kept"], draft["kept"], then["breached"],
        draft["breached"], then["open"], draft["open"], _used(then, "median"),
        _used(draft, "median"), _used(then, "p90"), _used(draft, "p90"), line["changed"],
        line["newly_late"], line["newly_kept"],
    )  # fmt: skip


def _shown(line: Line) -> tuple[object, ...]:
    clocks, *pairs = cells(line)
    both, (_, late, kept) = pairs[:-3], pairs[-3:]
    return clocks, *map(_beside, both[::2], both[1::2]), late, kept


def _beside(then: object, draft: object) -> object:
    return then if then == draft else f"{_dash(then)} → {_dash(draft)}"


def _dash(value: object) -> object:
    return "–" if value is None else value


def keys(line: Line) -> tuple[object, ...]:
    """What a line is about, in the order of KEYS."""
    return line["service"], line["stage"], line["policy_then"], line["policy_draft"]


def _used(side: Side, name: str) -> int | None:
    return side["median"] if name == "median" else side["p90"]


def _lines(title: str, names: Sequence[str], lines: Iterable[Line], limit: int | None) -> None:
    rows = []
    for line in lines:
        about = {
            "service": line["service"],
            "stage": line["stage"] or "all",
            "policy": _beside(line["policy_then"], line["policy_draft"]),
        }
        rows.append((*(about[name] for name in names), *_shown(line)))
    _rows(title, (*names, *SHORT), rows, limit)


def _rows(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], limit: int | None
) -> None:
    if not rows:
        return
    say("")
    more = f", the first {limit} of {len(rows)}" if limit and len(rows) > limit else ""
    say(f"{title}{more}:")
    table(columns, rows[:limit])


def _examples(title: str, found: Found) -> None:
    if found["appeals"]:
        say(f"{title}: {found['appeals']} appeals, such as {', '.join(found['examples'])}.")
