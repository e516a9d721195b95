"""Renditions: derivatives in the store, and the job that makes the first ones of a picture."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from fairground.contracts.media import PictureRefused, PictureState, Refusal
from fairground.kernel.errors import Invalid
from fairground.kernel.messages import Job, Priority, Queue
from fairground.modules.media import store
from fairground.modules.media.domain import Look, Original, Rendition
from fairground.platform.db.database import Database
from fairground.platform.images.formats import encode_data_url
from fairground.platform.images.recipes import PLACEHOLDER, UPLOAD, Recipe
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.rendering.canvas import Derivative, Rendered
from fairground.platform.storage.keys import Retention, content_key
from fairground.platform.storage.store import Store


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
                look, renditions = made
                await store.record_look(tx, record.original.digest, look)
                await store.insert_renditions(tx, record.original.digest, renditions)
            await store.mark_ready(tx, job.picture_id)
            if (ready := await store.find_picture(tx, job.picture_id)) is not None:
                await tx.emit(ready.ready_event())

    async def _make(self, original: Original) -> tuple[Look, list[Rendition]]:
        rendered = await self._renditions.render(original.key, UPLOAD)
        stored = [await self._renditions.store(each) for each in rendered.derivatives if each.recipe != PLACEHOLDER]
        return _look_of(rendered), stored

    async def _refuse(self, picture_id: UUID, error: Invalid) -> None:
        async with self._db.write(ends_job=True) as tx:
            record = await store.lock_picture(tx, picture_id)
            if record is None or record.picture.state is not PictureState.PROCESSING or record.original is None:
                return
            refusal = Refusal(code=error.code, detail=error.detail, hint=error.hint)
            await store.refuse_picture(tx, picture_id, refusal)
            await store.delete_original_unless_used(tx, record.original.digest)
            await tx.emit(PictureRefused(picture_id=picture_id, owner_id=record.owner_id, code=error.code))


def _look_of(rendered: Rendered) -> Look:
    placeholder = next(each for each in rendered.derivatives if each.recipe == PLACEHOLDER)
    return Look(
        width_px=rendered.width_px,
        height_px=rendered.height_px,
        colour=rendered.colour,
        placeholder=encode_data_url(placeholder.content, media_type=placeholder.recipe.format.media_type),
    )
