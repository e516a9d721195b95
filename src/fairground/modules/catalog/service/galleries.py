"""The gallery of a provider: filled, ordered and emptied by its owner, seen by everybody."""

from collections.abc import Sequence
from uuid import UUID

from fairground.contracts.catalog import (
    GALLERY_MAX,
    GalleryChanged,
    GalleryFull,
    GalleryPicture,
    OwnGalleryPicture,
)
from fairground.contracts.media import Picture
from fairground.modules.catalog.service.base import named, not_found
from fairground.modules.catalog.service.pictures import FollowPicture, PictureBase
from fairground.modules.catalog.store import galleries, pictures, profiles


class GalleryService(PictureBase):
    async def list_chosen(self, *, after: UUID) -> list[UUID]:
        async with self._db.read() as tx:
            return await pictures.list_chosen(tx, after=after)

    async def is_placed(self, *, picture_id: UUID) -> bool:
        async with self._db.read() as tx:
            return await pictures.find_provider_with(tx, picture_id) is not None

    async def list_gallery(self, *, id_or_slug: str) -> list[GalleryPicture]:
        provider_id, slug = named(id_or_slug)
        async with self._db.read() as tx:
            found = await profiles.find_approved_id(tx, provider_id=provider_id, slug=slug)
            if found is None:
                raise not_found(id_or_slug)
            return await galleries.list_ready(tx, found)

    async def list_own_gallery(self, *, owner_id: UUID) -> list[OwnGalleryPicture]:
        async with self._db.read() as tx:
            provider = await self._own_ref(tx, owner_id)
            return await galleries.list_own(tx, provider.id)

    async def add_to_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnGalleryPicture:
        picture = await self._get_usable_picture(picture_id, owner_id=owner_id)
        async with self._db.write() as tx:
            # The lock makes each find what the other has added.
            provider = await self._lock_owned(tx, provider_id, owner_id=owner_id)
            there = {each.id: each for each in await galleries.list_own(tx, provider_id)}
            if picture_id in there:
                return there[picture_id]
            if len(there) >= GALLERY_MAX:
                raise GalleryFull(f"A gallery has at most {GALLERY_MAX} pictures.")
            await galleries.append_picture(tx, provider_id, picture)
            await tx.enqueue(FollowPicture(owner_id=owner_id, picture_id=picture_id))
            if picture.url is not None:
                await self._page_changed(tx, provider)
        return OwnGalleryPicture.model_validate(picture, from_attributes=True)

    async def remove_from_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> None:
        async with self._db.write() as tx:
            provider = await self._lock_owned(tx, provider_id, owner_id=owner_id)
            if await galleries.remove_picture(tx, provider_id, picture_id):
                await self._page_changed(tx, provider)

    async def order_gallery(
        self, *, owner_id: UUID, provider_id: UUID, picture_ids: Sequence[UUID]
    ) -> list[OwnGalleryPicture]:
        async with self._db.write() as tx:
            provider = await self._lock_owned(tx, provider_id, owner_id=owner_id)
            there = [each.id for each in await galleries.list_own(tx, provider_id)]
            if sorted(picture_ids) != sorted(there):
                raise GalleryChanged(f"The gallery has {len(there)} pictures; the order names others.")
            if list(picture_ids) != there:
                await galleries.order_pictures(tx, provider_id, picture_ids)
                await self._page_changed(tx, provider)
            return await galleries.list_own(tx, provider_id)

    async def append_imported_picture(self, *, provider_id: UUID, picture: Picture) -> None:
        async with self._db.write() as tx:
            provider = await profiles.lock_provider(tx, provider_id)
            if provider is None:
                raise not_found(provider_id)
            present = [each.id for each in await galleries.list_own(tx, provider_id)]
            if picture.id in present:
                return
            if len(present) >= GALLERY_MAX:
                raise GalleryFull(f"The gallery has {GALLERY_MAX} pictures already.")
            await galleries.append_picture(tx, provider_id, picture)
            await self._page_changed(tx, provider)

    async def count_data_addresses(self) -> int:
        async with self._db.read() as tx:
            return await pictures.count_data_addresses(tx)
