"""What the worker of one process counts, and how much work waits in each queue."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.histogram import DurationHistogram
from fairground.platform.jobs import dead_letters, store
from fairground.platform.jobs.lifecycle import JobResult, JobState


@dataclass
class JobStats:
    """Counts since the start of the process, by kinds of jobs, which the program knows."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and outcome: `done`, `discarded`, `retried`, `dead` or `lost`."""
    durations: defaultdict[str, DurationHistogram] = field(default_factory=lambda: defaultdict(DurationHistogram))
    rescued: int = 0
    """Jobs whose lease was over."""

    def add(self, kind: str, outcome: str, *, seconds: float) -> None:
        self.ended[kind, outcome] += 1
        self.durations[kind].add(seconds)


def outcome_of(result: JobResult) -> str:
    match result.state:
        case JobState.DONE:
            return "discarded" if result.error else "done"
        case JobState.DEAD:
            return "dead"
        case _:
            return "retried"


@dataclass(frozen=True)
class QueueDepth:
    due: int
    """Jobs that could run now, whichever worker they are for."""
    oldest_due_seconds: float
    """How long the oldest of them has waited; 0 when there is none."""


@dataclass(frozen=True)
class QueueDepths:
    """What waits in the queues that this code knows."""

    queues: Mapping[Queue, QueueDepth]
    dead: int

    @property
    def due(self) -> int:
        return sum(depth.due for depth in self.queues.values())

    @property
    def oldest_due_seconds(self) -> float:
        return max(depth.oldest_due_seconds for depth in self.queues.values())


async def measure_queues(db: Database) -> QueueDepths:
    """Count the jobs that are due in each queue, and the dead ones.

    Raises:
        DatabaseUnavailable: As its name says.
    """
    async with db.read() as tx:
        due = await store.count_due(tx)
        now = await tx.current_time()
        dead = await dead_letters.count_dead(tx)
    queues = {}
    for queue in Queue:
        count, oldest_at = due.get(queue, (0, None))
        oldest_seconds = (now - oldest_at).total_seconds() if oldest_at else 0.0
        queues[queue] = QueueDepth(due=count, oldest_due_seconds=oldest_seconds)
    return QueueDepths(queues=queues, dead=dead)
