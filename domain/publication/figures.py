"""What the public may be told of counts: nobody is to be found in a figure, nor in several.

Periods are whole weeks of the city, Monday to Sunday, that are over. They do not overlap, so no
two questions differ by a day; a longer period is the sum of what is told of its weeks. Of a week

* counts by service, category, sphere and district are sums of the classes of rows.py, each of
  which holds at least FEWEST appeals, whatever conditions they are asked with: what can be added
  and subtracted are whole classes (so a service counts those that are told with it);
* counts by anything else are told of the whole city alone. Groups under FEWEST are one, without a
  name, and if they are a few together the smallest other is in it too (complementary suppression):
  each grouping parts the week into groups of FEWEST or more, and two have nothing in common but
  their total;
* counts are told in steps of FEWEST, rounded down;
* shares are told in steps of five hundredths, where the promises kept and those broken are each
  none or at least FEWEST, and medians in whole hours of at least FEWEST; both of one week, and
  only of groups that are told by name.

Not promised: that a week looks tomorrow as it does today. Appeals are given another service or
status later, and who watches a week sees its steps move.

Complementary cells and rounding: Hundepool et al., Statistical Disclosure Control (2012), ch. 4, 5.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.publication.rows import FEWEST

_SHARE_STEP = 0.05
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One group: `key` (None for what has none), how many appeals, how many of them are closed;
    of `judged` whose promise to resolve is decided, how many `kept` it; `median` seconds from
    registration to resolution, of `resolved` appeals.
    """

    key: str | None
    count: int
    closed: int = 0
    judged: int = 0
    kept: int = 0
    resolved: int = 0
    median: float | None = None

    @property
    def share(self) -> float | None:
        """The part of the decided promises that was kept, None before the first."""
        return self.kept / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Published:
    """A group as the public is told it; None is what cannot be told."""

    key: str | None
    count: int
    share: float | None = None
    median: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Groups and their total; under the key None stands what is not told by name."""

    groups: tuple[Published, ...]
    total: int | None


def gathered(counts: Mapping[str | None, int]) -> Counter[str | None]:
    """Groups of which none is under FEWEST: those that are, and what has no key, are one under
    None, with the smallest other where they are a few. Nothing where all are a few.
    """
    found: Counter[str | None] = Counter(
        {key: n for key, n in counts.items() if key is not None and n >= FEWEST}
    )
    rest = sum(counts.values()) - found.total()
    if 0 < rest < FEWEST and found:
        rest += found.pop(min(found, key=lambda key: (found[key], str(key))))
    if rest >= FEWEST:
        found[None] = rest
    return found


def publish(
    weeks: Iterable[Mapping[str | None, int]], judged: Mapping[str | None, Figure] | None = None
) -> Table:
    """The table that may be told of these weeks, each of groups that `gathered` or
    `Shared.counted` let through; shares and medians by `judged`.
    """
    told: Counter[str | None] = Counter()
    for week in weeks:
        told.update(week)
    if not told:
        return Table((), None)
    known = judged or {}
    ordered = sorted(told, key=lambda key: (key is None, key or ""))
    return Table(
        tuple(_published(key, told[key], known.get(key)) for key in ordered),
        stepped(told.total()),
    )


def _published(key: str | None, count: int, figure: Figure | None) -> Published:
    if key is None or figure is None:
        return Published(key, stepped(count))
    return Published(key, stepped(count), _share(figure), _median(figure))


def stepped(count: int) -> int:
    """A count in steps, rounded down."""
    return count - count % FEWEST


def _share(figure: Figure) -> float | None:
    broken = figure.judged - figure.kept
    if figure.share is None or any(0 < part < FEWEST for part in (figure.kept, broken)):
        return None
    return round(round(figure.share / _SHARE_STEP) * _SHARE_STEP, 2)


def _median(figure: Figure) -> float | None:
    if figure.resolved < FEWEST or figure.median is None:
        return None
    return round(figure.median / _HOUR) * _HOUR
