"""How fast the catalogue of a large city is read, indexed and searched.

Run from the root: python -m benchmarks.catalogue_search [services]
"""

import sys
from collections.abc import Callable
from random import Random
from statistics import median
from time import perf_counter

from domain.catalogue.letters import TO_LATIN
from domain.catalogue.model import Catalogue
from domain.catalogue.search import SearchIndex
from integrations.files import catalogue_csv, catalogue_yaml
from tests.domain.catalogue import synthetic

QUERIES = 1_000


def timed(task: Callable[[], object]) -> float:
    """Seconds that the task takes."""
    begin = perf_counter()
    task()
    return perf_counter() - begin


def queries(catalogue: Catalogue, count: int) -> list[str]:
    """What operators would type: parts of names, shuffled, misspelt, on the wrong layout."""
    chosen = Random(16)
    found = []
    for number in range(count):
        service = chosen.choice(catalogue.services)
        words = service.names["kk" if number % 2 else "ru"].split()
        chosen.shuffle(words)
        text = " ".join(words)
        cut = chosen.randrange(len(text))
        text = text[:cut] + text[cut + 1 :]
        text = text[: chosen.randrange(3, len(text) + 1)]
        found.append(text.translate(TO_LATIN) if number % 10 == 0 else text)
    return found


def main(size: int = 2_500) -> None:
    """Print the figures."""
    catalogue = synthetic.catalogue(size)
    files = catalogue_yaml.encode(catalogue)
    table = catalogue_csv.encode(catalogue)
    references = synthetic.REFERENCES
    print(f"services            {size}")
    print(f"read YAML           {timed(lambda: catalogue_yaml.read(files, references)):.2f} s")
    print(f"read CSV            {timed(lambda: catalogue_csv.read('c', table, references)):.2f} s")
    print(f"build the index     {timed(lambda: SearchIndex(catalogue)):.2f} s")
    index = SearchIndex(catalogue)
    took = sorted(
        timed(lambda query=query: index.search(query, language="ru"))  # type: ignore[misc]
        for query in queries(catalogue, QUERIES)
    )
    print(f"search p50          {median(took) * 1000:.1f} ms")
    print(f"search p99          {took[int(len(took) * 0.99)] * 1000:.1f} ms")
    print(f"search worst        {took[-1] * 1000:.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
