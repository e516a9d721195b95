"""Histograms that parts of the platform keep of themselves; `platform.metrics` turns them into metrics."""

from bisect import bisect_left
from typing import Final

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
