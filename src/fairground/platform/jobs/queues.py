"""The queues: which due jobs a process claims from them, and how much waits in each."""

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.jobs import dead_letters, held_jobs, store
from fairground.platform.jobs.lifecycle import RunningJob
from fairground.platform.jobs.outbox import Routes
from fairground.platform.jobs.store import DueJob
from fairground.platform.module import Handler

_Key = tuple[Handler, Hashable]
"""What makes one message replace another."""


@dataclass(frozen=True)
class Claimed:
    """What one claim has changed."""

    starting: Sequence[RunningJob]
    """Jobs that start when the claim is committed."""
    waiting: Sequence[RunningJob]
    """Jobs that have no free slot yet."""
    superseded: Sequence[DueJob]
    """Jobs that are done without having run, because a newer one is among the claimed."""
    due: Counter[Queue]
    """How many due jobs were found in each queue, at most as many as were asked for."""

    @property
    def jobs(self) -> Sequence[RunningJob]:
        return [*self.starting, *self.waiting]

    def counts(self) -> Counter[Queue]:
        """Return how many jobs of each queue are taken from it."""
        return Counter([*(job.queue for job in self.jobs), *(job.queue for job in self.superseded)])


NOTHING_CLAIMED: Final = Claimed(starting=(), waiting=(), superseded=(), due=Counter())


async def claim_jobs(
    tx: WriteTx,
    *,
    routes: Routes,
    slots: Mapping[Queue, int],
    free: Mapping[Queue, int],
    busy_queues: Collection[Queue],
    lease: timedelta,
    worker: str,
) -> Claimed:
    """Claim due jobs that may run beside each other, and start as many as there are free slots.

    Args:
        slots: How many jobs of each queue may be claimed.
        free: How many of them may start at once.
        busy_queues: The queues of which this process already holds jobs.
    """
    due = await store.lock_due_jobs(tx, kinds=routes.kinds, slots=slots)
    newest = supersede(due, routes=routes)
    current = [job for job in due if job.id not in newest] if newest else due
    chosen = choose_startable(current, busy_queues=busy_queues)
    starting, waiting = _split(chosen, free)
    jobs = await held_jobs.lease_jobs(tx, starting=starting, waiting=waiting, lease=lease, worker=worker)
    superseded: list[DueJob] = []
    if newest:
        claimed = {job.id for job in chosen}
        superseded = [job for job in due if newest.get(job.id) in claimed]
        await held_jobs.end_superseded(tx, superseded)
    count, found = len(starting), Counter(job.queue for job in due)
    return Claimed(starting=jobs[:count], waiting=jobs[count:], superseded=superseded, due=found)


def _split(jobs: Sequence[DueJob], free: Mapping[Queue, int]) -> tuple[list[DueJob], list[DueJob]]:
    """Return the jobs that have a free slot of their queue, and the others."""
    left, starting, waiting = Counter(free), list[DueJob](), list[DueJob]()
    for job in jobs:
        (starting if left[job.queue] > 0 else waiting).append(job)
        left[job.queue] -= 1
    return starting, waiting


def supersede(due: Sequence[DueJob], *, routes: Routes) -> dict[UUID, UUID]:
    """Return which jobs need not run, and the newer job that does the work of each.

    A job that crashed a worker is left alone: it has to show whether it does so again.
    """
    newest: dict[_Key, tuple[Any, UUID]] = {}
    keys: dict[UUID, _Key] = {}
    for job in due:
        route = routes.of(job.kind)
        if route.projection is None or job.crashes:
            continue
        try:
            message = route.parse(job.payload)
        except ValidationError:
            continue  # its run will say what is wrong
        key = keys[job.id] = route.handler, route.projection.key(message)
        candidate = route.projection.version(message), job.id
        newest[key] = max(newest.get(key, candidate), candidate)
    return {job_id: newest[key][1] for job_id, key in keys.items() if newest[key][1] != job_id}


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
