"""Pictures as pages ask for them: found by a name, made when they are first wanted, kept from then on."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from fairground.contracts.media import PictureNotFound, PictureState, Placements
from fairground.modules.media import store
from fairground.modules.media.domain.pictures import version_of
from fairground.modules.media.domain.variants import step_quality, step_width
from fairground.modules.media.service.rendering import Rendering
from fairground.platform.db.database import Database, ReadTx
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import MASTER, Recipe, Shape
from fairground.platform.images.rendering.canvas import Picture as MadePicture
from fairground.platform.storage.store import ObjectNotFound, Store
from fairground.platform.storage.url_signer import public_url
from fairground.platform.ttl_map import TTLMap

FAILURE_SECONDS: Final = 1.0
"""So long a variant that could not be made is not tried again: all who waited for it would try one after the other."""
_FAILURES_MAX: Final = 2_000
_ETAG_LENGTH: Final = 32


@dataclass(frozen=True)
class Variant:
    """One variant of a picture, which may not have been made yet."""

    original: store.Original
    owner_id: UUID
    recipe: Recipe
    rendition: store.Rendition | None

    @property
    def etag(self) -> str:
        return etag_of(self.original.digest, self.recipe)

    @property
    def version(self) -> str:
        return version_of(self.original.digest)


def etag_of(digest: str, recipe: Recipe) -> str:
    """Stand for the bytes: the same recipe makes the same of the same source."""
    return f'"{hashlib.sha256(f"{digest}/{recipe.name}".encode()).hexdigest()[:_ETAG_LENGTH]}"'


class Variants:
    def __init__(
        self, *, db: Database, files: Store, rendering: Rendering, cdn_url: str, placements: Callable[[], Placements]
    ) -> None:
        self._db = db
        self._files = files
        self._rendering = rendering
        self._cdn_url = cdn_url
        self._placements = placements
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._failures: TTLMap[Exception] = TTLMap(most=_FAILURES_MAX, now=time.monotonic)  # by ETag

    async def find_variant(
        self, picture_id: UUID, *, width_px: float, quality: int, picture_format: PictureFormat
    ) -> Variant:
        """Say which variant it is, without a look at any file.

        Raises:
            PictureNotFound: There is no such picture, or it is not ready.
        """
        async with self._db.read() as tx:
            kept = await store.find_picture(tx, picture_id)
            if kept is None or kept.original is None or kept.picture.state is not PictureState.READY:
                raise PictureNotFound("There is no such picture.")
            width_px = step_width(width_px, source_px=kept.picture.width_px or 1)
            recipe = Recipe(Shape.WHOLE, width_px, picture_format, step_quality(quality))
            return await _variant(tx, kept.original, recipe, owner_id=kept.owner_id)

    async def find_square(self, picture_id: UUID, recipe: Recipe) -> Variant | None:
        """Say which variant it is, without a look at any file; None when there is no such picture to show."""
        async with self._db.read() as tx:
            kept = await store.find_picture(tx, picture_id)
            if kept is None or kept.original is None or kept.picture.state is not PictureState.READY:
                return None
            return await _variant(tx, kept.original, recipe, owner_id=kept.owner_id)

    async def is_public(self, picture_id: UUID) -> bool:
        """Return whether any caller may see the picture; until it is placed, only its owner may."""
        return await self._placements().is_placed(picture_id=picture_id)

    def address_of(self, rendition: store.Rendition) -> str | None:
        """Return where a CDN gives it, if there is one."""
        return public_url(rendition.key, cdn_url=self._cdn_url) if self._cdn_url else None

    async def have(self, variant: Variant) -> store.Rendition:
        """Make the variant unless it is there; who comes while it is being made waits for that, and fails with it.

        Raises:
            RendererBusy: Too many are being made.
            Unavailable: A part does not answer.
        """
        if variant.rendition is not None:
            return variant.rendition
        turn = self._making.setdefault(variant.etag, asyncio.Lock())
        async with turn:
            async with self._db.read() as tx:
                made = await store.find_rendition(tx, variant.original.digest, variant.recipe.name)
            return made or await self._try_to_make(variant)

    async def read(self, variant: Variant, rendition: store.Rendition) -> bytes:
        """Return the bytes of a variant that was made."""
        try:
            return await self._content(rendition)
        except ObjectNotFound:
            return await self._content(await self._have_again(variant, lost=rendition))

    async def _have_again(self, variant: Variant, *, lost: store.Rendition) -> store.Rendition:
        """Make what the store has lost: derivatives can be made anew, so it may lose them."""
        # Other libraries than those of then may make other bytes, so the row goes as well.
        async with self._db.write() as tx:
            await store.forget_rendition(tx, variant.original.digest, lost)
        return await self.have(replace(variant, rendition=None))

    async def _try_to_make(self, variant: Variant) -> store.Rendition:
        """Make the variant, or fail as somebody did a moment ago."""
        if (failed := self._failures.find(variant.etag)) is not None:
            # Without the trace of whoever was told of it before, which would grow with each of them.
            raise failed.with_traceback(None)
        try:
            return await self._make(variant)
        except Exception as error:
            self._failures.put(variant.etag, error, seconds=FAILURE_SECONDS)
            raise

    async def _make(self, variant: Variant) -> store.Rendition:
        rendition = await self._rendering.keep(await self._render(variant))
        async with self._db.write() as tx:
            await store.add_rendition(tx, variant.original.digest, rendition)
        return rendition

    async def _render(self, variant: Variant) -> MadePicture:
        original, recipe = variant.original, variant.recipe
        if recipe.shape is not Shape.SQUARE or recipe == MASTER:
            return await self._rendering.render_one(original.key, recipe)
        async with self._db.read() as tx:
            master = await _variant(tx, original, MASTER, owner_id=variant.owner_id)
        source = await self.have(master)
        try:
            return await self._rendering.render_one(source.key, recipe)
        except ObjectNotFound:
            # From the master again, not from the original: what an ETag stands for shall stay the same.
            source = await self._have_again(master, lost=source)
            return await self._rendering.render_one(source.key, recipe)

    async def _content(self, rendition: store.Rendition) -> bytes:
        async with self._files.read(rendition.key) as reading:
            return b"".join([chunk async for chunk in reading.chunks])


async def _variant(tx: ReadTx, original: store.Original, recipe: Recipe, *, owner_id: UUID) -> Variant:
    return Variant(original, owner_id, recipe, await store.find_rendition(tx, original.digest, recipe.name))
