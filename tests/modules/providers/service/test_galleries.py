"""The gallery of a provider: its owner's pictures in an order, shown when they are ready, gone when removed."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from fairground.contracts.media import Picture, PictureNotFound, PictureState, avatar_url
from fairground.contracts.providers import (
    GALLERY_MAX,
    GalleryChanged,
    GalleryFull,
    PictureNotUsable,
    ProviderNotFound,
)
from fairground.kernel.ids import uuid7
from fairground.modules.providers.service.event_handlers import PictureEventHandlers
from fairground.modules.providers.service.pictures import GalleryService, PortraitService
from tests.doubles.media import FakePictures
from tests.support.providers import Desk, owner_of
from tests.support.wall import Wall

Follow = Callable[[], Awaitable[None]]


async def test_pictures_stand_in_the_order_of_their_coming_until_their_owner_gives_another(wall: Wall) -> None:
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


async def test_all_that_was_chosen_is_listed_once_by_its_id(wall: Wall, portraits: PortraitService) -> None:
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


async def test_the_public_sees_all_that_a_page_needs(wall: Wall) -> None:
    picture = wall.bring()
    await wall.add(picture)
    [shown] = await wall.galleries.list_gallery(id_or_slug=wall.provider.slug)
    assert shown.model_dump() == picture.model_dump(include=set(type(shown).model_fields))


async def test_what_is_not_ready_is_seen_by_its_owner_alone(wall: Wall, follower: PictureEventHandlers) -> None:
    slow, quick = wall.bring(PictureState.PROCESSING), wall.bring()
    for picture in (slow, quick):
        await wall.add(picture)
    assert await wall.own() == {slow.id: PictureState.PROCESSING, quick.id: PictureState.READY}
    assert await wall.shown() == [quick.id]
    told = wall.album.make_ready(slow)
    for _ in range(2):
        await follower.on_ready(told)
        assert await wall.shown() == [slow.id, quick.id]
    assert set((await wall.own()).values()) == {PictureState.READY}


async def test_what_became_ready_while_it_was_added_is_not_missed(wall: Wall, follow: Follow) -> None:
    picture = wall.bring(PictureState.PROCESSING)
    await wall.add(picture)
    await follow()
    assert await wall.shown() == []
    wall.album.make_ready(picture)
    await follow()
    assert await wall.shown() == [picture.id]


async def test_what_is_removed_while_media_is_asked_does_not_come_back(
    wall: Wall, follower: PictureEventHandlers, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = wall.bring(PictureState.PROCESSING)
    await wall.add(picture)
    wall.album.make_ready(picture)
    ask = wall.album.get_picture

    async def ask_and_remove(*, owner_id: UUID, picture_id: UUID) -> Picture:
        found = await ask(owner_id=owner_id, picture_id=picture_id)
        await follower.on_deleted(wall.album.delete(picture))
        return found

    monkeypatch.setattr(wall.album, "get_picture", ask_and_remove)
    await follow()
    assert (await wall.own(), await wall.shown()) == ({}, [])


@pytest.mark.parametrize("state", [PictureState.PROCESSING, PictureState.READY])
async def test_what_was_removed_while_it_was_added_does_not_stay(
    wall: Wall, follow: Follow, state: PictureState
) -> None:
    picture = wall.bring(state)
    await wall.add(picture)
    wall.album.delete(picture)
    for _ in range(2):
        await follow()
        assert (await wall.own(), await wall.shown()) == ({}, [])


async def test_what_was_refused_while_it_was_added_does_not_stay(wall: Wall, follow: Follow) -> None:
    picture = wall.bring(PictureState.PROCESSING)
    await wall.add(picture)
    wall.album.refuse(picture)
    await follow()
    assert await wall.own() == {}


async def test_the_gallery_says_what_its_owner_said_last(wall: Wall, follower: PictureEventHandlers) -> None:
    ready, slow = pictures = [wall.bring(), wall.bring(PictureState.PROCESSING)]
    for picture in pictures:
        await wall.add(picture)
        first, last = wall.album.describe(picture, "A stage"), wall.album.describe(picture, "A stage at night")
        for told in (last, first, last):
            await follower.on_described(told)
            texts = {each.id: each.alt for each in await wall.galleries.list_own_gallery(owner_id=wall.owner_id)}
            assert texts[picture.id] == "A stage at night"
    [shown] = await wall.galleries.list_gallery(id_or_slug=wall.provider.slug)
    assert (shown.id, shown.alt) == (ready.id, "A stage at night")
    await follower.on_ready(wall.album.make_ready(slow))
    assert [each.alt for each in await wall.galleries.list_gallery(id_or_slug=wall.provider.slug)] == [shown.alt] * 2


async def test_what_was_described_while_it_was_added_says_so(wall: Wall, follow: Follow) -> None:
    picture = wall.bring()
    await wall.add(picture)
    wall.album.describe(picture, "A stage")
    await follow()
    [shown] = await wall.galleries.list_gallery(id_or_slug=wall.provider.slug)
    assert shown.alt == "A stage"


async def test_pictures_that_media_refuses_or_loses_leave_the_gallery(
    wall: Wall, follower: PictureEventHandlers
) -> None:
    kept, lost, broken = pictures = [wall.bring(), wall.bring(), wall.bring(PictureState.PROCESSING)]
    for picture in pictures:
        await wall.add(picture)
    await follower.on_deleted(wall.album.delete(lost))
    assert await wall.shown() == [kept.id]
    await follower.on_refused(wall.album.refuse(broken))
    assert list(await wall.own()) == [kept.id]


async def test_a_picture_may_be_portrait_and_in_the_gallery(
    desk: Desk, wall: Wall, portraits: PortraitService, follower: PictureEventHandlers
) -> None:
    picture = wall.bring(PictureState.PROCESSING)
    await wall.add(picture)
    await portraits.choose_portrait(owner_id=wall.owner_id, provider_id=wall.provider.id, picture_id=picture.id)

    async def portrait() -> str | None:
        return (await desk.catalog.get_provider(id_or_slug=wall.provider.slug)).profile_picture_url

    told = wall.album.make_ready(picture)
    square = avatar_url(wall.provider.id, picture_url=told.url)
    await follower.on_ready(told)
    assert (await portrait(), await wall.shown()) == (square, [picture.id])
    await wall.remove(picture.id)
    assert (await portrait(), await wall.shown()) == (square, [])
    await wall.add(wall.album.pictures[picture.id][1])
    await follower.on_deleted(wall.album.delete(picture))
    assert (await portrait(), await wall.shown()) == (None, [])


async def test_a_picture_that_is_there_is_not_added_again(wall: Wall) -> None:
    first, second = wall.bring(), wall.bring()
    for picture in (first, second, first):
        await wall.add(picture)
    assert await wall.shown() == [first.id, second.id]


async def test_a_full_gallery_takes_no_more(wall: Wall) -> None:
    pictures = [wall.bring() for _ in range(GALLERY_MAX)]
    for picture in pictures:
        await wall.add(picture)
    with pytest.raises(GalleryFull):
        await wall.add(wall.bring())
    assert (await wall.add(pictures[0])).id == pictures[0].id
    await wall.remove(pictures[0].id)
    await wall.add(wall.bring())
    assert len(await wall.shown()) == GALLERY_MAX


async def test_an_order_names_each_picture_once(wall: Wall) -> None:
    first, second = pictures = [wall.bring(), wall.bring()]
    for picture in pictures:
        await wall.add(picture)
    for order in ([first], [first, first], [first, second, second], [first, second, wall.bring()], []):
        with pytest.raises(GalleryChanged):
            await wall.order(order)
    assert await wall.shown() == [first.id, second.id]


async def test_only_pictures_and_profiles_of_ones_own_can_be_put_together(wall: Wall, desk: Desk) -> None:
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


async def test_who_is_not_approved_shows_no_gallery(desk: Desk, galleries: GalleryService, album: FakePictures) -> None:
    wall = Wall(galleries, album, await desk.submitted())
    await wall.add(wall.bring())
    for name in (str(wall.provider.id), wall.provider.slug, str(uuid7()), "nobody", "\x00"):
        with pytest.raises(ProviderNotFound):
            await galleries.list_gallery(id_or_slug=name)
    with pytest.raises(ProviderNotFound):
        await galleries.list_own_gallery(owner_id=uuid7())
    await desk.catalog.approve_provider(staff_id=desk.staff_id, provider_id=wall.provider.id)
    assert len(await wall.shown()) == 1
