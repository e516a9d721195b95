"""Builds the job table as a module: its schema, and the job that keeps it small."""

from datetime import timedelta

from fairground.platform.db.database import Database
from fairground.platform.jobs.dead_letters import DeleteFinished, delete_finished
from fairground.platform.jobs.tables import history
from fairground.platform.module import Module, Schedule


def build(db: Database) -> Module:
    async def on_delete_finished(_job: DeleteFinished) -> None:
        await delete_finished(db)

    return Module(
        name="jobs",
        history=history,
        handlers={DeleteFinished: on_delete_finished},
        schedules=[Schedule(DeleteFinished(), every=timedelta(hours=1))],
    )
