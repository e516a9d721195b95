"""Imports rows of other systems, and makes the pictures embedded in them into pictures of media.

The module `providers` owns the profiles that an import writes; this module owns the embedded pictures. A run of a
migration goes in steps, each a job that enqueues the next one: a step hands a few pictures to media, and places those
that media has rendered meanwhile. A picture has the same id in both modules, and its state guards each of its
transitions, so an interrupted step can be repeated.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

from fairground.contracts.imports import (
    EmbeddedReport,
    ImportedPicture,
    ImportedProvider,
    ImportOutcome,
    MigrationNotFound,
    PictureMigration,
    PicturePlace,
    PictureSubject,
)
from fairground.contracts.media import Picture, PictureNotFound, Pictures, PictureState
from fairground.contracts.providers import ExternalProviders, Galleries, GalleryFull, Portraits, Providers
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job, Queue
from fairground.modules.imports import store
from fairground.modules.imports.store import Embedded
from fairground.platform.db.common.operator_log import record_operator_action
from fairground.platform.db.database import Database, ReadTx

MIGRATE: Final = "pictures.migrate"
# Uploads of users wait for at most this many pictures of a run.
_IN_PROGRESS_MAX: Final = 16
_STEP: Final = timedelta(seconds=1)


class ProviderImports:
    def __init__(self, *, db: Database, providers: Providers, external: ExternalProviders) -> None:
        self._db = db
        self._providers = providers
        self._external = external

    async def import_providers(self, *, vertical: str, source: str, providers: list[ImportedProvider]) -> ImportOutcome:
        currency = await self._providers.get_currency()
        fingerprints = {
            each.external_id: _fingerprint(each, vertical=vertical, currency=currency) for each in providers
        }
        step = await self._external.put_providers(
            vertical=vertical, source=source, providers=providers, fingerprints=fingerprints
        )
        pictures = await self._stage_pictures(providers, step.unclaimed)
        return ImportOutcome(created=step.created, updated=step.updated, unchanged=step.unchanged, pictures=pictures)

    async def _stage_pictures(self, providers: list[ImportedProvider], unclaimed: Mapping[str, UUID]) -> int:
        # Those of unchanged rows too: an earlier import may have died after it had written their providers.
        pictures = {
            unclaimed[provider.external_id]: provider.pictures
            for provider in providers
            if provider.pictures and provider.external_id in unclaimed
        }
        if not pictures:
            return 0
        async with self._db.write() as tx:
            return await store.stage_pictures(tx, pictures)


def _fingerprint(provider: ImportedProvider, *, vertical: str, currency: str) -> str:
    """Return a digest of the whole row, by which a repeated row is recognised as unchanged."""
    row = hashlib.sha256(f"{vertical}\n{currency}\n{provider.model_dump_json(exclude={'pictures'})}".encode())
    for picture in provider.pictures:
        row.update(f"\n{picture.place} {picture.alt}\n".encode() + picture.content)
    return row.hexdigest()


class MigratePictures(Job):
    """One step of a run."""

    topic: ClassVar = "catalog.migrate_pictures.v1"
    queue: ClassVar = Queue.PICTURES
    migration_id: UUID


class PictureMigrations:
    def __init__(
        self, *, db: Database, providers: Providers, portraits: Portraits, galleries: Galleries, pictures: Pictures
    ) -> None:
        self._db = db
        self._providers = providers
        self._portraits = portraits
        self._galleries = galleries
        self._pictures = pictures

    async def start_migration(self, *, subject: PictureSubject, actor: str) -> PictureMigration:
        async with self._db.write() as tx:
            started_at = await tx.current_time()
            if await store.insert_migration(tx, uuid7(), subject, started_at=started_at):
                await record_operator_action(tx, action=MIGRATE, actor=actor, details={"subject": subject.value})
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
        addresses = await self._galleries.count_data_addresses()
        return EmbeddedReport(waiting=waiting, failed=failed, addresses=addresses)

    async def on_migrate(self, job: MigratePictures) -> None:
        async with self._db.read() as tx:
            run = await store.find_migration(tx, job.migration_id)
            if run is None or run.finished_at is not None:
                return
            taken = await store.list_taken(tx, run.id)
            waiting = await store.list_waiting(tx, run.subject, limit=_IN_PROGRESS_MAX - len(taken))
        for each in taken:
            await self._show_rendered(each, run.id)
        for each in waiting:
            await self._hand_over(each, run.id)
        async with self._db.write(ends_job=True) as tx:
            if not await store.finish_migration(tx, run.id, run.subject):
                await tx.enqueue(job, delay=_STEP, dedup_key=str(run.id))

    async def _hand_over(self, each: Embedded, migration_id: UUID) -> None:
        owner_id = await self._owner_of(each.provider_id)
        async with self._db.read() as tx:
            content = await store.read_content(tx, each.id)
        try:
            await self._pictures.add_picture(picture_id=each.id, owner_id=owner_id, content=content, alt=each.alt)
        except Invalid as refusal:
            await self._fail(each, migration_id, refusal.code, refusal.detail)
            return
        async with self._db.write() as tx:
            await store.mark_taken(tx, each.id, migration_id)

    async def _show_rendered(self, each: Embedded, migration_id: UUID) -> None:
        """Show a picture if media has rendered it."""
        owner_id = await self._owner_of(each.provider_id)
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
        """Show a picture in its place; return the one that an earlier import had placed there."""
        superseded = None
        is_portrait = each.place is PicturePlace.PORTRAIT
        if is_portrait:
            placed = await self._portraits.place_imported_portrait(provider_id=each.provider_id, picture=picture)
            is_portrait, superseded = placed.is_placed, placed.superseded_id
        if not is_portrait:
            await self._galleries.append_imported_picture(provider_id=each.provider_id, picture=picture)
        # After the picture is in its place: a step that dies between the two is repeated, and placing repeats nothing.
        async with self._db.write() as tx:
            await store.mark_migrated(tx, each.id)
        return superseded

    async def _fail(self, each: Embedded, migration_id: UUID, code: str, detail: str) -> None:
        async with self._db.write() as tx:
            await store.mark_failed(tx, each.id, migration_id, code=code, detail=detail)

    async def _owner_of(self, provider_id: UUID) -> UUID:
        """Return the owner of a provider's pictures in media; an unclaimed provider is its own."""
        provider = await self._providers.get_provider_ref(provider_id=provider_id)
        return provider.owner_id or provider_id


async def _get(tx: ReadTx, migration_id: UUID) -> PictureMigration:
    run = await store.find_migration(tx, migration_id)
    if run is None:
        raise MigrationNotFound(f"There is no run {migration_id}.")
    return run
