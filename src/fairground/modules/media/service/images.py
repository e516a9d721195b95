"""The contract `Images`: pictures in any size, and avatars, which are portraits or monograms."""

import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fairground.contracts.media import Image, ImageRequest, PictureNotFound
from fairground.modules.media.domain import version_of
from fairground.modules.media.service.renditions import Variant, Variants, etag_of
from fairground.platform.http.cache_control import matches_etag
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.monogram import monogram
from fairground.platform.images.recipes import AVATAR_MAX_PX, Recipe, Shape, step_quality, step_width
from fairground.platform.images.renderer import Renderer

_DRAWN_MAX: Final = 500  # of 1 to 20 KB each


@dataclass(frozen=True)
class Monogram:
    """One variant of a monogram."""

    source: bytes
    """From this it is drawn; other initials are another source."""
    recipe: Recipe

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.source).hexdigest()

    @property
    def etag(self) -> str:
        return etag_of(self.digest, self.recipe)

    @property
    def version(self) -> str:
        return version_of(self.digest)


class Monograms:
    """Draws monograms, and keeps the last ones in memory: one of an older name leaves by itself."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._drawn: dict[str, bytes] = {}  # by ETag, the least recently used first

    def is_drawn(self, drawing: Monogram) -> bool:
        return drawing.etag in self._drawn

    async def draw(self, drawing: Monogram) -> bytes:
        """Return the file of a monogram.

        Raises:
            RendererBusy, RendererUnavailable
        """

        async def load() -> bytes:
            return drawing.source

        content = self._drawn.pop(drawing.etag, None)
        if content is None:
            rendered = await self._renderer.render(drawing.digest, (drawing.recipe,), load)
            content = rendered.derivatives[0].content
        self._drawn[drawing.etag] = content
        if len(self._drawn) > _DRAWN_MAX:
            del self._drawn[next(iter(self._drawn))]
        return content


class ImageService:
    def __init__(self, *, variants: Variants, monograms: Monograms) -> None:
        self._variants = variants
        self._monograms = monograms

    async def get_image(self, *, picture_id: UUID, request: ImageRequest, draft_of: UUID | None = None) -> Image:
        variant = await self._variants.find_variant(
            picture_id,
            width_px=request.width_px,
            quality=request.quality,
            picture_format=PictureFormat(request.format),
        )
        if draft_of not in {None, variant.owner_id}:
            raise PictureNotFound("This picture does not exist.")
        return await self._serve(variant, request, is_public=draft_of is None)

    async def get_avatar(
        self, *, provider_id: UUID, name: str, picture_id: UUID | None, request: ImageRequest
    ) -> Image:
        width_px = step_width(request.width_px, source_px=AVATAR_MAX_PX)
        recipe = Recipe(Shape.SQUARE, width_px, PictureFormat(request.format), step_quality(request.quality))
        # A deleted portrait is missing a moment before its event has reached the provider.
        portrait = await self._variants.find_square(picture_id, recipe) if picture_id is not None else None
        if portrait is not None:
            return await self._serve(portrait, request, is_public=True)
        return await self._serve_drawing(Monogram(monogram(name, seed=str(provider_id)), recipe), request)

    async def _serve(self, variant: Variant, request: ImageRequest, *, is_public: bool) -> Image:
        if _is_known(variant, request):
            return _image(variant, is_known=True)
        rendition = await self._variants.ensure_rendition(variant)
        cdn_url = self._variants.cdn_url_of(rendition) if is_public else None
        has_content = cdn_url is None and not request.is_head
        content = await self._variants.read(variant, rendition) if has_content else b""
        is_new = variant.rendition is None
        return _image(variant, is_new=is_new, cdn_url=cdn_url, size_bytes=rendition.size_bytes, content=content)

    async def _serve_drawing(self, drawing: Monogram, request: ImageRequest) -> Image:
        if _is_known(drawing, request):
            return _image(drawing, is_known=True)
        is_new, content = not self._monograms.is_drawn(drawing), await self._monograms.draw(drawing)
        return _image(drawing, is_new=is_new, size_bytes=len(content), content=content)


def _is_known(variant: Variant | Monogram, request: ImageRequest) -> bool:
    return matches_etag(request.if_none_match.encode("latin-1"), etag=variant.etag.encode())


def _image(
    variant: Variant | Monogram,
    *,
    is_known: bool = False,
    is_new: bool = False,
    cdn_url: str | None = None,
    size_bytes: int = 0,
    content: bytes = b"",
) -> Image:
    return Image(
        etag=variant.etag,
        version=variant.version,
        media_type=variant.recipe.format.media_type,
        is_known=is_known,
        is_new=is_new,
        cdn_url=cdn_url,
        size_bytes=size_bytes,
        content=content,
    )
