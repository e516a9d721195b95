"""The gallery of one provider, changed by its owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fairground.contracts.media import Picture, PictureState
from fairground.contracts.providers import Galleries, OwnGalleryPicture, OwnProvider
from tests.doubles.media import FakePictures
from tests.support.providers import owner_of


@dataclass
class Wall:
    galleries: Galleries
    album: FakePictures
    provider: OwnProvider

    @property
    def owner_id(self) -> UUID:
        return owner_of(self.provider)

    def bring(self, state: PictureState = PictureState.READY) -> Picture:
        return self.album.add(self.owner_id, state)

    async def add(self, picture: Picture) -> OwnGalleryPicture:
        return await self.galleries.add_to_gallery(
            owner_id=self.owner_id, provider_id=self.provider.id, picture_id=picture.id
        )

    async def order(self, pictures: Sequence[Picture]) -> list[UUID]:
        ids = [picture.id for picture in pictures]
        ordered = await self.galleries.order_gallery(
            owner_id=self.owner_id, provider_id=self.provider.id, picture_ids=ids
        )
        return [picture.id for picture in ordered]

    async def remove(self, picture_id: UUID) -> None:
        await self.galleries.remove_from_gallery(
            owner_id=self.owner_id, provider_id=self.provider.id, picture_id=picture_id
        )

    async def shown(self) -> list[UUID]:
        by_id = await self.galleries.list_gallery(id_or_slug=str(self.provider.id))
        assert by_id == await self.galleries.list_gallery(id_or_slug=self.provider.slug)
        return [picture.id for picture in by_id]

    async def own(self) -> dict[UUID, PictureState]:
        return {picture.id: picture.state for picture in await self.galleries.list_own_gallery(owner_id=self.owner_id)}
