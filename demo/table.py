"""What a replay ends with: the platform's own counts, the receivers' counts, and the keys."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

from demo.replay import Summary

GOAL = 0.85
"""The share of appeals that the city wants closed at first contact."""

Row = tuple[str, str]


async def closing_table(
    base_url: str,
    token: str,
    *,
    console: Console,
    summary: Summary | None = None,
    people: Sequence[tuple[str, str, str]] = (),
) -> None:
    """Print the table; `token` may read statistics, `people` are (role, name, token)."""
    async with httpx2.AsyncClient(base_url=base_url, timeout=30) as client:
        answer = await client.get("/v1/statistics", headers={"Authorization": f"Bearer {token}"})
    answer.raise_for_status()
    rows = [*platform_rows(answer.json()), *(actors_rows(summary) if summary else ())]
    rows.append(("reference page", f"{base_url.rstrip('/')}/reference"))
    console.print(_table("Semey, five days", ("what", "how many"), rows))
    if people:
        console.print(_table("Keys of the demonstration", ("role", "name", "token"), people))
    for problem in summary.problems if summary else ():
        console.print(f"[red]unexpected[/red] {problem}", highlight=False, markup=True)


def platform_rows(statistics: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of GET /v1/statistics."""
    appeals, first = statistics["appeals"], statistics["first_contact"]
    yield "appeals", str(appeals["total"])
    for status, count in appeals["by_status"].items():
        yield f"  {status}", str(count)
    yield "consultations without an appeal", str(first["consultations"])
    yield f"answered at first contact (goal {GOAL:.0%})", _first(first, appeals["total"])
    for clocks in ("met", "met_late", "breached", "running", "paused", "cancelled"):
        yield f"clocks {clocks.replace('_', ' ')}", str(statistics["clocks"].get(clocks, 0))
    for state in ("delivered", "pending", "exhausted", "cancelled"):
        yield f"deliveries {state}", str(statistics["deliveries"].get(state, 0))


def actors_rows(summary: Summary) -> Iterator[Row]:
    """The rows of those who acted, and of those who were told."""
    yield "registered by the replay", f"{summary.registered} of {summary.planned}"
    yield "actions", str(sum(summary.actions.values()))
    yield "requests", f"{summary.requests}, tried again {summary.retries}"
    unexpected = ", ".join(f"{what}: {count}" for what, count in summary.unexpected.items())
    yield "unexpected answers", unexpected or "none"
    inboxes = summary.inboxes.values()
    yield "deliveries verified at the receivers", str(sum(box.taken for box in inboxes))
    yield "  repeats dropped", str(sum(box.repeated for box in inboxes))
    yield "  refused, signature wrong", str(sum(box.refused for box in inboxes))
    for code, box in summary.inboxes.items():
        sick = f", {box.turned_away} answered with 500 first" if box.turned_away else ""
        yield f"  {code}", f"{box.taken}{sick}"
    if summary.dead:
        yield f"  {summary.dead}", "nobody listens there"


def _first(first: Mapping[str, Any], total: int) -> str:
    consultations, share = first["consultations"], first["share"]
    answered = first["closed"] + consultations
    if share is None:
        return str(answered)
    return (
        f"{answered} ({answered / (total + consultations):.0%} of all, {share:.0%} of the closed)"
    )


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
