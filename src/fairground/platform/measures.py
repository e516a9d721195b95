"""What the parts of the program count about themselves; `platform.metrics` turns it into metrics."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Labels = tuple[str, ...]
# From a lookup in memory to the wait after which people leave.
BOUNDS_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class DurationHistogram:
    """Counts of durations by the bounds that they did not exceed, and their sum."""

    __slots__ = ("counts", "sum_seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_SECONDS) + 1)
        """Of each bound: durations at most that long and longer than the bound before. The last exceed all bounds."""
        self.sum_seconds = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self.sum_seconds += seconds


@dataclass(frozen=True)
class Counted:
    """A number that only grows, for each combination of label values."""

    name: str
    """Without the prefix that all names have."""
    meaning: str
    counts: Sequence[tuple[Labels, float]]
    labels: Labels = ()


@dataclass(frozen=True)
class Gauged:
    """A number as it is now; None when it is unknown."""

    name: str
    meaning: str
    value: float | None


@dataclass(frozen=True)
class Timed:
    """How long something took, for each combination of label values."""

    name: str
    meaning: str
    durations: Sequence[tuple[Labels, DurationHistogram]]
    labels: Labels = ()


Measure = Counted | Gauged | Timed
