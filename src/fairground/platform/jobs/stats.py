"""What a worker counts of its jobs."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from fairground.platform.measures import DurationHistogram


@dataclass
class JobStats:
    """Counts since the start of the process, by kinds of jobs, which the program knows."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and outcome: `done`, `discarded`, `superseded`, `retried`, `dead` or `lost`."""
    durations: defaultdict[str, DurationHistogram] = field(default_factory=lambda: defaultdict(DurationHistogram))
    rescued: int = 0
    """Jobs whose lease was over."""

    def add(self, kind: str, outcome: str, *, seconds: float) -> None:
        self.ended[kind, outcome] += 1
        self.durations[kind].add(seconds)
