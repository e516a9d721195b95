"""Renditions: the first ones, which a job makes of each picture, and further variants, made on their first request."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final
from uuid import UUID
from weakref import WeakValueDictionary

from fairground.contracts.media import PictureNotFound, PictureRefused, PictureState, Refusal
from fairground.kernel.errors import Invalid
from fairground.kernel.messages import Job, Priority, Queue
from fairground.modules.media import store
from fairground.modules.media.domain import ImageProperties, Original, Rendition, version_of
from fairground.platform.db.database import Database, ReadTx
from fairground.platform.images.formats import PictureFormat, encode_data_url
from fairground.platform.images.recipes import MASTER, PLACEHOLDER, UPLOAD, Recipe, Shape, step_quality, step_width
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.rendering.canvas import Derivative, Rendered
from fairground.platform.storage.keys import Retention, content_key
from fairground.platform.storage.signed_urls import public_url
from fairground.platform.storage.store import ObjectNotFound, Store
from fairground.platform.ttl_map import TTLMap

FAILURE_SECONDS: Final = 1.0
"""A failed variant is not tried again for so long: else all its waiting requests would try one after the other."""
_FAILURES_MAX: Final = 2_000
_ETAG_LENGTH: Final = 32


class RenderPicture(Job):
    """Make the first renditions of a picture that was accepted."""

    topic: ClassVar = "media.render_picture.v1"
    queue: ClassVar = Queue.PICTURES
    priority: ClassVar = Priority.HIGH
    picture_id: UUID


class Renditions:
    """Makes renditions and puts them into the store. Repeating either makes the same bytes under the same key."""

    def __init__(self, files: Store, renderer: Renderer) -> None:
        self._files = files
        self._renderer = renderer

    async def render(self, key: str, recipes: Sequence[Recipe]) -> Rendered:
        """Render a file of the store, whose key names its bytes.

        Raises:
            Invalid: The decoder refused it.
            Unavailable: The queue is full, or a part does not answer; it may be tried again.
            ObjectNotFound: The store has lost it.
        """

        async def load() -> bytes:
            async with self._files.read(key) as reading:
                return b"".join([chunk async for chunk in reading.chunks])

        return await self._renderer.render(key, recipes, load)

    async def store(self, made: Derivative) -> Rendition:
        key = content_key(Retention.DERIVATIVE, made.content, content_type=made.recipe.format.media_type)
        await self._files.put(key, made.content)
        return Rendition(
            recipe=made.recipe.name,
            key=key,
            width_px=made.width_px,
            height_px=made.height_px,
            size_bytes=len(made.content),
        )

    async def make(self, key: str, recipe: Recipe) -> Rendition:
        """Render one recipe as `render` does, and store it."""
        rendered = await self.render(key, (recipe,))
        return await self.store(rendered.derivatives[0])


class PictureRendering:
    """Makes accepted pictures ready, or refuses them. A run may die at any point, and another one repeats it."""

    def __init__(self, db: Database, renditions: Renditions) -> None:
        self._db = db
        self._renditions = renditions

    async def on_render_picture(self, job: RenderPicture) -> None:
        async with self._db.read() as tx:
            record = await store.find_picture(tx, job.picture_id)
        if record is None or record.picture.state is not PictureState.PROCESSING or record.original is None:
            return
        try:
            # The same bytes may have been rendered for another picture.
            made = None if record.original.is_rendered else await self._make(record.original)
        except Invalid as refusal:
            await self._refuse(job.picture_id, refusal)
            return
        async with self._db.write(ends_job=True) as tx:
            record = await store.lock_picture(tx, job.picture_id)
            # Deleted meanwhile, or a second run of this job was faster.
            if record is None or record.picture.state is not PictureState.PROCESSING or record.original is None:
                return
            if made is not None:
                properties, renditions = made
                await store.record_properties(tx, record.original.digest, properties)
                await store.insert_renditions(tx, record.original.digest, renditions)
            await store.mark_ready(tx, job.picture_id)
            if (ready := await store.find_picture(tx, job.picture_id)) is not None:
                await tx.emit(ready.ready_event())

    async def _make(self, original: Original) -> tuple[ImageProperties, list[Rendition]]:
        rendered = await self._renditions.render(original.key, UPLOAD)
        stored = [await self._renditions.store(each) for each in rendered.derivatives if each.recipe != PLACEHOLDER]
        return _properties_of(rendered), stored

    async def _refuse(self, picture_id: UUID, error: Invalid) -> None:
        async with self._db.write(ends_job=True) as tx:
            record = await store.lock_picture(tx, picture_id)
            if record is None or record.picture.state is not PictureState.PROCESSING or record.original is None:
                return
            refusal = Refusal(code=error.code, detail=error.detail, hint=error.hint)
            await store.refuse_picture(tx, picture_id, refusal)
            await store.delete_original_unless_used(tx, record.original.digest)
            await tx.emit(PictureRefused(picture_id=picture_id, owner_id=record.owner_id, code=error.code))


def _properties_of(rendered: Rendered) -> ImageProperties:
    placeholder = next(each for each in rendered.derivatives if each.recipe == PLACEHOLDER)
    return ImageProperties(
        width_px=rendered.width_px,
        height_px=rendered.height_px,
        colour=rendered.colour,
        placeholder=encode_data_url(placeholder.content, media_type=placeholder.recipe.format.media_type),
    )


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
                raise PictureNotFound("This picture does not exist.")
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
