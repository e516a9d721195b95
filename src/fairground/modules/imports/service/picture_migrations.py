"""Makes the pictures embedded in rows into pictures of media.

A run goes in steps, each a job that enqueues the next one: a step hands a few pictures to media, and places those that
media has rendered meanwhile. A picture has the same id in both modules, and its state guards each of its transitions,
so an interrupted step can be repeated.
"""

from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

from fairground.contracts.imports import (
    EmbeddedReport,
    ImportedPicture,
    MigrationNotFound,
    PictureMigration,
    PictureSubject,
)
from fairground.contracts.providers import Galleries
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job, Queue
from fairground.modules.imports import store
from fairground.modules.imports.service.picture_placement import PicturePlacement
from fairground.modules.imports.store import Embedded
from fairground.platform.db.common.audit import record_action
from fairground.platform.db.database import Database, ReadTx

MIGRATE: Final = "pictures.migrate"
# Uploads of users wait for at most this many pictures of a run.
_IN_PROGRESS_MAX: Final = 16
_STEP: Final = timedelta(seconds=1)


class MigratePictures(Job):
    """One step of a run."""

    topic: ClassVar = "catalog.migrate_pictures.v1"
    queue: ClassVar = Queue.PICTURES
    migration_id: UUID


class PictureMigrations:
    def __init__(self, *, db: Database, galleries: Galleries, placement: PicturePlacement) -> None:
        self._db = db
        self._galleries = galleries
        self._placement = placement

    async def start_migration(self, *, subject: PictureSubject, actor: UUID | None) -> PictureMigration:
        async with self._db.write() as tx:
            started_at = await tx.current_time()
            if await store.insert_migration(tx, uuid7(), subject, started_at=started_at):
                await record_action(tx, action=MIGRATE, actor=actor, details={"subject": subject.value})
            running = await store.find_running(tx, subject)
            if running is None:
                raise MigrationNotFound("The run has just ended.")
            # Also for one that is running: the job of its step may be a dead letter.
            await tx.enqueue(MigratePictures(migration_id=running), dedup_key=str(running))
            return await _get(tx, running)

    async def get_migration(self, *, migration_id: UUID) -> PictureMigration:
        async with self._db.read() as tx:
            return await _get(tx, migration_id)

    async def find_latest_migration(self, *, subject: PictureSubject) -> PictureMigration | None:
        async with self._db.read() as tx:
            latest = await store.find_latest(tx, subject)
            return None if latest is None else await _get(tx, latest)

    async def count_waiting(self, *, subject: PictureSubject) -> int:
        async with self._db.read() as tx:
            return await store.count_waiting(tx, subject)

    async def list_waiting(self, *, provider_id: UUID) -> list[ImportedPicture]:
        async with self._db.read() as tx:
            return await store.list_waiting_of(tx, provider_id)

    async def inspect_embedded(self) -> EmbeddedReport:
        async with self._db.read() as tx:
            waiting = {subject: await store.count_waiting(tx, subject) for subject in PictureSubject}
            failed = await store.count_failed(tx)
            fetching = await store.count_fetching(tx)
            failed_addresses = await store.list_failed_addresses(tx)
        return EmbeddedReport(
            waiting=waiting,
            fetching=fetching,
            failed=failed,
            failed_addresses=failed_addresses,
            addresses=await self._galleries.count_data_addresses(),
        )

    async def on_migrate(self, job: MigratePictures) -> None:
        async with self._db.read() as tx:
            run = await store.find_migration(tx, job.migration_id)
            if run is None or run.finished_at is not None:
                return
            taken = await store.list_taken(tx, run.id)
            waiting = await store.list_waiting(tx, run.subject, limit=_IN_PROGRESS_MAX - len(taken))
        for each in taken:
            await self._placement.show_rendered(each, migration_id=run.id)
        for each in waiting:
            await self._hand_over(each, run.id)
        async with self._db.write(ends_job=True) as tx:
            if not await store.finish_migration(tx, run.id, run.subject):
                await tx.enqueue(job, delay=_STEP, dedup_key=str(run.id))

    async def _hand_over(self, each: Embedded, migration_id: UUID) -> None:
        async with self._db.read() as tx:
            content = await store.read_content(tx, each.id)
        try:
            await self._placement.hand_over(each, content)
        except Invalid as refusal:
            await self._placement.fail(each, code=refusal.code, detail=refusal.detail, migration_id=migration_id)
            return
        async with self._db.write() as tx:
            await store.mark_taken(tx, each.id, migration_id)


async def _get(tx: ReadTx, migration_id: UUID) -> PictureMigration:
    run = await store.find_migration(tx, migration_id)
    if run is None:
        raise MigrationNotFound(f"There is no run {migration_id}.")
    return run
