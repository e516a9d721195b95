"""Uploaded pictures: their texts, deletion, shared originals, inspection and abandoned uploads."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from fairground.contracts.media import (
    AltInvalid,
    Picture,
    PictureDescribed,
    PictureNotFound,
    PictureReady,
    PicturesReport,
    PictureState,
)
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.modules.media import store
from fairground.modules.media.service.pictures import DropLeftovers
from fairground.modules.media.tables import RenditionRow
from fairground.platform.db.database import WriteTx
from fairground.platform.storage.keys import Retention
from tests.support.pictures import photograph
from tests.support.studio import Studio

PHOTO: Final = photograph(600, 900, orientation=6)
ANNA, BERT = uuid7(), uuid7()


async def test_other_users_get_the_same_refusal_as_for_a_missing_picture(studio: Studio) -> None:
    picture = await studio.upload(ANNA, PHOTO)
    details = set()
    for picture_id in (picture.id, uuid7()):
        for ask in (studio.pictures.get_picture, studio.pictures.complete_upload):
            with pytest.raises(PictureNotFound) as refusal:
                await ask(owner_id=BERT, picture_id=picture_id)
            details.add(refusal.value.detail)
    assert len(details) == 1
    await studio.pictures.delete_picture(owner_id=BERT, picture_id=picture.id)
    assert await studio.pictures.get_picture(owner_id=ANNA, picture_id=picture.id) == picture


async def test_changed_text_is_emitted_once_with_a_higher_version(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg", alt="A stage")
    mine = {"owner_id": ANNA, "picture_id": offer.picture.id}
    for alt in ("A stage", " A piano ", "A piano", ""):
        described = await studio.pictures.describe_picture(**mine, alt=alt)
        assert described == await studio.pictures.get_picture(**mine)
        assert described.alt == alt.strip()
    await studio.work()
    emitted = [(each.picture_id, each.alt) for each in studio.events if isinstance(each, PictureDescribed)]
    assert sorted(emitted) == [(offer.picture.id, ""), (offer.picture.id, "A piano")]
    versions = {each.alt: each.alt_version for each in studio.events if isinstance(each, PictureDescribed)}
    last = await studio.pictures.get_picture(**mine)
    assert offer.picture.alt_version < versions["A piano"] < versions[""] == last.alt_version


async def test_text_is_changed_by_the_owner_alone(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg", alt="A stage")
    for picture_id in (offer.picture.id, uuid7()):
        with pytest.raises(PictureNotFound):
            await studio.pictures.describe_picture(owner_id=BERT, picture_id=picture_id, alt="Nonsense")
    with pytest.raises(AltInvalid):
        await studio.pictures.describe_picture(owner_id=ANNA, picture_id=offer.picture.id, alt="x" * 501)
    assert await studio.pictures.get_picture(owner_id=ANNA, picture_id=offer.picture.id) == offer.picture


async def test_picture_deleted_before_it_is_rendered_leaves_nothing(studio: Studio) -> None:
    picture = await studio.upload(ANNA, PHOTO)
    await studio.pictures.delete_picture(owner_id=ANNA, picture_id=picture.id)
    await studio.work()
    assert studio.events == []
    await studio.collect()
    assert not any((await studio.everything()).values())


async def test_equal_bytes_share_renditions_until_the_last_picture_is_deleted(studio: Studio) -> None:
    first, second = await studio.upload(ANNA, PHOTO), await studio.upload(BERT, PHOTO)
    await studio.work()
    third = await studio.upload(BERT, PHOTO)
    assert third.state is PictureState.READY
    await studio.work()
    assert sum(studio.renderer.stats.durations.counts) == 1
    assert [type(event) for event in studio.events] == [PictureReady] * 3
    stored = await studio.everything()
    await studio.pictures.delete_picture(owner_id=ANNA, picture_id=first.id)
    await studio.pictures.delete_picture(owner_id=BERT, picture_id=second.id)
    await studio.collect()
    assert await studio.everything() == stored
    await studio.pictures.delete_picture(owner_id=BERT, picture_id=third.id)
    await studio.collect()
    assert not any((await studio.everything()).values())


async def test_upload_during_the_deletion_of_the_same_bytes_keeps_its_renditions(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await studio.upload(ANNA, PHOTO)
    await studio.work()
    uploads = upload_in_between(studio, monkeypatch)
    await studio.pictures.delete_picture(owner_id=ANNA, picture_id=old.id)
    new = await uploads[0]
    await studio.work()
    assert (await studio.pictures.get_picture(owner_id=BERT, picture_id=new.id)).state is PictureState.READY
    await studio.collect()
    assert len(await studio.stored(Retention.DERIVATIVE)) == 5


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # one writer at a time needs no lock on a row
async def test_deletion_without_the_lock_on_the_original_fails(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the test above."""
    old = await studio.upload(ANNA, PHOTO)
    await studio.work()
    monkeypatch.setattr(WriteTx, "lock", WriteTx.all)
    uploads = upload_in_between(studio, monkeypatch)
    with pytest.raises(IntegrityError):
        await studio.pictures.delete_picture(owner_id=ANNA, picture_id=old.id)
    await uploads[0]


def upload_in_between(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Task[Picture]]:
    """Let Bert upload the same bytes when they were found unused, and go on as far as he can."""
    execute, uploads = WriteTx.execute, list[asyncio.Task[Picture]]()

    async def execute_late(tx: WriteTx, statement: Any, *rows: Any) -> int:
        if not uploads and str(statement).startswith(f"DELETE FROM {RenditionRow.__tablename__}"):
            uploads.append(asyncio.ensure_future(studio.upload(BERT, PHOTO)))
            await asyncio.wait(uploads, timeout=1)
        return await execute(tx, statement, *rows)

    monkeypatch.setattr(WriteTx, "execute", execute_late)
    return uploads


async def test_inspection_counts_states_and_lost_files(studio: Studio) -> None:
    nothing = PicturesReport(by_state={}, bare=0, lost_originals=0, lost_renditions=0)
    assert await studio.maintenance.inspect_pictures() == nothing
    pictures = [await studio.upload(ANNA, photograph(width_px, 200)) for width_px in (300, 310)]
    await studio.work()
    await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg")
    states = {PictureState.READY: 2, PictureState.AWAITED: 1}
    assert await studio.maintenance.inspect_pictures() == nothing.model_copy(update={"by_state": states})

    kept = await studio.pictures.get_picture(owner_id=ANNA, picture_id=pictures[0].id)
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
    picture, other = await studio.upload(ANNA, photograph(300, 200)), uuid7()
    assert await studio.maintenance.find_missing(picture_ids=[picture.id, other]) == {other}


async def test_abandoned_uploads_are_deleted_and_pictures_are_not(studio: Studio) -> None:
    kept = await studio.upload(ANNA, photograph(300, 200))
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/png")
    with pytest.raises(Invalid):
        await studio.upload(ANNA, b"no picture")
    await studio.work()
    drop = studio.module.handlers[DropLeftovers]
    await drop(DropLeftovers())
    await studio.pictures.get_picture(owner_id=ANNA, picture_id=offer.picture.id)
    studio.db.clock_shift = timedelta(days=8)
    await drop(DropLeftovers())
    await studio.pictures.get_picture(owner_id=ANNA, picture_id=kept.id)
    with pytest.raises(PictureNotFound):
        await studio.pictures.get_picture(owner_id=ANNA, picture_id=offer.picture.id)
