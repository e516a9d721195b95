"""The outbox of `platform.db`: messages become rows of the job table in the transaction they follow from."""

import asyncio
from datetime import timedelta
from typing import Final

from fairground.kernel.messages import Event, Job
from fairground.platform.db.database import WriteTx
from fairground.platform.jobs import store
from fairground.platform.jobs.routes import Routes
from fairground.platform.jobs.running import current_job
from fairground.platform.jobs.states import DONE, EndedAlready, LostLease

EVENT_MAX_ATTEMPTS: Final = Job.max_attempts


class JobOutbox:
    """Writes messages down, and guards the writes of running jobs by their fence."""

    def __init__(self, routes: Routes) -> None:
        self.wake = asyncio.Event()
        """Set when messages were written by this process; its worker need not wait for its next look."""
        self.routes = routes

    async def begin(self, tx: WriteTx, *, ends_job: bool) -> None:
        """Check that the current job, if there is one, is still ours, and lock its row for this transaction.

        The lock is what makes the check hold until the commit: nobody can reap or claim a row that is locked.

        Raises:
            LostLease: Another worker has taken the job over; nothing of this transaction may be kept.
            EndedAlready: The handler has ended its job before.
        """
        job = current_job()
        if job is None:
            return
        was_ended, job.is_ended_by_handler = job.is_ended_by_handler, job.is_ended_by_handler or ends_job
        still_ours = await store.end_job(tx, job, DONE) if ends_job else await store.extend_lease(tx, job)
        if not still_ours and was_ended:
            raise EndedAlready(
                f"Job {job.id} ({job.kind}) writes after the write that ended it; that must be its last."
            )
        if not still_ours:
            raise LostLease(f"Job {job.id} ({job.kind}) is no longer ours under fence {job.fence}.")

    async def emit(self, tx: WriteTx, event: Event) -> None:
        kinds = self.routes.subscribers(event)
        await store.insert_jobs(tx, event, kinds=kinds, max_attempts=EVENT_MAX_ATTEMPTS)

    async def enqueue(self, tx: WriteTx, job: Job, *, delay: timedelta, dedup_key: str | None) -> None:
        kind = self.routes.taker(job)
        await store.insert_jobs(tx, job, kinds=[kind], max_attempts=job.max_attempts, delay=delay, dedup_key=dedup_key)

    def committed(self) -> None:
        self.wake.set()
