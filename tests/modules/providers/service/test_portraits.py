"""The picture of a provider: its owner's, shown once it is ready, and gone when it is removed."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from fairground.contracts.media import PictureDeleted, PictureNotFound, PictureRefused, PictureState, avatar_url
from fairground.contracts.providers import PictureNotUsable, ProviderNotFound
from fairground.kernel.ids import uuid7
from fairground.modules.providers.service.event_handlers import PictureEventHandlers
from fairground.modules.providers.service.pictures import PortraitService
from fairground.modules.providers.store.pictures import AvatarSource
from tests.doubles.media import FakePictures
from tests.support.directory import Directory
from tests.support.providers import Desk

Follow = Callable[[], Awaitable[None]]


@pytest.fixture
def shown(catalog: Directory) -> "Shown":
    return Shown(catalog)


class Shown:
    def __init__(self, catalog: Directory) -> None:
        self._catalog = catalog

    async def of(self, slug: str) -> str | None:
        return (await self._catalog.get_provider(id_or_slug=slug)).profile_picture_url


def square(provider_id: UUID, url: str | None) -> str:
    assert url is not None
    return avatar_url(provider_id, picture_url=url)


async def face(portraits: PortraitService, provider_id: UUID) -> UUID | None:
    return (await portraits.get_avatar_source(provider_id=provider_id)).picture_id


async def test_a_picture_that_is_ready_shows_at_once(
    desk: Desk, portraits: PortraitService, follower: PictureEventHandlers, album: FakePictures, shown: Shown
) -> None:
    provider = await desk.approved()
    assert provider.owner_id is not None
    picture = album.add(provider.owner_id, PictureState.READY)
    own = await portraits.choose_portrait(owner_id=provider.owner_id, provider_id=provider.id, picture_id=picture.id)
    assert own.profile_picture_url == square(provider.id, picture.url) == await shown.of(provider.slug)
    assert await face(portraits, provider.id) == picture.id
    await follower.on_deleted(PictureDeleted(picture_id=picture.id, owner_id=provider.owner_id))
    assert await shown.of(provider.slug) is None
    assert await face(portraits, provider.id) is None


async def test_another_picture_shows_when_media_says_that_it_is_ready(
    desk: Desk, portraits: PortraitService, follower: PictureEventHandlers, album: FakePictures, shown: Shown
) -> None:
    provider = await desk.approved()
    assert provider.owner_id is not None
    chosen = {"owner_id": provider.owner_id, "provider_id": provider.id}
    old, new = album.add(provider.owner_id, PictureState.READY), album.add(provider.owner_id, PictureState.PROCESSING)
    await portraits.choose_portrait(**chosen, picture_id=old.id)
    await portraits.choose_portrait(**chosen, picture_id=new.id)
    assert await shown.of(provider.slug) == square(provider.id, old.url)
    assert await face(portraits, provider.id) == old.id
    await follower.on_deleted(PictureDeleted(picture_id=old.id, owner_id=provider.owner_id))
    assert await shown.of(provider.slug) is None
    assert await face(portraits, provider.id) is None
    told = album.make_ready(new)
    for _ in range(2):
        await follower.on_ready(told)
        assert await shown.of(provider.slug) == square(provider.id, told.url)
    await follower.on_ready(album.make_ready(old))
    assert await shown.of(provider.slug) == square(provider.id, told.url)
    assert await face(portraits, provider.id) == new.id


@pytest.mark.parametrize("before", [PictureState.PROCESSING, PictureState.READY])
async def test_what_happened_to_a_picture_while_it_was_chosen_is_not_missed(
    desk: Desk, portraits: PortraitService, album: FakePictures, shown: Shown, follow: Follow, *, before: PictureState
) -> None:
    provider = await desk.approved()
    assert provider.owner_id is not None
    picture = album.add(provider.owner_id, before)
    await portraits.choose_portrait(owner_id=provider.owner_id, provider_id=provider.id, picture_id=picture.id)
    expected = None
    if before is PictureState.PROCESSING:
        await follow()
        assert await shown.of(provider.slug) is None
        expected = square(provider.id, album.make_ready(picture).url)
    else:
        album.pictures.clear()
    for _ in range(2):
        await follow()
        assert await shown.of(provider.slug) == expected


@pytest.mark.parametrize("ends", ["refused", "deleted"])
async def test_a_picture_that_never_becomes_ready_leaves_the_old_one(
    desk: Desk,
    portraits: PortraitService,
    follower: PictureEventHandlers,
    album: FakePictures,
    shown: Shown,
    *,
    ends: str,
) -> None:
    provider = await desk.approved()
    assert provider.owner_id is not None
    owner_id = provider.owner_id
    old, new = album.add(owner_id, PictureState.READY), album.add(owner_id, PictureState.PROCESSING)
    for picture in (old, new):
        await portraits.choose_portrait(owner_id=owner_id, provider_id=provider.id, picture_id=picture.id)
    if ends == "refused":
        await follower.on_refused(PictureRefused(picture_id=new.id, owner_id=owner_id, code="images.broken"))
    else:
        await follower.on_deleted(PictureDeleted(picture_id=new.id, owner_id=owner_id))
    assert await shown.of(provider.slug) == square(provider.id, old.url)
    # It is the chosen one again, so that it goes when it is removed.
    await follower.on_deleted(PictureDeleted(picture_id=old.id, owner_id=owner_id))
    assert await shown.of(provider.slug) is None


async def test_a_picture_that_is_set_takes_the_place_of_a_portrait(
    desk: Desk,
    catalog: Directory,
    portraits: PortraitService,
    follower: PictureEventHandlers,
    *,
    album: FakePictures,
    shown: Shown,
) -> None:
    provider = await desk.approved()
    assert provider.owner_id is not None
    picture = album.add(provider.owner_id, PictureState.READY)
    await portraits.choose_portrait(owner_id=provider.owner_id, provider_id=provider.id, picture_id=picture.id)
    await catalog.set_picture(provider_id=provider.id, url="/pictures/1.svg")
    assert await face(portraits, provider.id) is None
    await follower.on_deleted(PictureDeleted(picture_id=picture.id, owner_id=provider.owner_id))
    assert await shown.of(provider.slug) == "/pictures/1.svg"


async def test_before_the_approval_only_a_picture_can_be_seen(
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
    assert await face(portraits, draft.id) == picture.id


async def test_only_pictures_and_profiles_of_ones_own_can_be_put_together(
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


async def test_its_owner_sees_the_choice_before_it_is_ready_and_takes_it_back(
    desk: Desk, portraits: PortraitService, album: FakePictures, shown: Shown
) -> None:
    provider = await desk.approved()
    assert provider.owner_id is not None
    mine = {"owner_id": provider.owner_id, "provider_id": provider.id}
    assert await portraits.find_portrait(owner_id=provider.owner_id) is None
    ready, coming = (
        album.add(provider.owner_id, PictureState.READY),
        album.add(provider.owner_id, PictureState.PROCESSING),
    )
    await portraits.choose_portrait(**mine, picture_id=ready.id)
    await portraits.choose_portrait(**mine, picture_id=coming.id)
    assert await portraits.find_portrait(owner_id=provider.owner_id) == coming
    assert await shown.of(provider.slug) == square(provider.id, ready.url)

    with pytest.raises(ProviderNotFound):
        await portraits.remove_portrait(owner_id=uuid7(), provider_id=provider.id)
    for _ in range(2):
        await portraits.remove_portrait(**mine)
        assert await portraits.find_portrait(owner_id=provider.owner_id) is None
        assert await shown.of(provider.slug) is None
