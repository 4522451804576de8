"""What the public may be told of counts: nobody is to be found in a figure.

Figures are tables of groups (by service, by district, by hour). Of each

* counts under FEWEST are not told, and the group is not named: that a rare service was asked for
  in a small district is what should not be told;
* counts are told in steps of FEWEST, rounded down, so that two questions that differ by one
  person (a day more, a district less) do not tell that person by their difference;
* a total is told in the same steps, and never so large that it could only be explained by groups
  that are not named (complementary suppression);
* shares are told in steps of five hundredths and medians in whole hours, and only where at least
  FEWEST appeals stand behind them.

k-anonymity by suppression: Sweeney (2002); rounding and complementary cells: Hundepool et al.,
Statistical Disclosure Control (2012), chapter 4.
"""

from collections.abc import Iterable
from dataclasses import dataclass

FEWEST = 5
"""k: so many appeals must share what is told."""
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
    closed: int | None
    share: float | None
    median: float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Groups and their total; groups may have been left out of both."""

    groups: tuple[Published, ...]
    total: int | None


def publish(figures: Iterable[Figure]) -> Table:
    """The table that may be told of these groups."""
    all_of_them = tuple(figures)
    groups = tuple(_published(figure) for figure in all_of_them if figure.count >= FEWEST)
    return Table(groups, _total(sum(figure.count for figure in all_of_them), groups))


def _published(figure: Figure) -> Published:
    return Published(
        figure.key,
        stepped(figure.count),
        _part(figure.closed, figure.count),
        _share(figure),
        _median(figure),
    )


def stepped(count: int) -> int:
    """A count in steps, rounded down."""
    return count - count % FEWEST


def _part(part: int, whole: int) -> int | None:
    """A part of a count: neither it nor what it leaves may be a few."""
    left = whole - part
    if (part and part < FEWEST) or (left and left < FEWEST):
        return None
    return stepped(part)


def _share(figure: Figure) -> float | None:
    if figure.judged < FEWEST or figure.share is None:
        return None
    return round(round(figure.share / _SHARE_STEP) * _SHARE_STEP, 2)


def _median(figure: Figure) -> float | None:
    if figure.resolved < FEWEST or figure.median is None:
        return None
    return round(figure.median / _HOUR) * _HOUR


def _total(total: int, groups: Iterable[Published]) -> int | None:
    """The total in steps, but no more than the named groups could be by themselves: each may be
    FEWEST - 1 more than it is told to be.
    """
    told = tuple(groups)
    if not told:
        return None
    most = sum(group.count + FEWEST - 1 for group in told)
    return min(stepped(total), stepped(most))
