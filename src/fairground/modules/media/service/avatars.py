"""Faces of providers: the square of a portrait, or, where there is none, a monogram."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fairground.contracts.media import Faces
from fairground.modules.media.domain.pictures import version_of
from fairground.modules.media.service.variants import Variant, Variants, etag_of
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.monogram import monogram
from fairground.platform.images.recipes import AVATAR_MAX_PX, Recipe, Shape, step_quality, step_width
from fairground.platform.images.renderer import Renderer

_DRAWN_MAX: Final = 500  # of 1 to 20 KB each


@dataclass(frozen=True)
class Monogram:
    """One variant of a monogram."""

    source: bytes
    """What it is drawn of: it has another one when the letters of the name are others."""
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


@dataclass(frozen=True)
class PictureElsewhere:
    """A picture that media does not keep, such as a drawing of the demo."""

    url: str


class Avatars:
    def __init__(self, *, variants: Variants, renderer: Renderer, faces: Callable[[], Faces]) -> None:
        self._variants = variants
        self._renderer = renderer
        self._faces = faces
        self._drawn: dict[str, bytes] = {}

    async def find_avatar(
        self, provider_id: UUID, *, width_px: float, quality: int, picture_format: PictureFormat
    ) -> Variant | Monogram | PictureElsewhere:
        """Say which picture it is, without a look at any file.

        Raises:
            ProviderNotFound: There is no such provider for everybody to see.
        """
        recipe = Recipe(
            Shape.SQUARE, step_width(width_px, source_px=AVATAR_MAX_PX), picture_format, step_quality(quality)
        )
        face = await self._faces().get_face(provider_id=provider_id)
        # It may be removed just now: catalog learns that a moment later.
        portrait = await self._variants.find_square(face.picture_id, recipe) if face.picture_id else None
        if portrait is None and face.url is not None:
            return PictureElsewhere(face.url)
        return portrait or Monogram(monogram(face.name, seed=str(provider_id)), recipe)

    def is_drawn(self, wanted: Monogram) -> bool:
        return wanted.etag in self._drawn

    async def draw(self, wanted: Monogram) -> bytes:
        """Return a monogram, made unless it was not long ago: nobody need forget it when the name changes.

        Raises:
            RendererBusy, RendererUnavailable
        """

        async def load() -> bytes:
            return wanted.source

        content = self._drawn.pop(wanted.etag, None)
        if content is None:
            rendered = await self._renderer.render(wanted.digest, (wanted.recipe,), load)
            content = rendered.derivatives[0].content
        # The one that was not wanted for longest stands first.
        self._drawn[wanted.etag] = content
        if len(self._drawn) > _DRAWN_MAX:
            del self._drawn[next(iter(self._drawn))]
        return content
