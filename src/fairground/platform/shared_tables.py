"""The module `common`: tables that all modules use (idempotency keys, rate limits), and the job that prunes them."""

from datetime import timedelta
from typing import ClassVar

from fairground.kernel.messages import Job
from fairground.platform.db.common import idempotency, rate_limits
from fairground.platform.db.common.tables import history
from fairground.platform.db.database import Database
from fairground.platform.module import Module, Schedule


class DeleteExpiredRows(Job):
    topic: ClassVar = "common.drop_lapsed_rows.v1"


def build(db: Database) -> Module:
    async def delete_expired_rows(_job: DeleteExpiredRows) -> None:
        async with db.write(ends_job=True) as tx:
            await idempotency.drop_lapsed(tx)
            await rate_limits.drop_lapsed(tx)

    return Module(
        name="common",
        history=history,
        handlers={DeleteExpiredRows: delete_expired_rows},
        schedules=[Schedule(DeleteExpiredRows(), every=timedelta(hours=1))],
    )
