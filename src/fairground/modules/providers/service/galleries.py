"""The public gallery of a provider, which its owner fills, orders and empties."""

from collections.abc import Sequence
from uuid import UUID

from fairground.contracts.media import Picture, Pictures
from fairground.contracts.providers import (
    GALLERY_MAX,
    GalleryChanged,
    GalleryFull,
    GalleryPicture,
    OwnGalleryPicture,
)
from fairground.kernel.clock import Clock
from fairground.modules.providers.service.access import (
    get_ref_owned_by,
    lock_owned,
    not_found,
    read_name,
)
from fairground.modules.providers.service.pictures import FollowPicture, announce_pictures, get_usable_picture
from fairground.modules.providers.store import galleries, pictures, profiles
from fairground.platform.db.database import Database


class GalleryService:
    def __init__(self, *, db: Database, pictures: Pictures, clock: Clock) -> None:
        self._db = db
        self._pictures = pictures
        self._clock = clock

    async def list_chosen(self, *, after: UUID) -> list[UUID]:
        async with self._db.read() as tx:
            return await pictures.list_chosen(tx, after=after)

    async def is_placed(self, *, picture_id: UUID) -> bool:
        async with self._db.read() as tx:
            return await pictures.find_provider_with(tx, picture_id) is not None

    async def list_gallery(self, *, id_or_slug: str) -> list[GalleryPicture]:
        provider_id, slug = read_name(id_or_slug)
        async with self._db.read() as tx:
            found = await profiles.find_approved_id(tx, provider_id=provider_id, slug=slug)
            if found is None:
                raise not_found(id_or_slug)
            return await galleries.list_ready(tx, found)

    async def list_own_gallery(self, *, owner_id: UUID) -> list[OwnGalleryPicture]:
        async with self._db.read() as tx:
            provider = await get_ref_owned_by(tx, owner_id)
            return await galleries.list_own(tx, provider.id)

    async def add_to_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnGalleryPicture:
        picture = await get_usable_picture(self._pictures, picture_id, owner_id=owner_id)
        async with self._db.write() as tx:
            # The lock makes each find what the other has added.
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            there = {each.id: each for each in await galleries.list_own(tx, provider_id)}
            if picture_id in there:
                return there[picture_id]
            if len(there) >= GALLERY_MAX:
                raise GalleryFull(f"A gallery has at most {GALLERY_MAX} pictures.")
            await galleries.append_picture(tx, provider_id, picture)
            await tx.enqueue(FollowPicture(owner_id=owner_id, picture_id=picture_id))
            if picture.url is not None:
                await announce_pictures(tx, provider, clock=self._clock)
        return OwnGalleryPicture.model_validate(picture, from_attributes=True)

    async def remove_from_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> None:
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            if await galleries.remove_picture(tx, provider_id, picture_id):
                await announce_pictures(tx, provider, clock=self._clock)

    async def order_gallery(
        self, *, owner_id: UUID, provider_id: UUID, picture_ids: Sequence[UUID]
    ) -> list[OwnGalleryPicture]:
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            there = [each.id for each in await galleries.list_own(tx, provider_id)]
            if sorted(picture_ids) != sorted(there):
                raise GalleryChanged(f"The gallery has {len(there)} pictures; the order names others.")
            if list(picture_ids) != there:
                await galleries.order_pictures(tx, provider_id, picture_ids)
                await announce_pictures(tx, provider, clock=self._clock)
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
            await announce_pictures(tx, provider, clock=self._clock)

    async def count_data_addresses(self) -> int:
        async with self._db.read() as tx:
            return await pictures.count_data_addresses(tx)
