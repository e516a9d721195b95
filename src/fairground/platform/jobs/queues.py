"""The queues: which due jobs a process claims from them, and how much waits in each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs import dead_letters, store
from fairground.platform.jobs.lifecycle import RunningJob
from fairground.platform.jobs.store import DueJob


async def claim_jobs(
    db: Database,
    *,
    kinds: Sequence[str],
    slots: Mapping[Queue, int],
    busy_queues: Collection[Queue],
    lease: timedelta,
    worker: str,
) -> list[RunningJob]:
    """Claim due jobs that may run beside each other.

    Args:
        slots: How many jobs of each queue may start.
        busy_queues: The queues in which this process already runs jobs.
    """
    async with db.write() as tx:
        due = await store.lock_due_jobs(tx, kinds=kinds, slots=slots)
        return await store.lease_jobs(tx, choose_startable(due, busy_queues=busy_queues), lease=lease, worker=worker)


def choose_startable(due: Sequence[DueJob], *, busy_queues: Collection[Queue]) -> list[DueJob]:
    """Return the due jobs that may start now, in the order in which they were given.

    A job that crashed a worker before (a suspect) runs alone in the process. First its own queue starts no job behind
    it, until the running jobs of that queue have ended. Then no queue starts a job that became due after the suspect,
    until the process is idle and the suspect starts. Other queues wait only during this second phase.
    """
    startable, suspects = [], dict[Queue, DueJob]()
    for job in due:
        if job.crashes:
            suspects.setdefault(job.queue, job)
        elif job.queue not in suspects:
            startable.append(job)
    next_suspects = [job for queue, job in suspects.items() if queue not in busy_queues]
    if not next_suspects:
        return startable
    suspect = min(next_suspects, key=_due_order)
    earlier = [job for job in startable if _due_order(job) < _due_order(suspect)]
    return earlier if earlier or busy_queues else [suspect]


def _due_order(job: DueJob) -> tuple[object, ...]:
    return job.run_at, job.id


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
        DatabaseUnavailable
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
