"""Fifty appeals by the graph, against the same by REST and against a graph of constants.

    python -m benchmarks.graph [--appeals 5000] [--rounds 5] [--seconds 3]

One process serves the API, another a bare strawberry schema that answers with fifty appeals that
stand in memory, on the same kind of server. All are pressed in turn by four kept lines, round
after round; a ratio is that of the medians of requests a second. The aim is 0.6 of REST's, whose
page has the appeals whole.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from statistics import median

from benchmarks.client import Line, Request, get, post, saturate
from benchmarks.stage import ROOT, Stage, free_port, open_stage

AIM = 0.6
LINES = 4
FIELDS = """
    number status kind channel criticality emergency text registeredAt dueAt version
    service { code name criticality }
    organisation { uuid name }
"""
TEN = f"{{ appeals(first: 50) {{ nodes {{ {FIELDS} }} }} }}"
NARROW = "{ appeals(first: 50) { nodes { number status registeredAt } } }"
WIDE = f"""{{ appeals(first: 50) {{ edges {{ cursor node {{ id {FIELDS} updatedAt
    location {{ address district coordinates {{ latitude longitude }} }} applicant {{ name phone }}
    assignment {{ state organisation {{ name }} }} clocks {{ stage state dueAt metAt }} }} }}
    pageInfo {{ hasNextPage endCursor }} }} }}"""
CONSTANTS = f"{{ appeals {{ {FIELDS} }} }}"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appeals", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    said = parser.parse_args()
    with open_stage(1, said.appeals) as stage:
        port = free_port()
        command = (
            sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port),
            "--no-log", "benchmarks.constants:app",
        )  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT)
        try:
            asyncio.run(_compare(stage, port, said.rounds, said.seconds))
        finally:
            process.terminate()
            process.wait(20)


async def _compare(stage: Stage, constants: int, rounds: int, seconds: float) -> None:
    token = stage.tokens["inspector"]
    contenders: Mapping[str, tuple[int, bytes]] = {
        "REST, 50 whole": (stage.port, get("/v1/appeals?limit=50", token)),
        "graph, 10 fields, service, organisation": (stage.port, _ask(TEN, token)),
        "graph, 3 fields": (stage.port, _ask(NARROW, token)),
        "graph, place, applicant, assignment, clocks": (stage.port, _ask(WIDE, token)),
        "bare strawberry, constants, the same fields": (constants, _ask(CONSTANTS, token)),
    }
    for port, request in contenders.values():
        await _sound(port, request)
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (port, request) in contenders.items():
            again: Request = lambda request=request: request  # type: ignore[misc]  # noqa: E731
            tally = await saturate(port, again, lines=LINES, seconds=seconds, good=200)
            rates[name].append(len(tally.took) / tally.seconds)
    rest = median(rates["REST, 50 whole"])
    bare = median(rates["bare strawberry, constants, the same fields"])
    for name, found in rates.items():
        rate = median(found)
        print(
            f"{name:46} {rate:7.1f}/s ({min(found):.1f}-{max(found):.1f})"
            f"   of REST {rate / rest:5.2f}   of constants {rate / bare:5.2f}"
        )
    print(f"aim: {AIM} of REST with ten fields")


async def _sound(port: int, request: bytes) -> None:
    """That the answer is one, with fifty appeals, before anything is measured."""
    line = Line(port)
    for _ in range(100):
        try:
            await line.open()
            break
        except OSError:
            await asyncio.sleep(0.1)
    for _ in range(20):
        await line.ask(request)
    status, body = await line.ask(request)
    assert status == 200, body[:300]
    answer = json.loads(body)
    found = answer.get("items") or answer["data"]["appeals"]
    if isinstance(found, dict):
        found = found.get("nodes") or found["edges"]
    assert len(found) == 50, "fifty appeals"
    assert "errors" not in answer, answer
    line.close()


def _ask(query: str, token: str) -> bytes:
    return post("/graphql", token, "none", json.dumps({"query": query}).encode())


if __name__ == "__main__":
    main()
