"""The sample of appeals as it lies in appeals.json, and when each happens in a given window."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

APPEALS = Path(__file__).with_name("appeals.json")

ZONE = ZoneInfo("Asia/Almaty")
WINDOW = timedelta(days=5)
WEEKDAYS = (2, 3, 4, 5, 6)
"""The source ran from a Wednesday to a Sunday."""

MOMENTS = {"date": "2026-01-01", "date-time": "2026-01-01T08:20:00+05:00"}
"""What stands in answers, by format, for a moment shortly before the appeal."""


@dataclass(frozen=True, slots=True)
class Row:
    """One appeal of the sample; `weekday` (0 is Monday) and `time` are the city's."""

    number: int
    weekday: int
    time: time
    channel: str
    language: str
    service: str
    kind: str
    text: str
    answers: Mapping[str, Any]
    location: Mapping[str, Any]
    applicant: Mapping[str, str] | None
    story: str

    def at(self, start: datetime) -> datetime:
        """When it happens in the five days from `start` (aware): at its hour, on its weekday.

        Five days lack two weekdays; the source's days that are lacking take their place.
        """
        begin = start.astimezone(ZONE)
        first = datetime.combine(begin.date(), self.time, ZONE)
        if first < begin:
            first += timedelta(days=1)
        days = [(first.weekday() + slot) % 7 for slot in range(WINDOW.days)]
        if self.weekday in days:
            return first + timedelta(days=days.index(self.weekday))
        free = [slot for slot, day in enumerate(days) if day not in WEEKDAYS]
        lacking = [day for day in WEEKDAYS if day not in days]
        return first + timedelta(days=free[lacking.index(self.weekday)])

    def answers_at(self, at: datetime) -> dict[str, Any]:
        """The answers with moments an hour before the appeal."""
        before = (at - timedelta(hours=1)).astimezone(ZONE).replace(microsecond=0)
        said = {
            MOMENTS["date"]: before.date().isoformat(),
            MOMENTS["date-time"]: before.isoformat(),
        }
        return {
            name: said.get(value, value) if isinstance(value, str) else value
            for name, value in self.answers.items()
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows in the source's order, and the codes of the executors whom they keep busiest."""

    rows: tuple[Row, ...]
    busy: tuple[str, ...]


def read_sample(path: Path = APPEALS) -> Sample:
    """The vendored sample."""
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = (Row(**row | {"time": time.fromisoformat(row["time"])}) for row in content["rows"])
    return Sample(tuple(rows), tuple(content["busy"]))


def schedule(rows: Sequence[Row], start: datetime) -> list[tuple[datetime, Row]]:
    """Every row with its moment in the five days from `start`, in order of time."""
    return sorted(
        ((row.at(start), row) for row in rows), key=lambda pair: (pair[0], pair[1].number)
    )
