"""What operators learn of pictures and their files, and the deletion of abandoned uploads."""

from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import delete

from fairground.contracts.media import PictureNotFound, PicturesReport, PictureState
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.modules.media import store
from fairground.modules.media.service.maintenance import DropLeftovers
from fairground.modules.media.tables import RenditionRow
from fairground.platform.storage.keys import Retention
from tests.support.pictures import photograph
from tests.support.studio import Studio

OWNER: Final = uuid7()


async def test_inspection_counts_states_and_lost_files(studio: Studio) -> None:
    nothing = PicturesReport(by_state={}, bare=0, lost_originals=0, lost_renditions=0)
    assert await studio.maintenance.inspect_pictures() == nothing
    pictures = [await studio.upload(OWNER, photograph(width_px, 200)) for width_px in (300, 310)]
    await studio.work()
    await studio.pictures.offer_upload(owner_id=OWNER, content_type="image/jpeg")
    states = {PictureState.READY: 2, PictureState.AWAITED: 1}
    assert await studio.maintenance.inspect_pictures() == nothing.model_copy(update={"by_state": states})

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
    assert await studio.maintenance.inspect_pictures() == PicturesReport(
        by_state=states, bare=1, lost_originals=1, lost_renditions=1
    )


async def referred(studio: Studio) -> set[str]:
    async with studio.db.read() as tx:
        return set(await store.list_rendition_keys(tx, ""))


async def test_missing_pictures_are_named(studio: Studio) -> None:
    picture, other = await studio.upload(OWNER, photograph(300, 200)), uuid7()
    assert await studio.maintenance.find_missing(picture_ids=[picture.id, other]) == {other}


async def test_abandoned_uploads_are_deleted_and_pictures_are_not(studio: Studio) -> None:
    kept = await studio.upload(OWNER, photograph(300, 200))
    offer = await studio.pictures.offer_upload(owner_id=OWNER, content_type="image/png")
    with pytest.raises(Invalid):
        await studio.upload(OWNER, b"no picture")
    await studio.work()
    drop = studio.module.handlers[DropLeftovers]
    await drop(DropLeftovers())
    await studio.pictures.get_picture(owner_id=OWNER, picture_id=offer.picture.id)
    studio.db.clock_shift = timedelta(days=8)
    await drop(DropLeftovers())
    await studio.pictures.get_picture(owner_id=OWNER, picture_id=kept.id)
    with pytest.raises(PictureNotFound):
        await studio.pictures.get_picture(owner_id=OWNER, picture_id=offer.picture.id)
