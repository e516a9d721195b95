"""The tables of the platform, built as modules, and the jobs that delete their old rows.

`common` has the idempotency keys and rate limits, `jobs` the job table.
"""

from datetime import timedelta
from typing import ClassVar

from fairground.kernel.messages import Job
from fairground.platform.db.common import idempotency, limit_refusals, rate_limits
from fairground.platform.db.common import tables as common_tables
from fairground.platform.db.database import Database
from fairground.platform.jobs import tables as job_tables
from fairground.platform.jobs.dead_letters import DeleteFinished, delete_finished
from fairground.platform.module import Module, Schedule


class DeleteExpiredRows(Job):
    topic: ClassVar = "common.drop_lapsed_rows.v1"


def build_common(db: Database) -> Module:
    async def delete_expired_rows(_job: DeleteExpiredRows) -> None:
        async with db.write(ends_job=True) as tx:
            await idempotency.drop_lapsed(tx)
            await rate_limits.drop_lapsed(tx)
            await limit_refusals.drop_old(tx)

    return Module(
        name="common",
        history=common_tables.history,
        handlers={DeleteExpiredRows: delete_expired_rows},
        schedules=[Schedule(DeleteExpiredRows(), every=timedelta(hours=1))],
    )


def build_jobs(db: Database) -> Module:
    async def delete_finished_jobs(_job: DeleteFinished) -> None:
        await delete_finished(db)

    return Module(
        name="jobs",
        history=job_tables.history,
        handlers={DeleteFinished: delete_finished_jobs},
        schedules=[Schedule(DeleteFinished(), every=timedelta(hours=1))],
    )
