"""Portraits and galleries: the owner of a provider chooses among their pictures, which media keeps."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from fairground.contracts.media import Picture, PictureNotFound, Pictures, PictureState, avatar_url
from fairground.contracts.providers import (
    GALLERY_MAX,
    GalleryChanged,
    GalleryFull,
    GalleryPicture,
    OwnGalleryPicture,
    OwnProvider,
    PictureNotUsable,
    PortraitPlacement,
    ProviderRef,
)
from fairground.kernel.messages import Job, Priority, Queue
from fairground.kernel.zones import Clock
from fairground.modules.providers.service.access import (
    OwnViews,
    announce,
    get_record,
    get_ref_owned_by,
    lock_owned,
    lock_provider,
    not_found,
    read_key,
)
from fairground.modules.providers.store import details, profiles
from fairground.modules.providers.store import pictures as store
from fairground.platform.db.database import Database, WriteTx


class FollowPicture(Job):
    """Read a picture again after it was chosen: media may have announced it before the choice was stored."""

    topic: ClassVar = "catalog.follow_picture.v1"
    queue: ClassVar = Queue.PICTURES
    priority: ClassVar = Priority.HIGH
    owner_id: UUID
    picture_id: UUID


class PortraitService:
    def __init__(self, *, db: Database, pictures: Pictures, clock: Clock, views: OwnViews) -> None:
        self._db = db
        self._pictures = pictures
        self._clock = clock
        self._views = views

    async def find_portrait(self, *, owner_id: UUID) -> Picture | None:
        async with self._db.read() as tx:
            picture_id = await store.find_chosen_portrait(tx, owner_id=owner_id)
        if picture_id is None:
            return None
        try:
            return await self._pictures.get_picture(owner_id=owner_id, picture_id=picture_id)
        except PictureNotFound:
            # Media has deleted it, and its event has not arrived yet.
            return None

    async def get_avatar_source(self, *, provider_id: UUID) -> store.AvatarSource:
        """Return the source of a provider's avatar; raise ProviderNotFound where the public may see none."""
        async with self._db.read() as tx:
            source = await store.find_avatar_source(tx, provider_id)
        if source is None:
            raise not_found(provider_id)
        return source

    async def choose_portrait(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnProvider:
        picture = await _get_usable_picture(self._pictures, picture_id, owner_id=owner_id)
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            await store.choose_portrait(tx, provider_id, picture_id=picture_id)
            if picture.url is not None:
                square = avatar_url(provider_id, picture_url=picture.url)
                if await store.show_portrait_if_chosen(tx, provider_id, picture_id, square):
                    await announce_pictures(tx, provider, clock=self._clock)
            await tx.enqueue(FollowPicture(owner_id=owner_id, picture_id=picture_id))
            record = await get_record(tx, provider_id)
        return await self._views.show(record)

    async def remove_portrait(self, *, owner_id: UUID, provider_id: UUID) -> None:
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            await store.forget_portrait(tx, provider_id)
            await profiles.change_profile(tx, provider_id, {"profile_picture_url": None})
            await announce_pictures(tx, provider, clock=self._clock)

    async def place_imported_portrait(self, *, provider_id: UUID, picture: Picture) -> PortraitPlacement:
        async with self._db.write() as tx:
            provider = await lock_provider(tx, provider_id)
            if picture.url is None:
                raise not_found(provider_id)
            before = await store.find_portrait(tx, provider_id)
            if before is not None and before.chosen_id == picture.id:
                return PortraitPlacement(is_placed=True)
            if before is not None and provider.owner_id is not None:
                return PortraitPlacement(is_placed=False)
            await store.choose_portrait(tx, provider_id, picture_id=picture.id)
            square = avatar_url(provider_id, picture_url=picture.url)
            await store.show_portrait_if_chosen(tx, provider_id, picture.id, square)
            await announce_pictures(tx, provider, clock=self._clock)
            return PortraitPlacement(is_placed=True, superseded_id=before.chosen_id if before else None)


class GalleryService:
    def __init__(self, *, db: Database, pictures: Pictures, clock: Clock) -> None:
        self._db = db
        self._pictures = pictures
        self._clock = clock

    async def list_chosen(self, *, after: UUID) -> list[UUID]:
        async with self._db.read() as tx:
            return await store.list_chosen_pictures(tx, after=after)

    async def is_placed(self, *, picture_id: UUID) -> bool:
        """Return whether a provider has chosen or shows the picture, so that the public may see it.

        Staff may have hidden it; then only its owner may.
        """
        async with self._db.read() as tx:
            return await store.is_public(tx, picture_id)

    async def is_chosen(self, *, picture_id: UUID) -> bool:
        """Return whether a provider has chosen or shows the picture, also one that staff have hidden."""
        async with self._db.read() as tx:
            return await store.find_provider_of_picture(tx, picture_id) is not None

    async def list_gallery(self, *, id_or_slug: str) -> list[GalleryPicture]:
        provider_id, slug = read_key(id_or_slug)
        async with self._db.read() as tx:
            found = await details.find_approved_id(tx, provider_id=provider_id, slug=slug)
            if found is None:
                raise not_found(id_or_slug)
            return await store.list_gallery(tx, found)

    async def list_own_gallery(self, *, owner_id: UUID) -> list[OwnGalleryPicture]:
        async with self._db.read() as tx:
            provider = await get_ref_owned_by(tx, owner_id)
            return await store.list_own_gallery(tx, provider.id)

    async def add_to_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnGalleryPicture:
        picture = await _get_usable_picture(self._pictures, picture_id, owner_id=owner_id)
        async with self._db.write() as tx:
            # Under the lock, the list has what concurrent calls have added.
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            present = {each.id: each for each in await store.list_own_gallery(tx, provider_id)}
            if picture_id in present:
                return present[picture_id]
            if len(present) >= GALLERY_MAX:
                raise GalleryFull(f"A gallery can have at most {GALLERY_MAX} pictures.")
            await store.append_to_gallery(tx, provider_id, picture)
            await tx.enqueue(FollowPicture(owner_id=owner_id, picture_id=picture_id))
            if picture.url is not None:
                await announce_pictures(tx, provider, clock=self._clock)
        return OwnGalleryPicture.model_validate(picture, from_attributes=True)

    async def remove_from_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> None:
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            if await store.remove_from_gallery(tx, provider_id, picture_id):
                await announce_pictures(tx, provider, clock=self._clock)

    async def order_gallery(
        self, *, owner_id: UUID, provider_id: UUID, picture_ids: Sequence[UUID]
    ) -> list[OwnGalleryPicture]:
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            present = [each.id for each in await store.list_own_gallery(tx, provider_id)]
            if sorted(picture_ids) != sorted(present):
                raise GalleryChanged(f"The order must contain exactly the {len(present)} pictures of the gallery.")
            if list(picture_ids) != present:
                await store.order_gallery(tx, provider_id, picture_ids)
                await announce_pictures(tx, provider, clock=self._clock)
            return await store.list_own_gallery(tx, provider_id)

    async def append_imported_picture(self, *, provider_id: UUID, picture: Picture) -> None:
        async with self._db.write() as tx:
            provider = await lock_provider(tx, provider_id)
            present = [each.id for each in await store.list_own_gallery(tx, provider_id)]
            if picture.id in present:
                return
            if len(present) >= GALLERY_MAX:
                raise GalleryFull(f"The gallery already has {GALLERY_MAX} pictures.")
            await store.append_to_gallery(tx, provider_id, picture)
            await announce_pictures(tx, provider, clock=self._clock)

    async def count_data_addresses(self) -> int:
        async with self._db.read() as tx:
            return await store.count_data_addresses(tx)


async def _get_usable_picture(pictures: Pictures, picture_id: UUID, *, owner_id: UUID) -> Picture:
    """Return a picture of the owner; raise PictureNotFound, or PictureNotUsable when it cannot be shown."""
    picture = await pictures.get_picture(owner_id=owner_id, picture_id=picture_id)
    if picture.state in {PictureState.AWAITED, PictureState.REFUSED}:
        raise PictureNotUsable(f"The picture is {picture.state}.")
    return picture


async def announce_pictures(tx: WriteTx, provider: ProviderRef, *, clock: Clock) -> None:
    """Announce a change of the pictures on a provider's page."""
    await profiles.change_profile(tx, provider.id, {"updated_at": clock.now()})
    await announce(tx, provider)
