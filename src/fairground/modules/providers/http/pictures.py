"""Pictures: the gallery of a provider, and the image proxy with its avatars.

Providers decides who may see a picture, and media makes it in the requested size.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from fairground.contracts.media import Image, ImageFormat, ImageRequest, Images, PictureNotFound
from fairground.contracts.providers import (
    GALLERY_MAX,
    Galleries,
    GalleryChanged,
    GalleryFull,
    GalleryPicture,
    OwnGalleryPicture,
    PictureNotUsable,
    ProviderNotFound,
    ProviderPath,
)
from fairground.kernel.inputs import Input
from fairground.modules.providers.http.profiles import provider_tags
from fairground.modules.providers.service.pictures import GalleryService, PortraitService
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.cache_control import FOREVER, for_owner
from fairground.platform.http.identity import SignedIn, find_caller
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router
from fairground.platform.images.image_proxy import (
    IMAGE_RESPONSES,
    AvatarQuery,
    Format,
    ImageQuery,
    ImageRequestStats,
    choose_format,
    counted_route,
    mark_rendered,
)
from fairground.platform.storage.http import USER_CONTENT_CSP


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


def gallery_routes(galleries: Galleries) -> APIRouter:
    router = api_router(tags=["providers"])

    @router.get("/service-provider-profiles/{id_or_slug}/gallery")
    @cached(CachePolicy(route="gallery", life=Life.DETAILS, path=ProviderPath, tags=provider_tags))
    @refuses(ProviderNotFound)
    async def list_gallery(id_or_slug: str) -> GalleryOut:
        """List the gallery of an approved provider."""
        pictures = await galleries.list_gallery(id_or_slug=id_or_slug)
        return GalleryOut(
            data=[ListedPicture(**{**vars(each), "placeholder": _tiny_url(each.url)}) for each in pictures]
        )

    @router.get("/me/provider/gallery")
    @refuses(ProviderNotFound)
    async def list_own_gallery(caller: SignedIn) -> OwnGalleryOut:
        """List your gallery, including pictures still being processed."""
        return OwnGalleryOut(data=_own(await galleries.list_own_gallery(owner_id=caller.user_id)))

    @router.post("/service-provider-profiles/{provider_id}/gallery", status_code=HTTPStatus.CREATED)
    @refuses(ProviderNotFound, PictureNotUsable, GalleryFull)
    async def add_to_gallery(caller: SignedIn, provider_id: UUID, body: GalleryPictureIn) -> ListedOwnPicture:
        """Add a picture (see POST /api/v1/media/uploads) to the end of your gallery."""
        added = await galleries.add_to_gallery(
            owner_id=caller.user_id, provider_id=provider_id, picture_id=body.picture_id
        )
        return _own([added])[0]

    @router.delete("/service-provider-profiles/{provider_id}/gallery/{picture_id}", status_code=HTTPStatus.NO_CONTENT)
    @refuses(ProviderNotFound, PictureNotUsable)
    async def remove_from_gallery(caller: SignedIn, provider_id: UUID, picture_id: UUID) -> None:
        """Remove a picture from the gallery. Use DELETE /api/v1/media/{picture_id} to delete the picture itself."""
        await galleries.remove_from_gallery(owner_id=caller.user_id, provider_id=provider_id, picture_id=picture_id)

    @router.put("/service-provider-profiles/{provider_id}/gallery")
    @refuses(ProviderNotFound, GalleryChanged)
    async def order_gallery(caller: SignedIn, provider_id: UUID, body: GalleryOrderIn) -> OwnGalleryOut:
        """Reorder your gallery."""
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


# An address without a version stays when its picture changes; browsers and CDNs follow within a minute.
_UNVERSIONED: Final = "public, max-age=60"
_DRAFT_SECONDS: Final = 300


def image_routes(
    images: Images, *, portraits: PortraitService, galleries: GalleryService, stats: ImageRequestStats
) -> APIRouter:
    router = api_router(tags=["media"])
    router.route_class = counted_route(stats)

    @router.head("/img/avatar/{provider_id}", include_in_schema=False)
    @router.get("/img/avatar/{provider_id}", response_class=Response, responses=IMAGE_RESPONSES)
    async def get_avatar(provider_id: UUID, query: Annotated[AvatarQuery, Query()], request: Request) -> Response:
        """Get a provider's portrait as a square, or their initials if they have none.

        Widths and qualities are rounded up as for `/img/{picture_id}`, to at most 1024 pixels.
        """
        source = await portraits.get_avatar_source(provider_id=provider_id)
        if source.url is not None:
            headers = {"Location": source.url, "Cache-Control": _UNVERSIONED}
            return Response(status_code=HTTPStatus.FOUND, headers=headers)
        image = await images.get_avatar(
            provider_id=provider_id,
            name=source.name,
            picture_id=source.picture_id,
            request=_image_request(query, request),
        )
        return _respond(image, query, request)

    @router.head("/img/{picture_id}", include_in_schema=False)
    @router.get("/img/{picture_id}", response_class=Response, responses=IMAGE_RESPONSES)
    async def get_image(picture_id: UUID, query: Annotated[ImageQuery, Query()], request: Request) -> Response:
        """Get a picture, at least `w` × `dpr` pixels wide if the original is.

        Until it is used as a portrait or in a gallery, only its owner can see it. Others get 404. Its owner and staff
        can see one that staff have hidden.

        Widths are rounded up to 32, 48, 64, 96, 128, 192, 256, 320, 400, 512, 640, 800, 1024, 1200, 1600
        or 2048 pixels, and qualities to a multiple of five.
        """
        if await galleries.is_placed(picture_id=picture_id):
            image = await images.get_image(picture_id=picture_id, request=_image_request(query, request))
            return _respond(image, query, request)
        # Only drafts depend on the caller; caches may store a public picture.
        caller = await find_caller(request)
        if caller is None:
            raise PictureNotFound("This picture does not exist.")
        is_for_staff = caller.is_staff and await galleries.is_chosen(picture_id=picture_id)
        image = await images.get_image(
            picture_id=picture_id,
            request=_image_request(query, request),
            draft_of=None if is_for_staff else caller.user_id,
        )
        return _respond(image, query, request, cache_control=for_owner(seconds=_DRAFT_SECONDS))

    return router


def _image_request(query: ImageQuery, request: Request) -> ImageRequest:
    is_automatic = query.fmt is Format.AUTO
    return ImageRequest(
        width_px=query.w * query.dpr,
        quality=query.q,
        format=ImageFormat(choose_format(request.headers.get("accept", "")) if is_automatic else query.fmt),
        if_none_match=request.headers.get("if-none-match", ""),
        is_head=request.method == "HEAD",
    )


def _respond(image: Image, query: ImageQuery, request: Request, *, cache_control: str | None = None) -> Response:
    """Respond with an image.

    Args:
        cache_control: Replaces that of a public image, which caches keep for ever at an address with its version.
    """
    headers = {
        "ETag": image.etag,
        "Cache-Control": cache_control or (FOREVER if query.v == image.version else _UNVERSIONED),
        "Content-Security-Policy": USER_CONTENT_CSP,
    }
    if query.fmt is Format.AUTO:
        headers["Vary"] = "Accept"
    if image.is_known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if image.is_new:
        mark_rendered(request)
    if image.cdn_url is not None:
        return Response(status_code=HTTPStatus.FOUND, headers={**headers, "Location": image.cdn_url})
    if request.method == "HEAD":
        headers["Content-Length"] = str(image.size_bytes)
        return Response(headers=headers, media_type=image.media_type)
    return Response(image.content, headers=headers, media_type=image.media_type)
