"""Galleries: the public view, and how an owner fills and orders one."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fairground.contracts.providers import GALLERY_MAX, Galleries, GalleryPicture, OwnGalleryPicture, ProviderPath
from fairground.kernel.inputs import Input
from fairground.modules.providers.http.profiles import provider_tags
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.routing import api_router


class ListedPicture(GalleryPicture):
    placeholder: str
    """Where a tiny version of it is shown, of 32 pixels: no list embeds a picture."""


class ListedOwnPicture(OwnGalleryPicture):
    placeholder: str | None
    """As in the public gallery; None until the picture is ready."""


class GalleryOut(BaseModel):
    data: list[ListedPicture]


class OwnGalleryOut(BaseModel):
    data: list[ListedOwnPicture]


class GalleryPictureIn(Input):
    picture_id: UUID


class GalleryOrderIn(Input):
    picture_ids: Annotated[
        list[UUID], Field(max_length=GALLERY_MAX, description="Each picture of the gallery once, the first one first.")
    ]


def routes(galleries: Galleries) -> APIRouter:
    router = api_router(tags=["providers"])

    @router.get("/service-provider-profiles/{id_or_slug}/gallery")
    @cached(CachePolicy(route="gallery", life=Life.DETAILS, path=ProviderPath, tags=provider_tags))
    async def list_gallery(id_or_slug: str) -> GalleryOut:
        """See the pictures of an approved provider in their order."""
        pictures = await galleries.list_gallery(id_or_slug=id_or_slug)
        return GalleryOut(
            data=[ListedPicture(**{**vars(each), "placeholder": _tiny_url(each.url)}) for each in pictures]
        )

    @router.get("/me/provider/gallery")
    async def list_own_gallery(caller: SignedIn) -> OwnGalleryOut:
        """See your gallery, with what is not ready yet."""
        return OwnGalleryOut(data=_own(await galleries.list_own_gallery(owner_id=caller.user_id)))

    @router.post("/service-provider-profiles/{provider_id}/gallery", status_code=HTTPStatus.CREATED)
    async def add_to_gallery(caller: SignedIn, provider_id: UUID, body: GalleryPictureIn) -> ListedOwnPicture:
        """Put a picture of yours (POST /api/v1/media/uploads) behind the others; it shows as soon as it is ready."""
        added = await galleries.add_to_gallery(
            owner_id=caller.user_id, provider_id=provider_id, picture_id=body.picture_id
        )
        return _own([added])[0]

    @router.delete("/service-provider-profiles/{provider_id}/gallery/{picture_id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_from_gallery(caller: SignedIn, provider_id: UUID, picture_id: UUID) -> None:
        """Take a picture out of the gallery; DELETE /api/v1/media/{picture_id} removes the picture itself."""
        await galleries.remove_from_gallery(owner_id=caller.user_id, provider_id=provider_id, picture_id=picture_id)

    @router.put("/service-provider-profiles/{provider_id}/gallery")
    async def order_gallery(caller: SignedIn, provider_id: UUID, body: GalleryOrderIn) -> OwnGalleryOut:
        """Give the gallery a new order."""
        ordered = await galleries.order_gallery(
            owner_id=caller.user_id, provider_id=provider_id, picture_ids=body.picture_ids
        )
        return OwnGalleryOut(data=_own(ordered))

    return router


def _own(pictures: Sequence[OwnGalleryPicture]) -> list[ListedOwnPicture]:
    return [
        ListedOwnPicture(**{**vars(each), "placeholder": _tiny_url(each.url) if each.url else None})
        for each in pictures
    ]


def _tiny_url(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}w=32&q=40"
