"""How a city's appeals are spread: derived once from open data, kept beside this file.

    python -m benchmarks.distributions <folder with the two data files>

`la311_2017.csv.gz` (9,999 requests of Los Angeles, 27–31 December 2017) gives the hours of the
week, the skew of types and the time to close; `kzgov_complaints.csv` (1,200 complaints to akimats
of Kazakhstan, MIT) gives sentences in Kazakh and Russian, statuses and urgencies. The same input
gives the same bytes. Channels, services and outcomes come from demo/sample, made of both.
"""

import csv
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FILE = Path(__file__).with_name("distributions.json")

_SPHERES = {
    "ЖКХ": ("housing", "utilities", "flooding", "lifts"),
    "дороги": ("roads", "manholes"),
    "медицина": ("health",),
    "образование": ("education",),
    "общественный транспорт": ("transport",),
    "экология": ("waste", "landscaping"),
    "соцподдержка": ("general",),
}
"""Category of the source → spheres of our catalogue; the other categories have none."""

_SENTENCES = 60
_LENGTHS = range(20, 111)
_NAMING = re.compile(r"\d|\S\s+[A-ZА-ЯЁӘІҢҒҮҰҚӨҺ«\"]")
"""A sentence that may name a person, a city or a house says too much."""


@dataclass(frozen=True, slots=True)
class Distributions:
    """What distributions.json holds.

    `hours` are requests by hour of the week from Monday 0:00, `types` the counts of request
    types, the commonest first, `hours_to_close` the deciles 0–10, `sentences` by sphere and
    language; `statuses` and `urgencies` are shares in the second source.
    """

    hours: Sequence[int]
    types: Sequence[int]
    hours_to_close: Sequence[float]
    sentences: Mapping[str, Mapping[str, Sequence[str]]]
    statuses: Mapping[str, int]
    urgencies: Mapping[str, int]


def read() -> Distributions:
    """The file beside this one."""
    return Distributions(**json.loads(FILE.read_text(encoding="utf-8")))


def main(folder: Path) -> None:
    """Derive the file anew."""
    with gzip.open(folder / "la311_2017.csv.gz", "rt", encoding="utf-8") as file:
        requests = list(csv.DictReader(file))
    with (folder / "kzgov_complaints.csv").open(encoding="utf-8") as file:
        complaints = list(csv.DictReader(file))
    said = {
        "hours": _hours([_moment(row["CreatedDate"]) for row in requests]),
        "types": [n for _, n in Counter(row["RequestType"] for row in requests).most_common()],
        "hours_to_close": _deciles(requests),
        "sentences": _sentences(complaints),
        "statuses": dict(Counter(row["status"] for row in complaints).most_common()),
        "urgencies": dict(Counter(row["urgency"] for row in complaints).most_common()),
    }
    text = json.dumps(said, ensure_ascii=False, indent=1)
    # One list of numbers a line, however long.
    text = re.sub(r"\[[\d\s.,]+\]", lambda found: re.sub(r"\s+", " ", found.group()), text)
    FILE.write_text(text + "\n", encoding="utf-8")


def _moment(said: str) -> datetime:
    return datetime.strptime(said, "%m/%d/%Y %I:%M:%S %p")


def _hours(moments: Sequence[datetime]) -> list[int]:
    """By hour of the week. The source began on a Wednesday noon and ended on a Sunday: the days
    before are as its Thursday, which is whole.
    """
    counts = Counter((moment.weekday(), moment.hour) for moment in moments)
    days = (3, 3, 3, 3, 4, 5, 6)
    return [counts[day, hour] for day in days for hour in range(24)]


def _deciles(requests: Sequence[Mapping[str, str]]) -> list[float]:
    closed = [row for row in requests if row["Status"] == "Closed" and row["ClosedDate"]]
    hours = sorted(
        (_moment(row["ClosedDate"]) - _moment(row["CreatedDate"])).total_seconds() / 3600
        for row in closed
    )
    places = [min(len(hours) - 1, len(hours) * share // 10) for share in range(11)]
    return [round(max(0.0, hours[place]), 2) for place in places]


def _sentences(complaints: Sequence[Mapping[str, str]]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: {"kk": {}, "ru": {}})
    for row in complaints:
        for sphere in _SPHERES.get(row["category"], ()):
            for language, column in (("kk", "text_kz"), ("ru", "text_ru")):
                for sentence in re.split(r"(?<=[.!?])\s+", row[column].strip()):
                    if len(sentence) in _LENGTHS and not _NAMING.search(sentence):
                        found[sphere][language][sentence] = None
    return {
        sphere: {language: list(all_)[:_SENTENCES] for language, all_ in languages.items()}
        for sphere, languages in sorted(found.items())
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
