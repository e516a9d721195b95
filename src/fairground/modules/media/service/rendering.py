"""The job that makes the first sizes of a picture. It may die anywhere: what it repeats has the same name and bytes."""

from dataclasses import dataclass

from fairground.contracts.media import PictureRefused, PictureState, Refusal
from fairground.kernel.errors import Invalid
from fairground.modules.media import store
from fairground.modules.media.domain import pictures as domain
from fairground.modules.media.service.jobs import RenderPicture
from fairground.modules.media.service.telling import ready
from fairground.platform.db.database import Database
from fairground.platform.images import recipes
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.rendering.canvas import Picture as MadePicture
from fairground.platform.images.rendering.canvas import Rendered
from fairground.platform.storage.keys import Retention, content_key
from fairground.platform.storage.store import Store


@dataclass(frozen=True)
class _Made:
    look: store.Look
    renditions: list[store.Rendition]


class Rendering:
    def __init__(self, *, db: Database, files: Store, renderer: Renderer) -> None:
        self._db = db
        self._files = files
        self._renderer = renderer

    async def on_render_picture(self, job: RenderPicture) -> None:
        async with self._db.read() as tx:
            kept = await store.find_picture(tx, job.picture_id)
        if kept is None or kept.picture.state is not PictureState.PROCESSING or kept.original is None:
            return
        try:
            # The same bytes may have been brought before.
            made = None if kept.original.is_rendered else await self._make(kept.original)
        except Invalid as refusal:
            await self._refuse(job, refusal)
            return
        async with self._db.write(ends_job=True) as tx:
            kept = await store.lock_picture(tx, job.picture_id)
            # Deleted meanwhile, or a second run of this job was faster.
            if kept is None or kept.picture.state is not PictureState.PROCESSING or kept.original is None:
                return
            if made is not None:
                await store.record_look(tx, kept.original.digest, made.look)
                await store.record_renditions(tx, kept.original.digest, made.renditions)
            await store.mark_ready(tx, job.picture_id)
            if (done := await store.find_picture(tx, job.picture_id)) is not None:
                await tx.emit(ready(done))

    async def render(self, key: str, wanted: tuple[recipes.Recipe, ...]) -> Rendered:
        """Render a file of the store, whose key names its bytes.

        Raises:
            Invalid: The decoder refused it.
            Unavailable: Too much is asked for, or a part does not answer; it may be tried again.
            ObjectNotFound: The store has lost it.
        """

        async def load() -> bytes:
            async with self._files.read(key) as reading:
                return b"".join([chunk async for chunk in reading.chunks])

        return await self._renderer.render(key, wanted, load)

    async def render_one(self, key: str, recipe: recipes.Recipe) -> MadePicture:
        """Do what `render` does, of one recipe."""
        return (await self.render(key, (recipe,))).pictures[0]

    async def keep(self, made: MadePicture) -> store.Rendition:
        """Put what was made into the store."""
        key = content_key(Retention.DERIVATIVE, made.content, content_type=made.recipe.format.media_type)
        await self._files.put(key, made.content)
        return store.Rendition(
            recipe=made.recipe.name,
            key=key,
            width_px=made.width_px,
            height_px=made.height_px,
            size_bytes=len(made.content),
        )

    async def _make(self, original: store.Original) -> _Made:
        rendered = await self.render(original.key, recipes.UPLOAD)
        renditions = [await self.keep(each) for each in rendered.pictures if each.recipe != recipes.PLACEHOLDER]
        return _Made(_look(rendered), renditions)

    async def _refuse(self, job: RenderPicture, error: Invalid) -> None:
        async with self._db.write(ends_job=True) as tx:
            kept = await store.lock_picture(tx, job.picture_id)
            if kept is None or kept.picture.state is not PictureState.PROCESSING or kept.original is None:
                return
            await store.refuse(tx, job.picture_id, Refusal(code=error.code, detail=error.detail, hint=error.hint))
            await store.drop_original_unless_used(tx, kept.original.digest)
            await tx.emit(PictureRefused(picture_id=job.picture_id, owner_id=kept.owner_id, code=error.code))


def _look(rendered: Rendered) -> store.Look:
    placeholder = next(each for each in rendered.pictures if each.recipe == recipes.PLACEHOLDER)
    return store.Look(
        width_px=rendered.width_px,
        height_px=rendered.height_px,
        colour=rendered.colour,
        placeholder=domain.data_url(placeholder.content, media_type=placeholder.recipe.format.media_type),
    )
