"""The platform's own tables as a module: their schema, and the job that keeps them small."""

from datetime import timedelta
from typing import ClassVar

from fairground.kernel.messages import Job
from fairground.platform.db.common import idempotency, limits
from fairground.platform.db.common.tables import history
from fairground.platform.db.database import Database
from fairground.platform.module import Module, Schedule


class DropLapsedRows(Job):
    topic: ClassVar = "common.drop_lapsed_rows.v1"


def build(db: Database) -> Module:
    async def on_drop_lapsed_rows(_job: DropLapsedRows) -> None:
        async with db.write(ends_job=True) as tx:
            await idempotency.drop_lapsed(tx)
            await limits.drop_lapsed(tx)

    return Module(
        name="common",
        history=history,
        handlers={DropLapsedRows: on_drop_lapsed_rows},
        schedules=[Schedule(DropLapsedRows(), every=timedelta(hours=1))],
    )
