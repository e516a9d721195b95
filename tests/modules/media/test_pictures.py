"""From a form to sizes: judged once, kept once, made once, and gone with the last who needs it."""

import asyncio
import zlib
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy.exc import IntegrityError

from fairground.contracts.media import (
    AltInvalid,
    Picture,
    PictureDescribed,
    PictureNotFound,
    PictureReady,
    PictureRefused,
    PictureState,
    Placements,
    TooManyOpenUploads,
    TooManyUploads,
)
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.modules.media.service.jobs import DropLeftovers
from fairground.modules.media.service.rendering import Rendering
from fairground.modules.media.service.variants import Variant, Variants
from fairground.modules.media.store import Rendition, add_rendition
from fairground.modules.media.tables import RenditionRow
from fairground.platform.db.database import WriteTx
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.refusals import PictureTypeMismatch, PictureTypeRefused, RendererBusy
from fairground.platform.links import Links
from fairground.platform.storage.keys import Retention, content_key
from fairground.platform.storage.upload_forms import UploadMissing, UploadTooLarge
from tests.support.hostile_pictures import png, png_chunk
from tests.support.pictures import is_upright, list_traces, opened, photograph
from tests.support.studio import UPLOAD_MAX_BYTES, Studio, open_studio

PHOTO: Final = photograph(600, 900, orientation=6)
# Sound from outside: only a decoder notices.
BROKEN: Final = png(10, 10, png_chunk(b"IDAT", zlib.compress(b"much too short")), png_chunk(b"IEND", b""))
ANNA, BERT = uuid7(), uuid7()


async def test_a_photo_becomes_sizes_that_hold_nothing_but_pixels(studio: Studio) -> None:
    picture = await studio.bring(ANNA, PHOTO)
    assert (picture.state, picture.width_px) == (PictureState.PROCESSING, None)
    await studio.work()
    picture = await studio.pictures.get_picture(owner_id=ANNA, picture_id=picture.id)
    assert (picture.state, picture.width_px, picture.height_px) == (PictureState.READY, 600, 900)
    assert picture.placeholder is not None
    assert picture.placeholder.startswith("data:image/webp;base64,")
    assert picture.colour is not None
    told = {
        "width_px": 600,
        "height_px": 900,
        "colour": picture.colour,
        "placeholder": picture.placeholder,
        "url": picture.url,
    }
    assert studio.told == [PictureReady(picture_id=picture.id, owner_id=ANNA, **told)]  # type: ignore[arg-type]
    stored = await studio.everything()
    assert (len(stored["original"]), len(stored["upload"])) == (1, 0)
    made = [await studio.read(key) for key in stored["derivative"]]
    # 400 and 600 pixels wide, in two formats each, and the square.
    assert sorted(opened(each).width for each in made) == [400, 400, 600, 600, 1024]
    assert [list_traces(each) for each in made] == [[]] * 5
    assert all(is_upright(opened(each)) for each in made if opened(each).width != 1024)


async def test_completing_again_returns_what_is(studio: Studio) -> None:
    picture = await studio.bring(ANNA, PHOTO)
    again = await studio.pictures.complete_upload(owner_id=ANNA, picture_id=picture.id)
    assert again == picture
    await studio.work()
    ready = await studio.pictures.complete_upload(owner_id=ANNA, picture_id=picture.id)
    assert ready.state is PictureState.READY


async def test_a_rush_to_complete_makes_one_picture(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg")
    await studio.store.put(offer.form.fields["key"], PHOTO)
    calls = (studio.pictures.complete_upload(owner_id=ANNA, picture_id=offer.picture.id) for _ in range(8))
    assert {picture.state for picture in await asyncio.gather(*calls)} == {PictureState.PROCESSING}
    await studio.work()
    assert len(studio.told) == 1
    assert sum(studio.renderer.stats.durations.counts) == 1


async def test_what_another_module_brings_twice_is_one_picture(studio: Studio) -> None:
    brought: dict[str, Any] = {"picture_id": uuid7(), "owner_id": ANNA, "content": PHOTO, "alt": "A pianist"}
    first = await studio.pictures.bring_picture(**brought)
    assert (first.id, first.state, first.alt) == (brought["picture_id"], PictureState.PROCESSING, "A pianist")
    await studio.work()
    again = await studio.pictures.bring_picture(**brought)
    assert again.state is PictureState.READY
    with pytest.raises(PictureNotFound):
        await studio.pictures.bring_picture(**{**brought, "owner_id": BERT})
    with pytest.raises(PictureTypeRefused):
        await studio.pictures.bring_picture(**{**brought, "picture_id": uuid7(), "content": b"<svg/>"})
    assert len(studio.told) == 1


async def test_equal_bytes_are_kept_and_made_once_and_go_with_the_last(studio: Studio) -> None:
    first, second = await studio.bring(ANNA, PHOTO), await studio.bring(BERT, PHOTO)
    await studio.work()
    third = await studio.bring(BERT, PHOTO)
    assert third.state is PictureState.READY
    await studio.work()
    assert sum(studio.renderer.stats.durations.counts) == 1
    assert [type(event) for event in studio.told] == [PictureReady] * 3
    stored = await studio.everything()
    await studio.pictures.delete_picture(owner_id=ANNA, picture_id=first.id)
    await studio.pictures.delete_picture(owner_id=BERT, picture_id=second.id)
    await studio.collect()
    assert await studio.everything() == stored
    await studio.pictures.delete_picture(owner_id=BERT, picture_id=third.id)
    await studio.collect()
    assert not any((await studio.everything()).values())


async def test_whoever_brings_what_another_removes_has_it_whole(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await studio.bring(ANNA, PHOTO)
    await studio.work()
    brings = bring_in_between(studio, monkeypatch)
    await studio.pictures.delete_picture(owner_id=ANNA, picture_id=old.id)
    new = await brings[0]
    await studio.work()
    assert (await studio.pictures.get_picture(owner_id=BERT, picture_id=new.id)).state is PictureState.READY
    await studio.collect()
    assert len(await studio.stored(Retention.DERIVATIVE)) == 5


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # one writer at a time needs no lock on a row
async def test_without_the_lock_on_an_original_who_removes_it_fails(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""
    old = await studio.bring(ANNA, PHOTO)
    await studio.work()
    monkeypatch.setattr(WriteTx, "lock", WriteTx.all)
    brings = bring_in_between(studio, monkeypatch)
    with pytest.raises(IntegrityError):
        await studio.pictures.delete_picture(owner_id=ANNA, picture_id=old.id)
    await brings[0]


def bring_in_between(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Task[Picture]]:
    """Let Bert bring the same bytes once they were found to be nobody's, and come as far as he can."""
    execute, brings = WriteTx.execute, list[asyncio.Task[Picture]]()

    async def execute_late(tx: WriteTx, statement: Any, *rows: Any) -> int:
        if not brings and str(statement).startswith(f"DELETE FROM {RenditionRow.__tablename__}"):
            brings.append(asyncio.ensure_future(studio.bring(BERT, PHOTO)))
            await asyncio.wait(brings, timeout=1)
        return await execute(tx, statement, *rows)

    monkeypatch.setattr(WriteTx, "execute", execute_late)
    return brings


async def test_a_refusal_is_told_kept_and_leaves_no_file(studio: Studio) -> None:
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
    assert studio.told == [PictureRefused(picture_id=again.id, owner_id=ANNA, code="images.type_mismatch")]


async def test_what_only_a_decoder_notices_is_refused_by_the_job(studio: Studio) -> None:
    picture = await studio.bring(ANNA, BROKEN, content_type="image/png")
    assert picture.state is PictureState.PROCESSING
    await studio.work()
    picture = await studio.pictures.get_picture(owner_id=ANNA, picture_id=picture.id)
    assert picture.refusal is not None
    assert picture.refusal.code == "images.broken"
    assert [type(event) for event in studio.told] == [PictureRefused]
    await studio.collect()
    assert not any((await studio.everything()).values())


async def test_a_file_that_grew_past_its_bound_in_the_store_is_refused(studio: Studio) -> None:
    with pytest.raises(UploadTooLarge):
        await studio.bring(ANNA, bytes(UPLOAD_MAX_BYTES + 1))
    assert not any((await studio.everything()).values())


async def test_what_was_not_sent_can_still_be_sent(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg")
    with pytest.raises(UploadMissing):
        await studio.pictures.complete_upload(owner_id=ANNA, picture_id=offer.picture.id)
    await studio.store.put(offer.form.fields["key"], PHOTO)
    picture = await studio.pictures.complete_upload(owner_id=ANNA, picture_id=offer.picture.id)
    assert picture.state is PictureState.PROCESSING


async def test_a_picture_that_is_deleted_before_it_is_made_leaves_nothing(studio: Studio) -> None:
    picture = await studio.bring(ANNA, PHOTO)
    await studio.pictures.delete_picture(owner_id=ANNA, picture_id=picture.id)
    await studio.work()
    assert studio.told == []
    await studio.collect()
    assert not any((await studio.everything()).values())


async def test_strangers_learn_nothing_of_a_picture(studio: Studio) -> None:
    picture = await studio.bring(ANNA, PHOTO)
    details = set()
    for picture_id in (picture.id, uuid7()):
        for ask in (studio.pictures.get_picture, studio.pictures.complete_upload):
            with pytest.raises(PictureNotFound) as refusal:
                await ask(owner_id=BERT, picture_id=picture_id)
            details.add(refusal.value.detail)
    assert len(details) == 1
    await studio.pictures.delete_picture(owner_id=BERT, picture_id=picture.id)
    assert await studio.pictures.get_picture(owner_id=ANNA, picture_id=picture.id) == picture


async def test_a_renderer_without_room_is_asked_again(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = await studio.bring(ANNA, PHOTO)

    async def refuse(*_: Any) -> None:
        raise RendererBusy("No room.")

    with monkeypatch.context() as patched:
        patched.setattr(studio.renderer, "render", refuse)
        with pytest.raises(RendererBusy):
            await studio.work()
    studio.db.clock_shift = timedelta(minutes=1)
    await studio.work()
    assert (await studio.pictures.get_picture(owner_id=ANNA, picture_id=picture.id)).state is PictureState.READY


@pytest.mark.parametrize("alt", ["x" * 501, "a\x00b", "a\ud800"])
async def test_a_text_that_cannot_be_kept_is_refused(studio: Studio, alt: str) -> None:
    with pytest.raises(AltInvalid):
        await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg", alt=alt)


async def test_another_text_is_told_once_and_after_the_one_before(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg", alt="A stage")
    mine = {"owner_id": ANNA, "picture_id": offer.picture.id}
    for alt in ("A stage", " A piano ", "A piano", ""):
        described = await studio.pictures.describe_picture(**mine, alt=alt)
        assert described == await studio.pictures.get_picture(**mine)
        assert described.alt == alt.strip()
    await studio.work()
    told = [(each.picture_id, each.alt) for each in studio.told if isinstance(each, PictureDescribed)]
    assert sorted(told) == [(offer.picture.id, ""), (offer.picture.id, "A piano")]
    versions = {each.alt: each.alt_version for each in studio.told if isinstance(each, PictureDescribed)}
    last = await studio.pictures.get_picture(**mine)
    assert offer.picture.alt_version < versions["A piano"] < versions[""] == last.alt_version


async def test_a_text_is_its_owners_to_change(studio: Studio) -> None:
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/jpeg", alt="A stage")
    for picture_id in (offer.picture.id, uuid7()):
        with pytest.raises(PictureNotFound):
            await studio.pictures.describe_picture(owner_id=BERT, picture_id=picture_id, alt="Nonsense")
    with pytest.raises(AltInvalid):
        await studio.pictures.describe_picture(owner_id=ANNA, picture_id=offer.picture.id, alt="x" * 501)
    assert await studio.pictures.get_picture(owner_id=ANNA, picture_id=offer.picture.id) == offer.picture


async def test_other_types_get_no_form(studio: Studio) -> None:
    for content_type in ("image/gif", "image/svg+xml", "text/html", "../x"):
        with pytest.raises(PictureTypeRefused):
            await studio.pictures.offer_upload(owner_id=ANNA, content_type=content_type)


async def test_nobody_begins_without_end(migrated_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_leftovers_are_forgotten_and_pictures_are_not(studio: Studio) -> None:
    kept = await studio.bring(ANNA, PHOTO)
    offer = await studio.pictures.offer_upload(owner_id=ANNA, content_type="image/png")
    with pytest.raises(Invalid):
        await studio.bring(ANNA, b"no picture")
    await studio.work()
    drop = studio.module.handlers[DropLeftovers]
    await drop(DropLeftovers())
    await studio.pictures.get_picture(owner_id=ANNA, picture_id=offer.picture.id)
    studio.db.clock_shift = timedelta(days=8)
    await drop(DropLeftovers())
    await studio.pictures.get_picture(owner_id=ANNA, picture_id=kept.id)
    with pytest.raises(PictureNotFound):
        await studio.pictures.get_picture(owner_id=ANNA, picture_id=offer.picture.id)


async def test_what_other_libraries_made_and_the_store_has_lost_is_made_anew_once(studio: Studio) -> None:
    picture = await studio.bring(ANNA, PHOTO)
    await studio.work()
    rendering = Rendering(db=studio.db, files=studio.store, renderer=studio.renderer)
    placements = Links()  # finding a variant never asks where its picture is placed
    variants = Variants(
        db=studio.db,
        files=studio.store,
        rendering=rendering,
        cdn_url="",
        placements=lambda: placements.of(Placements),
    )

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
    shown = [await variants.read(variant, await variants.have(variant)) for variant in (await find(), await find())]
    assert opened(shown[0]).width == 96
    assert shown[1] == shown[0]
    assert sum(studio.renderer.stats.durations.counts) == 2, "one for the picture, and one for what was lost"
