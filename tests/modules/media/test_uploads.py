"""Uploads: forms, completion, limits, and pictures of other modules."""

import asyncio
from typing import Any, Final

import pytest

from fairground.contracts.media import (
    AltInvalid,
    PictureNotFound,
    PictureRefused,
    PictureState,
    TooManyOpenUploads,
    TooManyUploads,
)
from fairground.kernel.ids import uuid7
from fairground.platform.images.refusals import PictureTypeMismatch, PictureTypeRefused
from fairground.platform.storage.signed_urls import UploadMissing, UploadTooLarge
from tests.support.pictures import photograph
from tests.support.studio import UPLOAD_MAX_BYTES, Studio, open_studio

PHOTO: Final = photograph(600, 900, orientation=6)
ANNA, BERT = uuid7(), uuid7()


@pytest.mark.parametrize("alt", ["x" * 501, "a\x00b", "a\ud800"])
async def test_invalid_text_is_refused(studio: Studio, alt: str) -> None:
    with pytest.raises(AltInvalid):
        await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg", alt=alt)


async def test_upload_of_another_type_is_refused(studio: Studio) -> None:
    for content_type in ("image/gif", "image/svg+xml", "text/html", "../x"):
        with pytest.raises(PictureTypeRefused):
            await studio.pictures.offer_upload(owner_id=ANNA, content_type=content_type)


async def test_completing_again_returns_the_picture_as_it_is(studio: Studio) -> None:
    picture = await studio.upload(ANNA, PHOTO)
    again = await studio.pictures.complete_upload(owner_id=ANNA, picture_id=picture.id)
    assert again == picture
    await studio.work()
    ready = await studio.pictures.complete_upload(owner_id=ANNA, picture_id=picture.id)
    assert ready.state is PictureState.READY


async def test_concurrent_completions_make_one_picture(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg")
    await studio.store.put(offer.form.fields["key"], PHOTO)
    calls = (studio.pictures.complete_upload(owner_id=ANNA, picture_id=offer.picture.id) for _ in range(8))
    assert {picture.state for picture in await asyncio.gather(*calls)} == {PictureState.PROCESSING}
    await studio.work()
    assert len(studio.events) == 1
    assert sum(studio.renderer.stats.durations.counts) == 1


async def test_upload_can_be_completed_after_a_missing_file_has_come(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg")
    with pytest.raises(UploadMissing):
        await studio.pictures.complete_upload(owner_id=ANNA, picture_id=offer.picture.id)
    await studio.store.put(offer.form.fields["key"], PHOTO)
    picture = await studio.pictures.complete_upload(owner_id=ANNA, picture_id=offer.picture.id)
    assert picture.state is PictureState.PROCESSING


async def test_refusal_is_kept_and_emitted_and_leaves_no_file(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/png")
    await studio.store.put(offer.form.fields["key"], PHOTO)
    with pytest.raises(PictureTypeMismatch) as refusal:
        await studio.pictures.complete_upload(owner_id=ANNA, picture_id=offer.picture.id)
    again = await studio.pictures.complete_upload(owner_id=ANNA, picture_id=offer.picture.id)
    assert again.state is PictureState.REFUSED
    assert again.refusal is not None
    assert (again.refusal.code, again.refusal.hint) == ("images.type_mismatch", refusal.value.hint)
    assert not any((await studio.everything()).values())
    await studio.work()
    assert studio.events == [PictureRefused(picture_id=again.id, owner_id=ANNA, code="images.type_mismatch")]


async def test_file_above_the_size_limit_in_the_store_is_refused(studio: Studio) -> None:
    with pytest.raises(UploadTooLarge):
        await studio.upload(ANNA, bytes(UPLOAD_MAX_BYTES + 1))
    assert not any((await studio.everything()).values())


async def test_adding_a_picture_twice_makes_one(studio: Studio) -> None:
    added: dict[str, Any] = {"picture_id": uuid7(), "owner_id": ANNA, "content": PHOTO, "alt": "A pianist"}
    first = await studio.pictures.add_picture(**added)
    assert (first.id, first.state, first.alt) == (added["picture_id"], PictureState.PROCESSING, "A pianist")
    await studio.work()
    again = await studio.pictures.add_picture(**added)
    assert again.state is PictureState.READY
    with pytest.raises(PictureNotFound):
        await studio.pictures.add_picture(**{**added, "owner_id": BERT})
    with pytest.raises(PictureTypeRefused):
        await studio.pictures.add_picture(**{**added, "picture_id": uuid7(), "content": b"<svg/>"})
    assert len(studio.events) == 1


async def test_uploads_are_limited_by_number_and_rate(
    migrated_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRGROUND_MEDIA_OPEN_UPLOADS", "2")
    monkeypatch.setenv("FAIRGROUND_MEDIA_UPLOADS_PER_HOUR", "4")
    async with open_studio(migrated_url, tmp_path) as studio:
        offers = [await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/png") for _ in range(2)]
        with pytest.raises(TooManyOpenUploads):
            await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/png")
        await studio.pictures.delete_picture(owner_id=ANNA, picture_id=offers[0].picture.id)
        await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/png")
        with pytest.raises(TooManyUploads) as refusal:
            await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/png")
        assert 0 < refusal.value.retry_after_seconds <= 900
        await studio.pictures.offer_upload(owner_id=BERT, content_type="image/png")
