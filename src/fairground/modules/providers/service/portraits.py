"""The picture of a provider: chosen by its owner, shown as soon as it is ready."""

from uuid import UUID

from fairground.contracts.media import Picture, PictureNotFound, Pictures, avatar_url
from fairground.contracts.providers import OwnProvider, PortraitPlacement
from fairground.kernel.clock import Clock
from fairground.modules.providers.service.access import (
    get_record,
    lock_owned,
    not_found,
)
from fairground.modules.providers.service.own_views import OwnViews
from fairground.modules.providers.service.pictures import FollowPicture, announce_pictures, get_usable_picture
from fairground.modules.providers.store import portraits, profiles
from fairground.platform.db.database import Database


class PortraitService:
    def __init__(self, *, db: Database, pictures: Pictures, clock: Clock, views: OwnViews) -> None:
        self._db = db
        self._pictures = pictures
        self._clock = clock
        self._views = views

    async def find_portrait(self, *, owner_id: UUID) -> Picture | None:
        async with self._db.read() as tx:
            picture_id = await portraits.find_chosen(tx, owner_id=owner_id)
        if picture_id is None:
            return None
        try:
            return await self._pictures.get_picture(owner_id=owner_id, picture_id=picture_id)
        except PictureNotFound:
            # Deleted; media's event about it is on its way.
            return None

    async def get_avatar_source(self, *, provider_id: UUID) -> portraits.AvatarSource:
        """Return what the provider's avatar is made of; raise ProviderNotFound where the public may see none."""
        async with self._db.read() as tx:
            source = await portraits.find_avatar_source(tx, provider_id)
        if source is None:
            raise not_found(provider_id)
        return source

    async def choose_portrait(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnProvider:
        picture = await get_usable_picture(self._pictures, picture_id, owner_id=owner_id)
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            await portraits.choose_portrait(tx, provider_id, picture_id=picture_id)
            if picture.url is not None:
                square = avatar_url(provider_id, picture_url=picture.url)
                if await portraits.show_if_chosen(tx, provider_id, picture_id, square):
                    await announce_pictures(tx, provider, clock=self._clock)
            await tx.enqueue(FollowPicture(owner_id=owner_id, picture_id=picture_id))
            record = await get_record(tx, provider_id)
        return await self._views.show(record)

    async def remove_portrait(self, *, owner_id: UUID, provider_id: UUID) -> None:
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            await portraits.forget_portrait(tx, provider_id)
            await profiles.change_profile(tx, provider_id, {"profile_picture_url": None})
            await announce_pictures(tx, provider, clock=self._clock)

    async def place_imported_portrait(self, *, provider_id: UUID, picture: Picture) -> PortraitPlacement:
        async with self._db.write() as tx:
            provider = await profiles.lock_provider(tx, provider_id)
            if provider is None or picture.url is None:
                raise not_found(provider_id)
            before = await portraits.find_portrait(tx, provider_id)
            if before is not None and before.chosen_id == picture.id:
                return PortraitPlacement(is_placed=True)
            if before is not None and provider.owner_id is not None:
                return PortraitPlacement(is_placed=False)
            await portraits.choose_portrait(tx, provider_id, picture_id=picture.id)
            square = avatar_url(provider_id, picture_url=picture.url)
            await portraits.show_if_chosen(tx, provider_id, picture.id, square)
            await announce_pictures(tx, provider, clock=self._clock)
            return PortraitPlacement(is_placed=True, superseded_id=before.chosen_id if before else None)
