"""Variants: one size and format of a picture, found by its name, made on the first request, kept from then on."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from fairground.contracts.media import PictureNotFound, PictureState
from fairground.modules.media import store
from fairground.modules.media.domain import Original, Rendition, version_of
from fairground.modules.media.service.renditions import Renditions
from fairground.platform.db.database import Database, ReadTx
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import MASTER, Recipe, Shape, step_quality, step_width
from fairground.platform.storage.signed_urls import public_url
from fairground.platform.storage.store import ObjectNotFound, Store
from fairground.platform.ttl_map import TTLMap

FAILURE_SECONDS: Final = 1.0
"""A failed variant is not tried again for so long: else all its waiting requests would try one after the other."""
_FAILURES_MAX: Final = 2_000
_ETAG_LENGTH: Final = 32


@dataclass(frozen=True)
class Variant:
    """One variant of a picture, made (`rendition`) or to be made."""

    original: Original
    owner_id: UUID
    recipe: Recipe
    rendition: Rendition | None

    @property
    def etag(self) -> str:
        return etag_of(self.original.digest, self.recipe)

    @property
    def version(self) -> str:
        return version_of(self.original.digest)


def etag_of(digest: str, recipe: Recipe) -> str:
    """Return the ETag of a variant: the same recipe makes the same bytes of the same source."""
    return f'"{hashlib.sha256(f"{digest}/{recipe.name}".encode()).hexdigest()[:_ETAG_LENGTH]}"'


class Variants:
    def __init__(self, *, db: Database, files: Store, renditions: Renditions, cdn_url: str) -> None:
        """Take the address of a CDN that has the public files of the store; empty without one."""
        self._db = db
        self._files = files
        self._renditions = renditions
        self._cdn_url = cdn_url
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by ETag, as the next
        self._failures: TTLMap[Exception] = TTLMap(most=_FAILURES_MAX, now=time.monotonic)

    async def find_variant(
        self, picture_id: UUID, *, width_px: float, quality: int, picture_format: PictureFormat
    ) -> Variant:
        """Return a variant of the whole picture; reads no file.

        Raises:
            PictureNotFound: There is no such picture, or it is not ready.
        """
        async with self._db.read() as tx:
            record = await store.find_picture(tx, picture_id)
            if record is None or record.original is None or record.picture.state is not PictureState.READY:
                raise PictureNotFound("There is no such picture.")
            width_px = step_width(width_px, source_px=record.picture.width_px or 1)
            recipe = Recipe(Shape.WHOLE, width_px, picture_format, step_quality(quality))
            return await _read_variant(tx, record.original, recipe, owner_id=record.owner_id)

    async def find_square(self, picture_id: UUID, recipe: Recipe) -> Variant | None:
        """Return a variant of the picture's middle, or None where there is no ready picture; reads no file."""
        async with self._db.read() as tx:
            record = await store.find_picture(tx, picture_id)
            if record is None or record.original is None or record.picture.state is not PictureState.READY:
                return None
            return await _read_variant(tx, record.original, recipe, owner_id=record.owner_id)

    def cdn_url_of(self, rendition: Rendition) -> str | None:
        """Return the address of a rendition at the CDN, if there is one."""
        return public_url(rendition.key, cdn_url=self._cdn_url) if self._cdn_url else None

    async def ensure_rendition(self, variant: Variant) -> Rendition:
        """Make the variant unless it is there. Concurrent requests for it wait, and succeed or fail together.

        Raises:
            RendererBusy: The queue of the renderer is full.
            Unavailable: A part does not answer.
        """
        if variant.rendition is not None:
            return variant.rendition
        lock = self._making.setdefault(variant.etag, asyncio.Lock())
        async with lock:
            async with self._db.read() as tx:
                made = await store.find_rendition(tx, variant.original.digest, variant.recipe.name)
            return made or await self._make_unless_failed(variant)

    async def read(self, variant: Variant, rendition: Rendition) -> bytes:
        """Return the bytes of a rendition, which is made again when the store has lost it."""
        try:
            return await self._read_file(rendition)
        except ObjectNotFound:
            return await self._read_file(await self._replace_lost(variant, lost=rendition))

    async def _replace_lost(self, variant: Variant, *, lost: Rendition) -> Rendition:
        """Make a rendition again that the store has lost."""
        # Newer libraries may make other bytes, and so another key: the row goes as well.
        async with self._db.write() as tx:
            await store.delete_lost_rendition(tx, variant.original.digest, lost)
        return await self.ensure_rendition(replace(variant, rendition=None))

    async def _make_unless_failed(self, variant: Variant) -> Rendition:
        """Make the variant, or repeat a failure of a moment ago."""
        if (failed := self._failures.find(variant.etag)) is not None:
            # Without its traceback, which would grow with each request that raises it.
            raise failed.with_traceback(None)
        try:
            return await self._make(variant)
        except Exception as error:
            self._failures.put(variant.etag, error, seconds=FAILURE_SECONDS)
            raise

    async def _make(self, variant: Variant) -> Rendition:
        rendition = await self._make_from_source(variant)
        async with self._db.write() as tx:
            await store.add_rendition(tx, variant.original.digest, rendition)
        return rendition

    async def _make_from_source(self, variant: Variant) -> Rendition:
        """Make the variant from its original, or a square from the master."""
        original, recipe = variant.original, variant.recipe
        if recipe.shape is not Shape.SQUARE or recipe == MASTER:
            return await self._renditions.make(original.key, recipe)
        async with self._db.read() as tx:
            master = await _read_variant(tx, original, MASTER, owner_id=variant.owner_id)
        source = await self.ensure_rendition(master)
        try:
            return await self._renditions.make(source.key, recipe)
        except ObjectNotFound:
            # From a new master, not from the original: the bytes behind an ETag must stay the same.
            source = await self._replace_lost(master, lost=source)
            return await self._renditions.make(source.key, recipe)

    async def _read_file(self, rendition: Rendition) -> bytes:
        async with self._files.read(rendition.key) as reading:
            return b"".join([chunk async for chunk in reading.chunks])


async def _read_variant(tx: ReadTx, original: Original, recipe: Recipe, *, owner_id: UUID) -> Variant:
    return Variant(original, owner_id, recipe, await store.find_rendition(tx, original.digest, recipe.name))
