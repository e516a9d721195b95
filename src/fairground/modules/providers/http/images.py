"""Image routes: avatars of providers, and pictures, public where a provider shows them and else for their owner.

The catalog decides who may see a picture, and media makes it in the size of the request.
"""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from fairground.contracts.media import Image, ImageFormat, ImageRequest, Images, PictureNotFound
from fairground.modules.providers.service.galleries import GalleryService
from fairground.modules.providers.service.portraits import PortraitService
from fairground.platform.http.cache_control import FOREVER, for_owner
from fairground.platform.http.identity import find_caller
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

# An address without a version outlives its picture: browsers and CDNs show a new or a removed one within a minute.
_UNVERSIONED: Final = "public, max-age=60"
_DRAFT_SECONDS: Final = 300


def routes(
    images: Images, *, portraits: PortraitService, galleries: GalleryService, stats: ImageRequestStats
) -> APIRouter:
    router = api_router(tags=["media"])
    router.route_class = counted_route(stats)

    @router.head("/img/avatar/{provider_id}", include_in_schema=False)
    @router.get("/img/avatar/{provider_id}", response_class=Response, responses=IMAGE_RESPONSES)
    async def get_avatar(provider_id: UUID, query: Annotated[AvatarQuery, Query()], request: Request) -> Response:
        """Show the middle of a provider's portrait as a square, or the initials of one that has none.

        Widths and qualities are brought to steps as with `/img/{picture_id}`; the widest has 1024 pixels.
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
        """Show a picture, at least as wide as `w` times `dpr` says, or as wide as it is: whichever is less.

        Until the picture is a portrait or in a gallery, only its owner can see it; others get 404.

        Widths are brought up to the next of 32, 48, 64, 96, 128, 192, 256, 320, 400, 512, 640, 800, 1024, 1200, 1600
        and 2048 pixels, and qualities to the next multiple of five.
        """
        if await galleries.is_placed(picture_id=picture_id):
            image = await images.get_image(picture_id=picture_id, request=_image_request(query, request))
            return _respond(image, query, request)
        # The caller is looked up for drafts alone: a public picture depends on no caller, and caches may keep it.
        caller = await find_caller(request)
        if caller is None:
            raise PictureNotFound("There is no such picture.")
        image = await images.get_image(
            picture_id=picture_id, request=_image_request(query, request), draft_of=caller.user_id
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
    """Answer with an image.

    Args:
        cache_control: Instead of the one of a public image, which is kept for ever at an address with its version.
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
