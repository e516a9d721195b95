"""The contract `Pictures`, and an owner's pictures: read, described, deleted."""

from uuid import UUID

from fairground.contracts.media import Picture, PictureDeleted, PictureDescribed, UploadOffer
from fairground.modules.media import store
from fairground.modules.media.domain import check_alt, check_owned
from fairground.modules.media.service.uploads import Uploads, delete_upload
from fairground.platform.db.database import Database
from fairground.platform.storage.store import Store


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


class PictureService:
    def __init__(self, *, uploads: Uploads, own: OwnPictures) -> None:
        self._uploads = uploads
        self._own = own

    async def offer_upload(self, *, owner_id: UUID, content_type: str, alt: str = "") -> UploadOffer:
        return await self._uploads.offer_upload(owner_id=owner_id, content_type=content_type, alt=alt)

    async def complete_upload(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        return await self._uploads.complete_upload(owner_id=owner_id, picture_id=picture_id)

    async def add_picture(self, *, picture_id: UUID, owner_id: UUID, content: bytes, alt: str) -> Picture:
        return await self._uploads.add_picture(picture_id=picture_id, owner_id=owner_id, content=content, alt=alt)

    async def get_picture(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        return await self._own.get_picture(owner_id=owner_id, picture_id=picture_id)

    async def describe_picture(self, *, owner_id: UUID, picture_id: UUID, alt: str) -> Picture:
        return await self._own.describe_picture(owner_id=owner_id, picture_id=picture_id, alt=alt)

    async def delete_picture(self, *, owner_id: UUID, picture_id: UUID) -> None:
        await self._own.delete_picture(owner_id=owner_id, picture_id=picture_id)
