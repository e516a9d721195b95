"""Uploaded pictures: read, described and deleted by their owners, inspected and cleaned up for operators."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from fairground.contracts.media import OriginalFile, Picture, PictureDeleted, PictureDescribed, PicturesReport
from fairground.kernel.messages import Job
from fairground.modules.media import store
from fairground.modules.media.domain import check_alt, check_owned
from fairground.modules.media.service.uploads import Uploads, delete_upload
from fairground.platform.db.database import Database, ReadTx
from fairground.platform.storage.keys import Retention, content_type_of
from fairground.platform.storage.store import ObjectNotFound, Store

_ListKeys = Callable[[ReadTx, str], Awaitable[list[str]]]


class OwnPictures:
    def __init__(self, db: Database, files: Store) -> None:
        self._db = db
        self._files = files

    async def get_picture(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        async with self._db.read() as tx:
            return check_owned(await store.find_picture(tx, picture_id), owner_id).picture

    async def describe_picture(self, *, owner_id: UUID, picture_id: UUID, alt: str) -> Picture:
        alt = check_alt(alt)
        async with self._db.write() as tx:
            picture = check_owned(await store.lock_picture(tx, picture_id), owner_id).picture
            if picture.alt == alt:
                return picture
            version = picture.alt_version + 1
            described = picture.model_copy(update={"alt": alt, "alt_version": version})
            await store.describe_picture(tx, described)
            await tx.emit(PictureDescribed(picture_id=picture_id, owner_id=owner_id, alt=alt, alt_version=version))
        return described

    async def delete_picture(self, *, owner_id: UUID, picture_id: UUID) -> None:
        async with self._db.write() as tx:
            record = await store.lock_picture(tx, picture_id)
            if record is None or record.owner_id != owner_id:
                return
            await store.delete_picture(tx, picture_id)
            await tx.emit(PictureDeleted(picture_id=picture_id, owner_id=owner_id))
            if record.original is not None:
                await store.delete_original_unless_used(tx, record.original.digest)
        if record.upload_key is not None:
            await delete_upload(self._files, record.upload_key)

    async def transfer_pictures(self, *, from_owner_id: UUID, to_owner_id: UUID) -> None:
        async with self._db.write() as tx:
            await store.change_owner(tx, from_owner_id, to=to_owner_id)


class PictureService:
    """Implements `Pictures`: each method is that of the object whose subject it is."""

    def __init__(self, *, uploads: Uploads, own: OwnPictures) -> None:
        self.offer_upload = uploads.offer_upload
        self.complete_upload = uploads.complete_upload
        self.add_picture = uploads.add_picture
        self.get_picture = own.get_picture
        self.describe_picture = own.describe_picture
        self.delete_picture = own.delete_picture
        self.transfer_pictures = own.transfer_pictures


class DropLeftovers(Job):
    """Delete pictures whose file never came, and those that were refused long ago."""

    topic: ClassVar = "media.drop_leftovers.v1"


class PictureMaintenanceService:
    def __init__(self, db: Database, files: Store, *, leftover_lifetime: timedelta) -> None:
        self._db = db
        self._files = files
        self._leftover_lifetime = leftover_lifetime

    async def on_drop_leftovers(self, _job: DropLeftovers) -> None:
        async with self._db.write(ends_job=True) as tx:
            await store.delete_abandoned_pictures(tx, older_than=self._leftover_lifetime)

    async def find_referred(self, keys: Sequence[str]) -> Collection[str]:
        """Return those of the keys that the orphan collector must leave."""
        async with self._db.read() as tx:
            return await store.find_referred(tx, keys)

    async def find_missing(self, *, picture_ids: Collection[UUID]) -> set[UUID]:
        async with self._db.read() as tx:
            return set(picture_ids) - await store.find_existing(tx, picture_ids)

    async def find_original(self, *, picture_id: UUID) -> OriginalFile | None:
        async with self._db.read() as tx:
            record = await store.find_picture(tx, picture_id)
        if record is None or record.original is None:
            return None
        key = record.original.key
        try:
            async with self._files.read(key) as found:
                content = b"".join([chunk async for chunk in found.chunks])
        except ObjectNotFound:
            return None
        return OriginalFile(media_type=content_type_of(key), content=content)

    async def inspect_pictures(self) -> PicturesReport:
        async with self._db.read() as tx:
            by_state, bare = await store.count_by_state(tx), await store.count_bare(tx)
        return PicturesReport(
            by_state=by_state,
            bare=bare,
            lost_originals=await self._count_lost(Retention.ORIGINAL, store.list_original_keys),
            lost_renditions=await self._count_lost(Retention.DERIVATIVE, store.list_rendition_keys),
        )

    async def _count_lost(self, retention: Retention, list_keys: _ListKeys) -> int:
        # Listed as a whole, because a store lists a thousand names as quickly as it looks up one.
        stored = {each.key async for each in self._files.list_objects(retention)}
        lost, after = 0, ""
        while True:
            async with self._db.read() as tx:
                keys = await list_keys(tx, after)
            if not keys:
                return lost
            lost += sum([key not in stored and not await self._is_stored(key) for key in keys])
            after = keys[-1]

    async def _is_stored(self, key: str) -> bool:
        """Look for a file that may have come since the store was listed."""
        try:
            await self._files.head(key)
        except ObjectNotFound:
            return False
        return True
