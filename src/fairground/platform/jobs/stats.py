"""What the worker of one process counts."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from fairground.platform.histogram import DurationHistogram
from fairground.platform.jobs.states import Ending, JobState


@dataclass
class JobStats:
    """Counts since the start of the process, by kinds of jobs, which the program knows."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and outcome: `done`, `discarded`, `retried`, `dead` or `lost`."""
    durations: defaultdict[str, DurationHistogram] = field(default_factory=lambda: defaultdict(DurationHistogram))
    reaped: int = 0
    """Jobs of workers that went silent."""

    def add(self, kind: str, outcome: str, *, seconds: float) -> None:
        self.ended[kind, outcome] += 1
        self.durations[kind].add(seconds)


def outcome_of(ending: Ending) -> str:
    match ending.state:
        case JobState.DONE:
            return "discarded" if ending.error else "done"
        case JobState.DEAD:
            return "dead"
        case _:
            return "retried"
