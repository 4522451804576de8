"""How long triage takes: in the API's process, beside the catalogue's search of the same words,
and over HTTP, with a place, beside a question of the same server that thinks of nothing.

Run from the root: python -m benchmarks.triage [rounds] [seconds]
"""

import asyncio
import json
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import uuid4

from api.commands.catalogue import policies_beside, read_source, sound
from api.commands.triage import PHRASES, STARTER
from benchmarks.client import Request, Tally, get, post, steady
from benchmarks.stage import Stage, open_stage
from domain.catalogue.search import SearchIndex
from domain.triage.ranking import Audience, rank
from domain.values import Language
from integrations.triage.artefact import Models
from integrations.triage.corpus import ASKED, read_asked, read_labelled

LIMIT = 5
RATE = 20
"""Questions a second over HTTP: two hundred operators who ask one every ten seconds."""


def took(task: Callable[[str], object], texts: list[str], rounds: int) -> list[float]:
    """Milliseconds of each call, sorted."""
    spent = []
    for _ in range(rounds):
        for text in texts:
            begin = perf_counter()
            task(text)
            spent.append((perf_counter() - begin) * 1_000)
    return sorted(spent)


def resident() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def over_http(stage: Stage, texts: list[str], seconds: float) -> None:
    """Print how long the answers to whole requests take, at a fixed rate."""
    token, spoken = stage.tokens["operator"], cycle(texts)

    def asked() -> bytes:
        body = {"text": next(spoken), "location": {"address": "Шакарима 12"}}
        said = json.dumps(body, ensure_ascii=False).encode()
        return post("/v1/triage", token, uuid4().hex, said)

    requests: dict[str, Request] = {
        "POST /v1/triage": asked, "GET /v1/me": lambda: get("/v1/me", token),
    }  # fmt: skip
    for name, request in requests.items():

        def held(length: float, request: Request = request) -> Tally:
            return asyncio.run(
                steady(stage.port, request, rate=RATE, seconds=length, lines=8, good=200)
            )

        # What comes first pays for the reading of the model.
        held(2)
        found = held(seconds)
        p50, p99 = found.quantile(0.5), found.quantile(0.99)
        print(f"{name:19} p50 {p50:.1f} ms  p99 {p99:.1f} ms  failed {found.failed}")


def main(rounds: int = 3, seconds: int = 20) -> None:
    """Print the figures."""
    catalogue = sound(read_source(STARTER, policies_beside(STARTER) or ())).catalogue()
    search = SearchIndex(catalogue)
    before = resident()
    begin = perf_counter()
    model = Models(Path("nowhere")).of("")
    print(f"read the model      {(perf_counter() - begin) * 1_000:.0f} ms")
    print(f"its memory          {resident() - before:.0f} MB")
    day = datetime.now(UTC).date()
    audience = Audience(public_only=False, day=day, language=Language.RU)
    short = [one.text for one in read_asked(PHRASES / ASKED["operators"])]
    long = [" ".join([one.text] * 5) for one in read_labelled(PHRASES)[::6]]
    hostile = ["а" * 10_000, "люк " * 2_500, "".join(map(chr, range(0x400, 0x500))) * 39]
    for name, texts in (("phrases", short), ("long letters", long), ("hostile", hostile)):
        whole = took(
            lambda text: rank(text, model, catalogue, search, audience, LIMIT), texts, rounds
        )
        alone = took(lambda text: search.search(text, language="ru", limit=LIMIT), texts, rounds)
        p50, p99 = median(whole), whole[int(len(whole) * 0.99)]
        ratio = p50 / median(alone)
        print(f"{name:19} p50 {p50:.1f} ms  p99 {p99:.1f} ms  search alone: {ratio:.1f} times")
    with open_stage(workers=1) as stage:
        over_http(stage, short, seconds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
