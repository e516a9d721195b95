"""The job that makes the first renditions of a picture, and variants that are made on request."""

import zlib
from datetime import timedelta
from typing import Any, Final

import pytest

from fairground.contracts.media import (
    PictureReady,
    PictureRefused,
    PictureState,
)
from fairground.kernel.ids import uuid7
from fairground.modules.media.domain import Rendition
from fairground.modules.media.service.renditions import Renditions, Variant, Variants
from fairground.modules.media.store import add_rendition
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.refusals import RendererBusy
from fairground.platform.storage.keys import Retention, content_key
from tests.support.hostile_pictures import png, png_chunk
from tests.support.pictures import is_upright, list_traces, opened, photograph
from tests.support.studio import Studio

PHOTO: Final = photograph(600, 900, orientation=6)
# Sound from outside: only a decoder notices.
BROKEN: Final = png(10, 10, png_chunk(b"IDAT", zlib.compress(b"much too short")), png_chunk(b"IEND", b""))
ANNA: Final = uuid7()


async def test_photo_is_rendered_into_sizes_without_metadata(studio: Studio) -> None:
    picture = await studio.upload(ANNA, PHOTO)
    assert (picture.state, picture.width_px) == (PictureState.PROCESSING, None)
    await studio.work()
    picture = await studio.pictures.get_picture(owner_id=ANNA, picture_id=picture.id)
    assert (picture.state, picture.width_px, picture.height_px) == (PictureState.READY, 600, 900)
    assert picture.placeholder is not None
    assert picture.placeholder.startswith("data:image/webp;base64,")
    assert picture.colour is not None
    look = {
        "width_px": 600,
        "height_px": 900,
        "colour": picture.colour,
        "placeholder": picture.placeholder,
        "url": picture.url,
    }
    assert studio.events == [PictureReady(picture_id=picture.id, owner_id=ANNA, **look)]  # type: ignore[arg-type]
    stored = await studio.everything()
    assert (len(stored["original"]), len(stored["upload"])) == (1, 0)
    made = [await studio.read(key) for key in stored["derivative"]]
    # 400 and 600 pixels wide, in two formats each, and the square.
    assert sorted(opened(each).width for each in made) == [400, 400, 600, 600, 1024]
    assert [list_traces(each) for each in made] == [[]] * 5
    assert all(is_upright(opened(each)) for each in made if opened(each).width != 1024)


async def test_damage_that_only_a_decoder_notices_is_refused_by_the_job(studio: Studio) -> None:
    picture = await studio.upload(ANNA, BROKEN, content_type="image/png")
    assert picture.state is PictureState.PROCESSING
    await studio.work()
    picture = await studio.pictures.get_picture(owner_id=ANNA, picture_id=picture.id)
    assert picture.refusal is not None
    assert picture.refusal.code == "images.broken"
    assert [type(event) for event in studio.events] == [PictureRefused]
    await studio.collect()
    assert not any((await studio.everything()).values())


async def test_job_is_retried_when_the_queue_of_the_renderer_is_full(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await studio.upload(ANNA, PHOTO)

    async def refuse(*_: Any) -> None:
        raise RendererBusy("No room.")

    with monkeypatch.context() as patched:
        patched.setattr(studio.renderer, "render", refuse)
        with pytest.raises(RendererBusy):
            await studio.work()
    studio.db.clock_shift = timedelta(minutes=1)
    await studio.work()
    assert (await studio.pictures.get_picture(owner_id=ANNA, picture_id=picture.id)).state is PictureState.READY


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
