"""Variants: renditions that are made on demand."""

from typing import Final

from fairground.kernel.ids import uuid7
from fairground.modules.media.domain import Rendition
from fairground.modules.media.service.renditions import Renditions
from fairground.modules.media.service.variants import Variant, Variants
from fairground.modules.media.store import add_rendition
from fairground.platform.images.formats import PictureFormat
from fairground.platform.storage.keys import Retention, content_key
from tests.support.pictures import opened, photograph
from tests.support.studio import Studio

PHOTO: Final = photograph(600, 900, orientation=6)
ANNA: Final = uuid7()


async def test_lost_rendition_of_other_libraries_is_made_again_once(studio: Studio) -> None:
    picture = await studio.upload(ANNA, PHOTO)
    await studio.work()
    renditions = Renditions(studio.store, studio.renderer)
    variants = Variants(db=studio.db, files=studio.store, renditions=renditions, cdn_url="")

    async def find() -> Variant:
        return await variants.find_variant(picture.id, width_px=96, quality=80, picture_format=PictureFormat.WEBP)

    cold = await find()
    lost = Rendition(
        recipe=cold.recipe.name,
        key=content_key(Retention.DERIVATIVE, b"other bytes", content_type="image/webp"),
        width_px=96,
        height_px=144,
        size_bytes=11,
    )
    async with studio.db.write() as tx:
        await add_rendition(tx, cold.original.digest, lost)
    shown = [
        await variants.read(variant, await variants.ensure_rendition(variant))
        for variant in (await find(), await find())
    ]
    assert opened(shown[0]).width == 96
    assert shown[1] == shown[0]
    assert sum(studio.renderer.stats.durations.counts) == 2, "one for the picture, and one for what was lost"
