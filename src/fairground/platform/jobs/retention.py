"""How long finished jobs are kept."""

from datetime import timedelta
from typing import ClassVar, Final

from sqlalchemy import delete, or_, select

from fairground.kernel.messages import Job
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.jobs.states import JobState
from fairground.platform.jobs.store import in_state
from fairground.platform.jobs.tables import JobRow

DONE_KEPT: Final = timedelta(days=7)
DEAD_KEPT: Final = timedelta(days=90)
ROWS_AT_ONCE: Final = 500  # a longer transaction would keep others from writing to SQLite


class DeleteFinished(Job):
    """Delete jobs that have been done or dead for long enough."""

    topic: ClassVar = "jobs.delete_finished.v1"


async def delete_finished(db: Database) -> int:
    """Delete what is past its time and return how many jobs that were."""
    total = 0
    while True:
        async with db.write() as tx:
            count = await _delete_some(tx)
        total += count
        if count < ROWS_AT_ONCE:
            return total


async def _delete_some(tx: WriteTx) -> int:
    old = select(JobRow.id).where(
        or_(
            in_state(JobState.DONE) & (JobRow.finished_at < tx.now(-DONE_KEPT)),
            in_state(JobState.DEAD) & (JobRow.finished_at < tx.now(-DEAD_KEPT)),
        )
    )
    return await tx.execute(delete(JobRow).where(JobRow.id.in_(old.limit(ROWS_AT_ONCE))))
