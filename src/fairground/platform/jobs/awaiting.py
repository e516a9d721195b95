"""Waiting for jobs that others do: which of a kind are unfinished, and letting those start that wait for their turn."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, update

from fairground.platform.db.database import Database
from fairground.platform.jobs.states import JobState
from fairground.platform.jobs.store import AHEAD, in_state
from fairground.platform.jobs.tables import JobRow


async def find_unfinished(db: Database, *, kind: str) -> set[UUID]:
    """Return the jobs of a kind that are waiting or running."""
    async with db.read() as tx:
        # Two questions, because each is answered from the partial index of its state.
        return {
            found
            for state in (JobState.READY, JobState.RUNNING)
            for found in await tx.scalars(select(JobRow.id).where(in_state(state), JobRow.kind == kind))
        }


async def hasten(db: Database, *, job_ids: Collection[UUID]) -> None:
    """Let jobs that wait be the next ones: also before what became due a while ago and waits in a long queue."""
    async with db.write() as tx:
        behind = JobRow.id.in_(job_ids) & in_state(JobState.READY) & (JobRow.run_at > tx.now(-AHEAD))
        await tx.execute(update(JobRow).where(behind).values(run_at=tx.now(-AHEAD)))
