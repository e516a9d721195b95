"""The desk's page of pictures, as a browser without script uses it; and what it answers to script."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import func, select

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.media import Pictures
from fairground.contracts.providers import GALLERY_MAX, Galleries, Providers
from fairground.modules.media.tables import OriginalRow
from tests.support.browsing import Reader
from tests.support.marketplace import Market, describe, open_market
from tests.support.pictures import photograph

PAGE = "/pro/pictures"
ONE_DATABASE = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
async def market(migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Market]:
    monkeypatch.setenv("FAIRGROUND_IMAGES_UPLOAD_MEBIBYTES", "1")
    async with open_market(migrated_url, folder=tmp_path / "var") as market:
        yield market


@pytest.fixture
async def maya(market: Market) -> Reader:
    maya = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    await describe(maya, name="Maya & the Tides")
    return await maya.open(PAGE)


async def add(maya: Reader, alt: str, *, width_px: int = 60) -> None:
    await maya.send_file("Add to gallery", photograph(width_px, 40), alt=alt)
    assert "Picture uploaded." in maya.text


async def until_ready(maya: Reader) -> None:
    with anyio.fail_after(30):
        while "Processing" in (await maya.open(PAGE)).text:
            await anyio.sleep(0.05)


def gallery(maya: Reader) -> list[str]:
    """Return the words of the pictures, in their order."""
    return re.findall(r'name="alt" value="([^"]+)"', maya.answer.text)


def focus(maya: Reader) -> str:
    [field] = re.findall(r'id="([^"]+)"[^>]* autofocus', maya.answer.text)
    return str(field)


async def test_pictures_are_brought_described_ordered_and_removed(maya: Reader) -> None:
    assert 'data-sending="{percent}% uploaded"' in maya.answer.text
    await maya.send_file("Set as portrait", photograph(64, 64))
    assert "Portrait updated." in maya.text
    for number, alt in enumerate(("On stage", "At home", "With friends")):
        await add(maya, alt, width_px=60 + number)
    await until_ready(maya)
    assert gallery(maya) == ["On stage", "At home", "With friends"]
    assert len(re.findall("<img", maya.answer.text.partition("<h1>")[2])) == 4

    await maya.send("Move later: At home")
    assert gallery(maya) == ["On stage", "With friends", "At home"]
    assert focus(maya).startswith("earlier-"), "there is no place later"
    await maya.send("Move earlier: At home")
    assert gallery(maya) == ["On stage", "At home", "With friends"]
    assert focus(maya).startswith("earlier-")
    await maya.send("Save description of At home", alt="In the kitchen")
    assert gallery(maya) == ["On stage", "In the kitchen", "With friends"]

    await maya.send("Use as portrait: On stage")
    assert "Portrait" in maya.answer.text.partition('class="badge ok"')[2][:200]
    await maya.send("Remove it")  # the portrait, which is the first picture of the page
    assert "Your initials" not in maya.text
    assert len(gallery(maya)) == 3, "what is no portrait any more is still in the gallery"
    await maya.send("Remove it")
    assert gallery(maya) == ["In the kitchen", "With friends"]
    await maya.open("/pro/preview")
    shown = re.findall(r'<img[^>]* alt="Maya &amp; the Tides: ([^"]+)"', maya.answer.text)
    assert shown == ["In the kitchen", "With friends"]


@ONE_DATABASE
async def test_a_mistake_is_explained_beside_its_field(maya: Reader) -> None:
    mistakes = {
        b"": "Choose a picture first.",
        b"%PDF-1.7 my programme": "The file is a PDF. Use JPEG, PNG, WebP or AVIF",
        photograph(80, 80)[:400]: "Save a copy as JPEG on your device",
        b"x" * (3 << 20): "The file is larger than 1 MB.",
    }
    for form in ("Set as portrait", "Add to gallery"):
        for content, words in mistakes.items():
            await maya.send_file(form, content)
            assert maya.status == 422
            assert maya.text.count(words) == 2, "above, and beside the field"
    assert gallery(await maya.open(PAGE)) == []

    await add(maya, "On stage")
    await maya.send("Save description of On stage", alt="long " * 120)
    assert (maya.status, gallery(maya)) == (422, ["long " * 120])
    assert "Use at most 500 characters." in maya.text


@ONE_DATABASE
async def test_a_picture_is_changed_by_its_owner_alone(market: Market, maya: Reader) -> None:
    await add(maya, "On stage")
    [action] = re.findall(r'action="(/pro/pictures/[0-9a-f-]{36})/alt"', maya.answer.text)
    thief = await market.user("bert@example.org", role=Role.PROVIDER, name="Bert")
    await describe(thief, name="Bert")
    for what in ("portrait", "alt", "move"):
        await thief.post(f"{action}/{what}", alt="Mine", by="1")
        assert thief.status in {404, 422}, what
    await thief.post(f"{action}/remove")
    await thief.open(f"{PAGE}?brought={action.rpartition('/')[2]}")
    assert "On stage" not in thief.text
    assert gallery(await maya.open(PAGE)) == ["On stage"]


@ONE_DATABASE
async def test_a_full_gallery_takes_nothing_and_keeps_nothing(market: Market, maya: Reader) -> None:
    galleries, pictures = market.program.links.of(Galleries), market.program.links.of(Pictures)
    [user] = await market.program.links.of(Accounts).list_users(role=Role.PROVIDER, limit=2)
    own = await market.program.links.of(Providers).get_own_provider(owner_id=user.id)
    for _ in range(GALLERY_MAX):
        offer = await pictures.offer_upload(owner_id=user.id, content_type="image/jpeg")
        await market.program.runtime.files.put(offer.form.fields["key"], photograph(60, 40))
        await pictures.complete_upload(owner_id=user.id, picture_id=offer.picture.id)
        await galleries.add_to_gallery(owner_id=user.id, provider_id=own.id, picture_id=offer.picture.id)
    await maya.send_file("Add to gallery", photograph(61, 40), alt="One more")
    assert maya.status == 422
    assert "Your gallery is full. Remove a picture to add" in maya.text
    assert "Add to gallery" not in maya.text
    async with market.program.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(OriginalRow)) == 1


@ONE_DATABASE
async def test_script_is_given_the_part_that_is_new_or_why_not(market: Market, maya: Reader) -> None:
    [user] = await market.program.links.of(Accounts).list_users(role=Role.PROVIDER, limit=2)
    offer = await market.program.links.of(Pictures).offer_upload(owner_id=user.id, content_type="image/jpeg")
    part = f"/_f{PAGE}/{offer.picture.id}"
    await maya.post(f"{part}/gallery")
    assert (maya.status, maya.text) == (409, "The upload failed. Try again.")
    await market.program.runtime.files.put(offer.form.fields["key"], photograph(60, 40))
    await maya.post(f"{part}/gallery")
    assert maya.answer.text.startswith("<li")
    assert "hx-trigger" in maya.answer.text
    with anyio.fail_after(30):
        while "hx-trigger" in (await maya.open(f"{part}/gallery?looks=9")).answer.text:
            await anyio.sleep(0.05)
    assert "<img" in maya.answer.text
    await maya.post(f"{part}/portrait")
    assert 'id="portrait"' in maya.answer.text
