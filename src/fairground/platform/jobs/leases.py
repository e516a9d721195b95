"""The jobs that this process holds, and the heartbeat that keeps them."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from fairground.platform.db.database import Database
from fairground.platform.jobs import store
from fairground.platform.jobs.persistence import PAUSE_MAX_SECONDS
from fairground.platform.jobs.running import RunningJob

BEATS_PER_LEASE: Final = 3
SELF_FENCE_SHARE: Final = 0.8
"""A job that could not be renewed for this share of its lease is given up before somebody else may start it."""

log = structlog.get_logger()


@dataclass(eq=False)
class HeldJob:
    job: RunningJob
    task: asyncio.Task[None]
    renewed_at: float
    """By the clock of the event loop, and before the database was asked: never later than what the database has."""
    is_given_up: bool = False


class LeaseKeeper:
    """Holds the claimed jobs of one worker: renews their leases, and cancels those that are no longer ours."""

    def __init__(self, db: Database, *, lease: timedelta) -> None:
        self._db = db
        self._lease = lease
        self._held: dict[UUID, HeldJob] = {}

    @property
    def held(self) -> list[HeldJob]:
        return list(self._held.values())

    def add(self, job: RunningJob, *, task: asyncio.Task[None], claimed_at: float) -> None:
        self._held[job.id] = HeldJob(job=job, task=task, renewed_at=claimed_at)

    def remove(self, job: RunningJob) -> None:
        self._held.pop(job.id, None)

    @property
    def pause_max_seconds(self) -> float:
        """How long a beat that failed may be put off: jobs are given up by the next one, in time even so."""
        return min(PAUSE_MAX_SECONDS, (1 - SELF_FENCE_SHARE) / 2 * self._lease.total_seconds())

    async def beat(self) -> float:
        """Renew every lease and return the seconds until the next time."""
        try:
            async with asyncio.timeout_at(self._first_deadline()):
                await self._renew()
        finally:
            self._give_up_overdue()
        return self._lease.total_seconds() / BEATS_PER_LEASE

    async def _renew(self) -> None:
        kept = [held for held in self.held if not held.is_given_up]
        if not kept:
            return
        asked_at = _now()
        async with self._db.write() as tx:
            ours = await store.extend_leases(tx, [held.job for held in kept], lease=self._lease)
        for held in kept:
            if held.job.id in ours:
                held.renewed_at = asked_at
            else:
                self._give_up(held)

    def _give_up_overdue(self) -> None:
        for held in self.held:
            if not held.is_given_up and _now() >= self._deadline(held):
                self._give_up(held)

    def _give_up(self, held: HeldJob) -> None:
        if held.job.id in self._held:
            held.is_given_up = True
            held.task.cancel()
            log.warning("job.lease_lost", job_id=str(held.job.id), kind=held.job.kind, attempt=held.job.attempt)

    def _first_deadline(self) -> float:
        return min((self._deadline(held) for held in self.held if not held.is_given_up), default=_now() + 1)

    def _deadline(self, held: HeldJob) -> float:
        return held.renewed_at + SELF_FENCE_SHARE * self._lease.total_seconds()


def _now() -> float:
    return asyncio.get_running_loop().time()
