"""Leases: the fence that stops a worker whose lease ended, the heartbeat that keeps leases, and the rescue of jobs."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from fairground.platform.background_loops import PAUSE_MAX_SECONDS
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.jobs import held_jobs
from fairground.platform.jobs.lifecycle import DONE, AlreadyFinished, LostLease, RunningJob

BEATS_PER_LEASE: Final = 3
SELF_FENCE_SHARE: Final = 0.8
"""A job without a heartbeat for this share of its lease is abandoned before another worker may start it."""
RESCUES_PER_LEASE: Final = 6
RESCUED_AT_ONCE: Final = 100

log = structlog.get_logger()


async def check_fence(tx: WriteTx, job: RunningJob, *, ends_job: bool) -> None:
    """Check that a job is still ours, and lock its row for this transaction; end the job, or else renew its lease.

    The lock keeps the check true until the commit: no worker can rescue or claim a row that is locked.

    Raises:
        LostLease: Another worker holds the job; nothing of this transaction may be kept.
        AlreadyFinished: The handler has ended its job before.
    """
    job.has_written = True
    was_ended, job.is_ended_by_handler = job.is_ended_by_handler, job.is_ended_by_handler or ends_job
    still_ours = await held_jobs.end_job(tx, job, DONE) if ends_job else await held_jobs.extend_lease(tx, job)
    if not still_ours and was_ended:
        raise AlreadyFinished(f"Job {job.id} ({job.kind}) writes after the write that ended it; that must be its last.")
    if not still_ours:
        raise LostLease(f"Job {job.id} ({job.kind}) is no longer ours under fence {job.fence}.")


@dataclass(eq=False)
class HeldJob:
    job: RunningJob
    renewed_at: float
    """By the clock of the event loop, read before the statement: never later than what the database has."""
    task: asyncio.Task[None] | None = None
    """None until the job starts."""
    is_abandoned: bool = False


class Heartbeat:
    """Renews the leases of the jobs that one worker holds, and abandons the jobs that it has lost."""

    def __init__(self, db: Database, *, lease: timedelta) -> None:
        self._db = db
        self._lease = lease
        self._held: dict[RunningJob, HeldJob] = {}

    @property
    def held(self) -> list[HeldJob]:
        return list(self._held.values())

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return [held.task for held in self.held if held.task is not None]

    def add(self, job: RunningJob, *, claimed_at: float) -> None:
        self._held[job] = HeldJob(job=job, renewed_at=claimed_at)

    def start(self, job: RunningJob, task: asyncio.Task[None]) -> None:
        self._held[job].task = task

    def holds(self, job: RunningJob) -> bool:
        held = self._held.get(job)
        return held is not None and not held.is_abandoned

    def remove(self, job: RunningJob) -> None:
        self._held.pop(job, None)

    @property
    def pause_max_seconds(self) -> float:
        """How long a heartbeat that failed may be put off, so that the next one still abandons jobs in time."""
        return min(PAUSE_MAX_SECONDS, (1 - SELF_FENCE_SHARE) / 2 * self._lease.total_seconds())

    async def beat(self) -> float:
        """Renew every lease and return the seconds until the next time."""
        try:
            async with asyncio.timeout_at(self._first_deadline()):
                await self._renew()
        finally:
            self._abandon_overdue()
        return self._lease.total_seconds() / BEATS_PER_LEASE

    async def _renew(self) -> None:
        kept = [held for held in self.held if not held.is_abandoned]
        if not kept:
            return
        asked_at = _now()
        async with self._db.write() as tx:
            ours = await held_jobs.extend_leases(tx, [held.job for held in kept], lease=self._lease)
        for held in kept:
            if held.job.id in ours:
                held.renewed_at = asked_at
            else:
                self._abandon(held)

    def _abandon_overdue(self) -> None:
        for held in self.held:
            if not held.is_abandoned and _now() >= self._deadline(held):
                self._abandon(held)

    def _abandon(self, held: HeldJob) -> None:
        if held.job in self._held:
            held.is_abandoned = True
            if held.task is not None:
                held.task.cancel()
            log.warning("job.lease_lost", job_id=str(held.job.id), kind=held.job.kind, attempt=held.job.attempt)

    def _first_deadline(self) -> float:
        return min((self._deadline(held) for held in self.held if not held.is_abandoned), default=_now() + 1)

    def _deadline(self, held: HeldJob) -> float:
        return held.renewed_at + SELF_FENCE_SHARE * self._lease.total_seconds()


class Rescuer:
    """Makes the jobs of crashed and frozen workers ready again. Every worker has one; none is a leader."""

    def __init__(self, db: Database, *, lease: timedelta, on_rescue: Callable[[int], None]) -> None:
        self._db = db
        self._lease = lease
        self._on_rescue = on_rescue

    async def rescue(self) -> float:
        """Rescue stalled jobs and return the seconds until the next time."""
        async with self._db.write() as tx:
            count = await held_jobs.rescue_stalled(tx, limit=RESCUED_AT_ONCE)
        if count:
            log.warning("jobs.rescued", count=count)
            self._on_rescue(count)
        # Jitter, so that workers that were started together do not look at the same moments for ever.
        return self._lease.total_seconds() / RESCUES_PER_LEASE * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret


def _now() -> float:
    return asyncio.get_running_loop().time()
