"""The image proxy: any picture, and any provider's face, in any size within a ladder of steps.

It never fetches anything from elsewhere.
"""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from fairground.contracts.media import PictureNotFound
from fairground.modules.media.domain.variants import choose_format
from fairground.modules.media.http.counting import counted_route, mark_rendered
from fairground.modules.media.service.avatars import Avatars, Monogram, PictureElsewhere
from fairground.modules.media.service.variants import Variant, Variants
from fairground.platform.http.cache_control import FOREVER, for_owner
from fairground.platform.http.caching.conditional import is_known
from fairground.platform.http.identity import find_caller
from fairground.platform.http.routing import api_router
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import (
    AVATAR_MAX_PX,
    DENSITY_MAX,
    QUALITY_MAX,
    QUALITY_MIN,
    WIDTH_MAX_PX,
    WIDTH_MIN_PX,
)
from fairground.platform.images.stats import PictureStats
from fairground.platform.storage.http import BROUGHT_POLICY

# Without a version the address outlives its picture: a new portrait or a removal shows within a minute, at a CDN too.
_FOR_A_WHILE: Final = "public, max-age=60"
_DRAFT_SECONDS: Final = 300
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The picture.",
        "content": {f"image/{name}": _BINARY for name in ("avif", "webp", "jpeg")},
    },
    302: {"description": "A CDN has it, or the picture is a drawing with an address of its own."},
    304: {"description": "You have it already."},
    503: {"description": "Too many pictures are being made; `Retry-After` says when to ask again."},
}


class Format(StrEnum):
    AUTO = "auto"
    """What the Accept header likes best: AVIF before WebP before JPEG."""
    AVIF = "avif"
    WEBP = "webp"
    JPEG = "jpeg"


class ImageQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    w: int = Field(800, ge=WIDTH_MIN_PX, le=WIDTH_MAX_PX, description="Width in CSS pixels.")
    dpr: float = Field(1, ge=1, le=DENSITY_MAX, description="Pixels of the screen to a CSS pixel.")
    q: int = Field(85, ge=QUALITY_MIN, le=QUALITY_MAX, description="Quality, on the scale of JPEG.")
    fmt: Format = Format.AUTO
    v: str = Field("", max_length=64, description="The version, from the picture's `url`: the answer is kept for ever.")


class AvatarQuery(ImageQuery):
    w: int = Field(512, ge=WIDTH_MIN_PX, le=AVATAR_MAX_PX, description="Width in CSS pixels.")
    v: str = Field("", max_length=64, description="The version, from `profile_picture_url`: it is kept for ever.")


def routes(variants: Variants, avatars: Avatars, *, stats: PictureStats) -> APIRouter:
    router = api_router(tags=["media"])
    router.route_class = counted_route(stats)

    @router.head("/img/avatar/{provider_id}", include_in_schema=False)
    @router.get("/img/avatar/{provider_id}", response_class=Response, responses=_RESPONSES)
    async def get_avatar(provider_id: UUID, query: Annotated[AvatarQuery, Query()], request: Request) -> Response:
        """Show the middle of a provider's portrait as a square, or the initials of one that has none.

        Widths and qualities are brought to steps as with `/img/{picture_id}`; the widest has 1024 pixels.
        """
        avatar = await avatars.find_avatar(
            provider_id,
            width_px=query.w * query.dpr,
            quality=query.q,
            picture_format=_format(query.fmt, request.headers.get("accept", "")),
        )
        if isinstance(avatar, PictureElsewhere):
            headers = {"Location": avatar.url, "Cache-Control": _FOR_A_WHILE}
            return Response(status_code=HTTPStatus.FOUND, headers=headers)
        headers = _headers(avatar, query)
        if _is_known(avatar, request):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if isinstance(avatar, Variant):
            return await _answer(variants, avatar, request, headers)
        return await _answer_drawn(avatars, avatar, request, headers)

    @router.head("/img/{picture_id}", include_in_schema=False)
    @router.get("/img/{picture_id}", response_class=Response, responses=_RESPONSES)
    async def get_image(picture_id: UUID, query: Annotated[ImageQuery, Query()], request: Request) -> Response:
        """Show a picture, at least as wide as `w` times `dpr` says, or as wide as it is: whichever is less.

        Until the picture is a portrait or in a gallery, only its owner can see it; others get 404.

        Widths are brought up to the next of 32, 48, 64, 96, 128, 192, 256, 320, 400, 512, 640, 800, 1024, 1200, 1600
        and 2048 pixels, and qualities to the next multiple of five.
        """
        variant = await variants.find_variant(
            picture_id,
            width_px=query.w * query.dpr,
            quality=query.q,
            picture_format=_format(query.fmt, request.headers.get("accept", "")),
        )
        headers = _headers(variant, query)
        is_public = await variants.is_public(picture_id)
        if not is_public:
            # The caller is looked up for drafts alone: a public picture depends on no caller, and caches may keep it.
            caller = await find_caller(request)
            if caller is None or caller.user_id != variant.owner_id:
                raise PictureNotFound("There is no such picture.")
            headers["Cache-Control"] = for_owner(seconds=_DRAFT_SECONDS)
        if _is_known(variant, request):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return await _answer(variants, variant, request, headers, is_public=is_public)

    return router


async def _answer(
    variants: Variants, variant: Variant, request: Request, headers: dict[str, str], *, is_public: bool = True
) -> Response:
    if variant.rendition is None:
        mark_rendered(request)
    rendition = await variants.have(variant)
    if is_public and (address := variants.address_of(rendition)) is not None:
        return Response(status_code=HTTPStatus.FOUND, headers={**headers, "Location": address})
    media_type = variant.recipe.format.media_type
    if request.method == "HEAD":
        return _head(headers, media_type, size_bytes=rendition.size_bytes)
    return Response(await variants.read(variant, rendition), headers=headers, media_type=media_type)


async def _answer_drawn(avatars: Avatars, monogram: Monogram, request: Request, headers: dict[str, str]) -> Response:
    if not avatars.is_drawn(monogram):
        mark_rendered(request)
    content, media_type = await avatars.draw(monogram), monogram.recipe.format.media_type
    if request.method == "HEAD":
        return _head(headers, media_type, size_bytes=len(content))
    return Response(content, headers=headers, media_type=media_type)


def _head(headers: dict[str, str], media_type: str, *, size_bytes: int) -> Response:
    return Response(headers={**headers, "Content-Length": str(size_bytes)}, media_type=media_type)


def _is_known(variant: Variant | Monogram, request: Request) -> bool:
    return is_known(request.headers.get("if-none-match", "").encode("latin-1"), etag=variant.etag.encode())


def _format(wanted: Format, accept: str) -> PictureFormat:
    return PictureFormat(choose_format(accept) if wanted is Format.AUTO else wanted.value)


def _headers(variant: Variant | Monogram, query: ImageQuery) -> dict[str, str]:
    headers = {
        "ETag": variant.etag,
        "Cache-Control": FOREVER if query.v == variant.version else _FOR_A_WHILE,
        "Content-Security-Policy": BROUGHT_POLICY,
    }
    if query.fmt is Format.AUTO:
        headers["Vary"] = "Accept"
    return headers
