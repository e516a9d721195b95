"""Embedded pictures become pictures of media, and what providers show.

It goes by steps, each a job that asks for the next one: a few pictures are handed to media, and those that it has
rendered meanwhile are put in their places. A picture has one id here and there, and each of its moves is guarded by its
state, so a step may die anywhere and be repeated.
"""

from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

from fairground.contracts.catalog import (
    GALLERY_MAX,
    EmbeddedReport,
    GalleryFull,
    MigrationNotFound,
    PictureMigration,
    PicturePlace,
    PictureSubject,
)
from fairground.contracts.media import Picture, PictureNotFound, PictureState, avatar_url
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job, Queue
from fairground.modules.catalog.service.pictures import PictureBase
from fairground.modules.catalog.store import embedded, galleries, portraits, profiles
from fairground.modules.catalog.store.embedded import Embedded
from fairground.platform.db.common.operator_acts import write_down_act
from fairground.platform.db.database import ReadTx, WriteTx

MIGRATE: Final = "pictures.migrate"
# Under way at a time: pictures that people bring just then wait for no more than these.
_AT_ONCE: Final = 16
_STEP: Final = timedelta(seconds=1)


class MigratePictures(Job):
    """One step of a run."""

    topic: ClassVar = "catalog.migrate_pictures.v1"
    queue: ClassVar = Queue.PICTURES
    migration_id: UUID


class EmbeddedPictureService(PictureBase):
    async def start_migration(self, *, subject: PictureSubject, actor: str) -> PictureMigration:
        async with self._db.write() as tx:
            started_at = await tx.current_time()
            if await embedded.insert_migration(tx, uuid7(), subject, started_at=started_at):
                await write_down_act(tx, act=MIGRATE, actor=actor, details={"subject": subject.value})
            running = await embedded.find_running(tx, subject)
            if running is None:
                raise MigrationNotFound("The run has just ended.")
            # Also for one that goes on: its step may have been given up.
            await tx.enqueue(MigratePictures(migration_id=running), dedup_key=str(running))
            return await _get(tx, running)

    async def get_migration(self, *, migration_id: UUID) -> PictureMigration:
        async with self._db.read() as tx:
            return await _get(tx, migration_id)

    async def find_latest_migration(self, *, subject: PictureSubject) -> PictureMigration | None:
        async with self._db.read() as tx:
            latest = await embedded.find_latest(tx, subject)
            return None if latest is None else await _get(tx, latest)

    async def count_waiting(self, *, subject: PictureSubject) -> int:
        async with self._db.read() as tx:
            return await embedded.count_waiting(tx, subject)

    async def inspect_embedded(self) -> EmbeddedReport:
        async with self._db.read() as tx:
            return await embedded.inspect(tx)

    async def on_migrate(self, job: MigratePictures) -> None:
        async with self._db.read() as tx:
            run = await embedded.find_migration(tx, job.migration_id)
            if run is None or run.finished_at is not None:
                return
            taken = await embedded.list_taken(tx, run.id)
            waiting = await embedded.list_waiting(tx, run.subject, limit=_AT_ONCE - len(taken))
        for each in taken:
            await self._settle(each, run.id)
        for each in waiting:
            await self._hand_over(each, run.id)
        async with self._db.write(ends_job=True) as tx:
            if not await embedded.finish_migration(tx, run.id, run.subject):
                await tx.enqueue(job, delay=_STEP, dedup_key=str(run.id))

    async def _hand_over(self, each: Embedded, migration_id: UUID) -> None:
        async with self._db.read() as tx:
            content, owner_id = await embedded.read_content(tx, each.id), await _owner_of(tx, each.provider_id)
        try:
            await self._pictures.bring_picture(picture_id=each.id, owner_id=owner_id, content=content, alt=each.alt)
        except Invalid as refusal:
            await self._fail(each, migration_id, refusal.code, refusal.detail)
            return
        async with self._db.write() as tx:
            await embedded.mark_taken(tx, each.id, migration_id)

    async def _settle(self, each: Embedded, migration_id: UUID) -> None:
        """Show a picture if it is ready by now."""
        async with self._db.read() as tx:
            owner_id = await _owner_of(tx, each.provider_id)
        try:
            picture = await self._pictures.get_picture(owner_id=owner_id, picture_id=each.id)
            superseded = await self._place(each, picture) if picture.state is PictureState.READY else None
        except (PictureNotFound, GalleryFull) as reason:
            await self._fail(each, migration_id, reason.code, reason.detail)
            await self._pictures.delete_picture(owner_id=owner_id, picture_id=each.id)
            return
        if picture.refusal is not None:
            await self._fail(each, migration_id, picture.refusal.code, picture.refusal.detail)
        if superseded is not None:
            await self._pictures.delete_picture(owner_id=owner_id, picture_id=superseded)

    async def _place(self, each: Embedded, picture: Picture) -> UUID | None:
        """Show a picture in its place; return the one that an earlier import had brought there."""
        async with self._db.write() as tx:
            provider = await profiles.lock_provider(tx, each.provider_id)
            if provider is None or picture.url is None or not await embedded.mark_migrated(tx, each.id):
                return None
            await self._page_changed(tx, provider)
            portrait = await portraits.find_portrait(tx, provider.id)
            # What its owner has chosen stays.
            if each.place is PicturePlace.PORTRAIT and (portrait is None or provider.owner_id is None):
                await portraits.choose_portrait(tx, provider.id, picture_id=picture.id)
                square = avatar_url(provider.id, picture_url=picture.url)
                await portraits.show_if_chosen(tx, provider.id, picture.id, square)
                return None if portrait is None else portrait.chosen_id
            if len(await galleries.list_own(tx, provider.id)) >= GALLERY_MAX:
                raise GalleryFull(f"The gallery has {GALLERY_MAX} pictures already.")
            await galleries.append_picture(tx, provider.id, picture)
            return None

    async def _fail(self, each: Embedded, migration_id: UUID, code: str, detail: str) -> None:
        async with self._db.write() as tx:
            await embedded.mark_failed(tx, each.id, migration_id, code=code, detail=detail)


async def _owner_of(tx: ReadTx, provider_id: UUID) -> UUID:
    """Return who media shall take for the owner; of a provider that nobody has claimed, the provider itself."""
    provider = await profiles.find_ref(tx, provider_id)
    return (provider and provider.owner_id) or provider_id


async def _get(tx: ReadTx | WriteTx, migration_id: UUID) -> PictureMigration:
    run = await embedded.find_migration(tx, migration_id)
    if run is None:
        raise MigrationNotFound(f"There is no run {migration_id}.")
    return run
