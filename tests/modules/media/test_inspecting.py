"""What operators are told of pictures and their files."""

from typing import Final

from sqlalchemy import delete

from fairground.contracts.media import PicturesReport, PictureState
from fairground.kernel.ids import uuid7
from fairground.modules.media import store
from fairground.modules.media.service.inspecting import PictureInspector
from fairground.modules.media.tables import RenditionRow
from fairground.platform.storage.keys import Retention
from tests.support.pictures import photograph
from tests.support.studio import Studio

OWNER: Final = uuid7()


async def test_what_is_there_and_what_is_lost_is_counted(studio: Studio) -> None:
    inspector = PictureInspector(studio.db, studio.store)
    nothing = PicturesReport(by_state={}, bare=0, lost_originals=0, lost_renditions=0)
    assert await inspector.inspect_pictures() == nothing
    pictures = [await studio.bring(OWNER, photograph(width_px, 200)) for width_px in (300, 310)]
    await studio.work()
    await studio.pictures.offer_upload(owner_id=OWNER, content_type="image/jpeg")
    states = {PictureState.READY: 2, PictureState.AWAITED: 1}
    assert await inspector.inspect_pictures() == nothing.model_copy(update={"by_state": states})

    kept = await studio.pictures.get_picture(owner_id=OWNER, picture_id=pictures[0].id)
    async with studio.db.read() as tx:
        found = await store.find_picture(tx, kept.id)
    assert found is not None
    assert found.original is not None
    await studio.store.delete(found.original.key)
    async with studio.db.write() as tx:
        await tx.execute(delete(RenditionRow).where(RenditionRow.original_digest == found.original.digest))
    [one, *_] = await studio.stored(Retention.DERIVATIVE) & await referred(studio)
    await studio.store.delete(one)
    assert await inspector.inspect_pictures() == PicturesReport(
        by_state=states, bare=1, lost_originals=1, lost_renditions=1
    )


async def referred(studio: Studio) -> set[str]:
    async with studio.db.read() as tx:
        return set(await store.list_rendition_keys(tx, ""))


async def test_pictures_that_are_not_there_are_named(studio: Studio) -> None:
    picture, other = await studio.bring(OWNER, photograph(300, 200)), uuid7()
    assert await PictureInspector(studio.db, studio.store).find_missing(picture_ids=[picture.id, other]) == {other}
