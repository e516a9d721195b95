"""How much work waits."""

from dataclasses import dataclass

from sqlalchemy import case, func, select

from fairground.platform.db.database import Database
from fairground.platform.jobs.states import JobState
from fairground.platform.jobs.store import in_state
from fairground.platform.jobs.tables import JobRow


@dataclass(frozen=True)
class Queue:
    due: int
    """Jobs that could run now, whichever worker they are for."""
    oldest_due_seconds: float
    """How long the oldest of them has waited; 0 when there is none."""
    dead: int


async def measure_queue(db: Database) -> Queue:
    """Count the jobs that wait, and those that were given up.

    Raises:
        DatabaseUnavailable: As its name says.
    """
    async with db.read() as tx:
        # Those that go before others are due since before they were written.
        due_at = case((JobRow.run_at < JobRow.created_at, JobRow.created_at), else_=JobRow.run_at)
        waiting = select(func.count(), func.min(due_at)).where(in_state(JobState.READY), JobRow.run_at <= tx.now())
        due, oldest_at = await tx.one_or_none(waiting)
        now = await tx.current_time()
        given_up = select(func.count()).where(in_state(JobState.DEAD), JobRow.finished_at.is_not(None))
        dead = await tx.scalar(given_up)
    return Queue(due=due, oldest_due_seconds=(now - oldest_at).total_seconds() if oldest_at else 0.0, dead=dead)
