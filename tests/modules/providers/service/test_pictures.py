"""Portraits and galleries: the pictures that an owner chooses, and those that the public sees."""

from uuid import UUID

import pytest

from fairground.contracts.media import (
    PictureNotFound,
    PictureState,
    avatar_url,
)
from fairground.contracts.providers import (
    GALLERY_MAX,
    GalleryChanged,
    GalleryFull,
    PictureNotUsable,
    ProviderNotFound,
)
from fairground.kernel.ids import uuid7
from fairground.modules.providers.service.pictures import GalleryService, PortraitService
from fairground.modules.providers.store.pictures import AvatarSource
from tests.doubles.media import FakePictures
from tests.support.providers import Desk, owner_of
from tests.support.wall import Wall


async def test_avatar_of_a_draft_is_its_portrait_or_not_found(
    desk: Desk, portraits: PortraitService, album: FakePictures
) -> None:
    draft, approved = await desk.draft(), await desk.approved()
    assert draft.owner_id is not None
    assert await portraits.get_avatar_source(provider_id=approved.id) == AvatarSource(
        name=approved.business_name, picture_id=None, url=None
    )
    for unknown in (draft.id, uuid7()):
        with pytest.raises(ProviderNotFound):
            await portraits.get_avatar_source(provider_id=unknown)
    picture = album.add(draft.owner_id, PictureState.READY)
    await portraits.choose_portrait(owner_id=draft.owner_id, provider_id=draft.id, picture_id=picture.id)
    assert (await portraits.get_avatar_source(provider_id=draft.id)).picture_id == picture.id


async def test_portrait_refuses_pictures_and_profiles_of_others(
    desk: Desk, portraits: PortraitService, album: FakePictures
) -> None:
    provider = await desk.approved()
    assert provider.owner_id is not None
    mine, other = album.add(provider.owner_id, PictureState.READY), uuid7()
    theirs = album.add(other, PictureState.READY)
    with pytest.raises(PictureNotFound):
        await portraits.choose_portrait(owner_id=provider.owner_id, provider_id=provider.id, picture_id=theirs.id)
    with pytest.raises(ProviderNotFound):
        await portraits.choose_portrait(owner_id=other, provider_id=provider.id, picture_id=theirs.id)
    for state in (PictureState.AWAITED, PictureState.REFUSED):
        unusable = album.add(provider.owner_id, state)
        with pytest.raises(PictureNotUsable):
            await portraits.choose_portrait(owner_id=provider.owner_id, provider_id=provider.id, picture_id=unusable.id)
    await portraits.choose_portrait(owner_id=provider.owner_id, provider_id=provider.id, picture_id=mine.id)


async def test_owner_sees_the_chosen_portrait_before_it_is_ready_and_removes_it(
    desk: Desk, portraits: PortraitService, album: FakePictures
) -> None:
    provider = await desk.approved()
    assert provider.owner_id is not None

    async def shown() -> str | None:
        return (await desk.catalog.get_provider(id_or_slug=provider.slug)).profile_picture_url

    mine = {"owner_id": provider.owner_id, "provider_id": provider.id}
    assert await portraits.find_portrait(owner_id=provider.owner_id) is None
    ready, coming = (
        album.add(provider.owner_id, PictureState.READY),
        album.add(provider.owner_id, PictureState.PROCESSING),
    )
    await portraits.choose_portrait(**mine, picture_id=ready.id)
    await portraits.choose_portrait(**mine, picture_id=coming.id)
    assert await portraits.find_portrait(owner_id=provider.owner_id) == coming
    assert ready.url is not None
    assert await shown() == avatar_url(provider.id, picture_url=ready.url)

    with pytest.raises(ProviderNotFound):
        await portraits.remove_portrait(owner_id=uuid7(), provider_id=provider.id)
    for _ in range(2):
        await portraits.remove_portrait(**mine)
        assert await portraits.find_portrait(owner_id=provider.owner_id) is None
        assert await shown() is None


async def test_gallery_keeps_the_order_of_additions_until_its_owner_sets_another(wall: Wall) -> None:
    first, second, third = pictures = [wall.bring() for _ in range(3)]
    for picture in pictures:
        added = await wall.add(picture)
        assert (added.id, added.state, added.url) == (picture.id, PictureState.READY, picture.url)
    assert await wall.shown() == [first.id, second.id, third.id] == list(await wall.own())
    for order in ([third, first, second], [second, first, third], [second, first, third]):
        ids = [picture.id for picture in order]
        assert await wall.order(order) == ids == await wall.shown()
    await wall.remove(first.id)
    await wall.remove(first.id)
    assert await wall.shown() == [second.id, third.id]
    await wall.add(first)
    assert await wall.shown() == [second.id, third.id, first.id]


async def test_chosen_pictures_are_listed_once_in_the_order_of_their_ids(
    wall: Wall, portraits: PortraitService
) -> None:
    shown = sorted(wall.bring().id for _ in range(3))
    for picture_id in shown[1:]:
        await wall.add(wall.album.pictures[picture_id][1])
    for picture_id in shown[:2]:
        await portraits.choose_portrait(
            owner_id=owner_of(wall.provider), provider_id=wall.provider.id, picture_id=picture_id
        )
    assert await wall.galleries.list_chosen(after=UUID(int=0)) == shown[1:]
    assert await wall.galleries.list_chosen(after=shown[1]) == shown[2:]
    assert await wall.galleries.list_chosen(after=shown[2]) == []


async def test_public_gallery_has_all_fields_of_a_picture(wall: Wall) -> None:
    picture = wall.bring()
    await wall.add(picture)
    [shown] = await wall.galleries.list_gallery(id_or_slug=wall.provider.slug)
    assert shown.model_dump() == picture.model_dump(include=set(type(shown).model_fields))


async def test_picture_of_the_gallery_is_not_added_again(wall: Wall) -> None:
    first, second = wall.bring(), wall.bring()
    for picture in (first, second, first):
        await wall.add(picture)
    assert await wall.shown() == [first.id, second.id]


async def test_full_gallery_refuses_another_picture(wall: Wall) -> None:
    pictures = [wall.bring() for _ in range(GALLERY_MAX)]
    for picture in pictures:
        await wall.add(picture)
    with pytest.raises(GalleryFull):
        await wall.add(wall.bring())
    assert (await wall.add(pictures[0])).id == pictures[0].id
    await wall.remove(pictures[0].id)
    await wall.add(wall.bring())
    assert len(await wall.shown()) == GALLERY_MAX


async def test_order_that_does_not_name_each_picture_once_is_refused(wall: Wall) -> None:
    first, second = pictures = [wall.bring(), wall.bring()]
    for picture in pictures:
        await wall.add(picture)
    for order in ([first], [first, first], [first, second, second], [first, second, wall.bring()], []):
        with pytest.raises(GalleryChanged):
            await wall.order(order)
    assert await wall.shown() == [first.id, second.id]


async def test_gallery_refuses_pictures_and_profiles_of_others(wall: Wall, desk: Desk) -> None:
    theirs = await desk.approved()
    other = wall.album.add(owner_of(theirs), PictureState.READY)
    with pytest.raises(PictureNotFound):
        await wall.add(other)
    elsewhere = {"owner_id": owner_of(theirs), "provider_id": wall.provider.id}
    with pytest.raises(ProviderNotFound):
        await wall.galleries.add_to_gallery(**elsewhere, picture_id=other.id)
    with pytest.raises(ProviderNotFound):
        await wall.galleries.remove_from_gallery(**elsewhere, picture_id=other.id)
    with pytest.raises(ProviderNotFound):
        await wall.galleries.order_gallery(**elsewhere, picture_ids=[])
    for state in (PictureState.AWAITED, PictureState.REFUSED):
        with pytest.raises(PictureNotUsable):
            await wall.add(wall.bring(state))
    assert await wall.own() == {}


async def test_gallery_of_an_unapproved_provider_is_not_public(
    desk: Desk, galleries: GalleryService, album: FakePictures
) -> None:
    wall = Wall(galleries, album, await desk.submitted())
    await wall.add(wall.bring())
    for name in (str(wall.provider.id), wall.provider.slug, str(uuid7()), "unknown", "\x00"):
        with pytest.raises(ProviderNotFound):
            await galleries.list_gallery(id_or_slug=name)
    with pytest.raises(ProviderNotFound):
        await galleries.list_own_gallery(owner_id=uuid7())
    await desk.catalog.approve_provider(staff_id=desk.staff_id, provider_id=wall.provider.id)
    assert len(await wall.shown()) == 1
