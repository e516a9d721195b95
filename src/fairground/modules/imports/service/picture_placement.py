"""Hands pictures of imports to media, and shows those that media has rendered. Repeating a call changes nothing."""

from uuid import UUID

from fairground.contracts.imports import PicturePlace
from fairground.contracts.media import Picture, PictureNotFound, Pictures, PictureState
from fairground.contracts.providers import Galleries, GalleryFull, Portraits, Providers
from fairground.modules.imports import store
from fairground.modules.imports.store import Embedded
from fairground.platform.db.database import Database


class PicturePlacement:
    def __init__(
        self, *, db: Database, providers: Providers, portraits: Portraits, galleries: Galleries, pictures: Pictures
    ) -> None:
        self._db = db
        self._providers = providers
        self._portraits = portraits
        self._galleries = galleries
        self._pictures = pictures

    async def hand_over(self, each: Embedded, content: bytes) -> None:
        """Have media judge and render a picture; raise Invalid when it is refused."""
        owner_id = await self._owner_of(each.provider_id)
        await self._pictures.add_picture(picture_id=each.id, owner_id=owner_id, content=content, alt=each.alt)

    async def show_rendered(self, each: Embedded, *, migration_id: UUID | None = None) -> None:
        """Show a picture if media has rendered it."""
        owner_id = await self._owner_of(each.provider_id)
        if owner_id != each.provider_id:
            # It may have come to media before the provider was claimed.
            await self._pictures.transfer_pictures(from_owner_id=each.provider_id, to_owner_id=owner_id)
        superseded = [each.replaces_id] if each.replaces_id else []
        try:
            picture = await self._pictures.get_picture(owner_id=owner_id, picture_id=each.id)
            if picture.state is PictureState.READY and (placed := await self._place(each, picture)):
                superseded.append(placed)
        except (PictureNotFound, GalleryFull) as reason:
            await self.fail(each, code=reason.code, detail=reason.detail, migration_id=migration_id)
            await self._pictures.delete_picture(owner_id=owner_id, picture_id=each.id)
            return
        if picture.refusal is not None:
            refusal = picture.refusal
            await self.fail(each, code=refusal.code, detail=refusal.detail, migration_id=migration_id)
        if picture.state is not PictureState.READY:
            return
        for picture_id in superseded:
            await self._pictures.delete_picture(owner_id=owner_id, picture_id=picture_id)
        # After the picture is in its place: a step that dies before this is repeated, and placing repeats nothing.
        async with self._db.write() as tx:
            await store.mark_migrated(tx, each.id)

    async def fail(self, each: Embedded, *, code: str, detail: str, migration_id: UUID | None = None) -> None:
        async with self._db.write() as tx:
            await store.mark_failed(tx, each.id, migration_id, code=code, detail=detail)

    async def _place(self, each: Embedded, picture: Picture) -> UUID | None:
        """Show a picture in its place; return the one that an earlier import had placed there."""
        superseded = None
        is_portrait = each.place is PicturePlace.PORTRAIT
        if is_portrait:
            placed = await self._portraits.place_imported_portrait(provider_id=each.provider_id, picture=picture)
            is_portrait, superseded = placed.is_placed, placed.superseded_id
        if not is_portrait:
            await self._galleries.append_imported_picture(provider_id=each.provider_id, picture=picture)
        return superseded

    async def _owner_of(self, provider_id: UUID) -> UUID:
        """Return the owner of a provider's pictures in media; an unclaimed provider is its own."""
        provider = await self._providers.get_provider_ref(provider_id=provider_id)
        return provider.owner_id or provider_id
