"""The dispatcher: claims jobs in batches, decides which start next, and stores together how the simple ones ended.

All of that is one transaction, sent when a slot is free or a message is new. A job that is claimed beyond the free
slots waits in this process. It goes back as it was when the process stops or dies, or when its turn does not come soon.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from fairground.kernel.messages import Queue
from fairground.platform.db.database import Database
from fairground.platform.jobs import held_jobs
from fairground.platform.jobs.leases import Heartbeat
from fairground.platform.jobs.lifecycle import RunningJob
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.queues import NOTHING_CLAIMED, Claimed, claim_jobs
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.stats import JobStats

AHEAD_MAX: Final = 100
"""The most jobs of a queue that are claimed beyond the free slots. Other workers cannot have them meanwhile."""
BUSY_SECONDS: Final = 0.25
"""Where a batch was started within this time, the next one is larger."""
KEPT_SECONDS: Final = 1.0
"""A job that has waited here for longer goes back, for a worker that has a free slot."""


@dataclass
class _Waiting:
    """The claimed jobs of a queue that have not started, and how many are claimed beyond the free slots."""

    jobs: list[RunningJob] = field(default_factory=list)
    ahead: int = 0
    claimed_at: float = float("-inf")
    emptied_at: int = -1
    """`_Plan.changes` of the last claim, if it took all that was due; else -1."""

    def note_claim(self, count: int, *, asked: int, free: int, now: float) -> None:
        """Claim more next time if there are many short jobs, and fewer otherwise."""
        if count < asked:
            self.ahead = 0
        elif now - self.claimed_at < BUSY_SECONDS:
            self.ahead = min(AHEAD_MAX, max(free, 2 * self.ahead))
        else:
            self.ahead //= 2
        self.claimed_at = now


@dataclass(frozen=True)
class _Ended:
    job: RunningJob
    seconds: float


@dataclass(frozen=True)
class _Plan:
    """What the next transaction is to do."""

    ended: Sequence[_Ended]
    changes: int
    """How often this process has heard of jobs that may be due."""
    is_poll: bool
    """Whether to look into all queues, for jobs of which this process has not heard."""
    starting: list[RunningJob] = field(default_factory=list)
    returned: list[RunningJob] = field(default_factory=list)
    free: dict[Queue, int] = field(default_factory=dict)
    """The slots that stay free, of the queues of which none waits here any more."""
    slots: dict[Queue, int] = field(default_factory=dict)
    """How many jobs to claim of these queues."""

    @property
    def is_empty(self) -> bool:
        return not (self.ended or self.starting or self.returned or self.slots)


class Dispatcher:
    """Knows the jobs of one worker that wait, run, or have ended without a stored end."""

    def __init__(
        self,
        db: Database,
        *,
        outbox: JobOutbox,
        heartbeat: Heartbeat,
        stats: JobStats,
        settings: JobSettings,
        worker: str,
    ) -> None:
        self._db = db
        self._outbox = outbox
        self._heartbeat = heartbeat
        self._stats = stats
        self._settings = settings
        self._worker = worker
        self._waiting = {queue: _Waiting() for queue in Queue}
        self._running: dict[Queue, set[RunningJob]] = {queue: set() for queue in Queue}
        self._ended: list[_Ended] = []
        self._looks = 0
        self._poll_at = float("-inf")

    async def advance(self) -> Sequence[RunningJob]:
        """Store the ends of jobs, claim due ones, and return those that start now.

        Raises:
            DatabaseUnavailable: Nothing has changed here, so the next call does all of it.
        """
        now = asyncio.get_running_loop().time()
        plan = self._plan(now)
        if plan.is_empty:
            self._note_poll(plan, now=now)
            return []
        async with self._db.write() as tx:
            ended = [each.job for each in plan.ended]
            is_last = not (plan.returned or plan.slots)
            ours = await held_jobs.end_and_start(tx, ended=ended, starting=plan.starting, is_last=is_last)
            await held_jobs.release_jobs(tx, plan.returned)
            claimed = NOTHING_CLAIMED
            if plan.slots:
                claimed = await claim_jobs(
                    tx,
                    routes=self._outbox.routes,
                    slots=plan.slots,
                    free=plan.free,
                    busy_queues=self._busy_queues(without=plan.returned),
                    lease=self._settings.lease,
                    worker=self._worker,
                )
        self._note_poll(plan, now=now)
        self._note_stored(plan.ended, ours)
        self._take_out(plan.returned, lost=plan.returned)
        if plan.returned:
            self.look_again()
        self._take_out(plan.starting, lost=[job for job in plan.starting if job.id not in ours])
        self._keep(claimed, plan, now=now)
        starting = [job for job in plan.starting if job.id in ours]
        starting += claimed.starting
        for job in starting:
            self._running[job.queue].add(job)
        return starting

    def note_end(self, job: RunningJob, *, seconds: float, is_stored: bool) -> None:
        """Take note that a job runs no more. Unless its end is stored, the next transaction marks it done."""
        self._running[job.queue].discard(job)
        if is_stored:
            self._heartbeat.remove(job)
            if not job.is_ended:
                self.look_again()  # a job that is to be retried may be due already
        else:
            self._ended.append(_Ended(job, seconds))

    def look_again(self) -> None:
        """Look into all queues next time: jobs may be due, although this process has stored no message."""
        self._looks += 1

    def seconds_to_poll(self) -> float:
        """Return how long to wait for news before the next call of `advance`."""
        return max(0.0, self._poll_at - asyncio.get_running_loop().time())

    async def stop(self) -> None:
        """Store the ends of jobs, and let other workers have those that wait.

        Raises:
            DatabaseUnavailable: Their leases end instead.
        """
        ended, waiting = list(self._ended), list(self._all_waiting())
        if ended or waiting:
            async with self._db.write() as tx:
                stored = await held_jobs.end_and_start(tx, ended=[each.job for each in ended], starting=[])
                await held_jobs.release_jobs(tx, waiting)
            self._note_stored(ended, stored)
            self._take_out(waiting, lost=waiting)

    def _plan(self, now: float) -> _Plan:
        changes = self._outbox.commits + self._looks
        plan = _Plan(ended=list(self._ended), changes=changes, is_poll=now >= self._poll_at)
        is_alone = any(job.runs_alone for job in chain(*self._running.values()))
        for queue, limit in self._settings.concurrency_by_queue.items():
            waiting = self._waiting[queue]
            free = 0 if is_alone else max(0, limit - len(self._running[queue]))
            if not all(map(self._heartbeat.holds, waiting.jobs[:free])):
                waiting.jobs = [job for job in waiting.jobs if self._heartbeat.holds(job)]
            starting, rest = waiting.jobs[:free], waiting.jobs[free:]
            plan.starting.extend(starting)
            if rest and now - waiting.claimed_at > KEPT_SECONDS:
                plan.returned.extend(rest)
            elif free > len(starting) and (plan.is_poll or waiting.emptied_at != changes):
                plan.free[queue] = free - len(starting)
                plan.slots[queue] = plan.free[queue] + waiting.ahead
        return plan

    def _busy_queues(self, *, without: Collection[RunningJob]) -> set[Queue]:
        held = chain(*self._running.values(), self._all_waiting())
        return {job.queue for job in held if job not in without}

    def _all_waiting(self) -> Iterable[RunningJob]:
        return chain(*(each.jobs for each in self._waiting.values()))

    def _note_poll(self, plan: _Plan, *, now: float) -> None:
        if plan.is_poll:
            self._poll_at = now + self._settings.poll_seconds

    def _note_stored(self, ended: Sequence[_Ended], stored: Collection[object]) -> None:
        del self._ended[: len(ended)]
        for each in ended:
            self._heartbeat.remove(each.job)
            self._stats.add(each.job.kind, "done" if each.job.id in stored else "lost", seconds=each.seconds)

    def _take_out(self, jobs: Sequence[RunningJob], *, lost: Sequence[RunningJob]) -> None:
        """Remove jobs from those that wait, and forget those that are no longer ours."""
        for job in jobs:
            self._waiting[job.queue].jobs.remove(job)
        for job in lost:
            self._heartbeat.remove(job)

    def _keep(self, claimed: Claimed, plan: _Plan, *, now: float) -> None:
        for job in claimed.jobs:
            self._heartbeat.add(job, claimed_at=now)
        for job in claimed.waiting:
            self._waiting[job.queue].jobs.append(job)
        counts = claimed.counts()
        for queue, asked in plan.slots.items():
            waiting = self._waiting[queue]
            waiting.note_claim(counts[queue], asked=asked, free=plan.free[queue], now=now)
            waiting.emptied_at = plan.changes if counts[queue] == claimed.due[queue] < asked else -1
        for superseded in claimed.superseded:
            self._stats.ended[superseded.kind, "superseded"] += 1
