"""Handlers of media's events about pictures that providers have chosen: as portrait, for the gallery, or for both."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fairground.contracts.media import (
    Picture,
    PictureDeleted,
    PictureDescribed,
    PictureNotFound,
    PictureReady,
    PictureRefused,
    Pictures,
    PictureState,
    avatar_url,
)
from fairground.contracts.providers import ProviderRef
from fairground.kernel.clock import Clock
from fairground.modules.providers.service.pictures import FollowPicture, announce_pictures
from fairground.modules.providers.store import galleries, pictures, portraits, profiles
from fairground.platform.db.database import Database, WriteTx


class PictureEventHandlers:
    def __init__(self, *, db: Database, pictures: Pictures, clock: Clock) -> None:
        self._db = db
        self._pictures = pictures
        self._clock = clock

    async def on_follow_picture(self, job: FollowPicture) -> None:
        try:
            picture = await self._pictures.get_picture(owner_id=job.owner_id, picture_id=job.picture_id)
        except PictureNotFound:
            await self._forget_deleted(job.picture_id)
            return
        if picture.state is PictureState.REFUSED:
            await self._forget_refused(job.picture_id)
        else:
            await self._show_as_it_is(picture)

    async def on_ready(self, event: PictureReady) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_with(tx, event.picture_id)
            if provider is not None and await _show(tx, provider, event.picture_id, event.model_dump()):
                await announce_pictures(tx, provider, clock=self._clock)

    async def on_described(self, event: PictureDescribed) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_with(tx, event.picture_id)
            if provider is None:
                return
            text, version = event.alt, event.alt_version
            if await galleries.describe_picture(tx, provider.id, event.picture_id, text, version=version):
                await announce_pictures(tx, provider, clock=self._clock)

    async def on_refused(self, event: PictureRefused) -> None:
        await self._forget_refused(event.picture_id)

    async def on_deleted(self, event: PictureDeleted) -> None:
        await self._forget_deleted(event.picture_id)

    async def _show_as_it_is(self, picture: Picture) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_with(tx, picture.id)
            if provider is None:
                return
            text, version = picture.alt, picture.alt_version
            is_described = await galleries.describe_picture(tx, provider.id, picture.id, text, version=version)
            is_shown = picture.url is not None and await _show(tx, provider, picture.id, picture.model_dump())
            if is_described or is_shown:
                await announce_pictures(tx, provider, clock=self._clock)

    async def _forget_refused(self, picture_id: UUID) -> None:
        """Forget a picture that was never shown: a portrait that was there before it stays."""
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_with(tx, picture_id)
            if provider is not None:
                await _take_away(tx, provider, picture_id)
                await galleries.remove_picture(tx, provider.id, picture_id)

    async def _forget_deleted(self, picture_id: UUID) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_with(tx, picture_id)
            if provider is None:
                return
            await _take_away(tx, provider, picture_id)
            await galleries.remove_picture(tx, provider.id, picture_id)
            await announce_pictures(tx, provider, clock=self._clock)


async def _lock_provider_with(tx: WriteTx, picture_id: UUID) -> ProviderRef | None:
    """Lock the provider that has the picture, so that its choice stays; return None when there is none."""
    provider_id = await pictures.find_provider_with(tx, picture_id)
    return None if provider_id is None else await profiles.lock_provider(tx, provider_id)


async def _show(tx: WriteTx, provider: ProviderRef, picture_id: UUID, picture: Mapping[str, Any]) -> bool:
    """Show a picture wherever it was chosen. Return False when that changes nothing."""
    look = {name: picture[name] for name in galleries.LOOK}
    square = avatar_url(provider.id, picture_url=look["url"])
    is_new_portrait = await portraits.show_if_chosen(tx, provider.id, picture_id, square)
    return await galleries.show_picture(tx, provider.id, picture_id, look) or is_new_portrait


async def _take_away(tx: WriteTx, provider: ProviderRef, picture_id: UUID) -> None:
    """Stop choosing and showing a picture as a portrait. Another one that is shown or on its way stays."""
    portrait = await portraits.find_portrait(tx, provider.id)
    if portrait is None or picture_id not in {portrait.chosen_id, portrait.shown_id}:
        return
    if portrait.shown_id == picture_id:
        await portraits.hide_portrait(tx, provider.id)
    elif portrait.shown_id is not None:
        await portraits.choose_portrait(tx, provider.id, picture_id=portrait.shown_id)
        return
    if portrait.chosen_id == picture_id:
        await portraits.forget_portrait(tx, provider.id)
