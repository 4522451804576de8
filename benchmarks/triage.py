"""How long triage takes in the API's process, beside the catalogue's search of the same words.

Run from the root: python -m benchmarks.triage [rounds]
"""

import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from api.commands.catalogue import policies_beside, read_source, sound
from api.commands.triage import PHRASES, STARTER
from domain.catalogue.search import SearchIndex
from domain.triage.ranking import Audience, rank
from domain.values import Language
from integrations.triage.artefact import Models
from integrations.triage.corpus import ASKED, read_asked, read_labelled

LIMIT = 5


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


def main(rounds: int = 3) -> None:
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


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
