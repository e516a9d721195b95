"""Figures follow the events of booking and reviews; portraits and galleries follow the events of media."""

from collections.abc import Awaitable, Callable
from itertools import permutations
from uuid import UUID

import pytest

from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted, FirstHoursSet, PastBookingsRecorded
from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.media import (
    Picture,
    PictureDeleted,
    PictureRefused,
    PictureState,
    avatar_url,
)
from fairground.contracts.providers import ProvidersChanged
from fairground.contracts.reviews import PastReviewsRecorded, ProviderRated
from fairground.kernel.ids import uuid7
from fairground.modules.providers.service.event_handlers import PictureEventHandlers
from fairground.modules.providers.service.pictures import PortraitService
from tests.doubles.media import FakePictures
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk
from tests.support.wall import Wall


def completed(provider_id: UUID, count: int) -> BookingCompleted:
    return BookingCompleted(
        booking_id=uuid7(), customer_id=uuid7(), provider_id=provider_id, provider_completed_count=count
    )


@pytest.mark.parametrize("order", [*permutations((1, 2, 3))])
async def test_late_and_double_events_leave_the_newest_figures(
    desk: Desk, catalog: Directory, order: tuple[int, ...]
) -> None:
    provider = await desk.approved()
    for version in (*order, order[0]):
        await catalog.record_completion(completed(provider.id, version))
        await catalog.record_rating(
            ProviderRated(provider_id=provider.id, rating_sum=4 * version + 1, rating_count=version)
        )
        await catalog.record_hours(
            AvailabilityRulesSet(provider_id=provider.id, has_hours=version == 3, version=version)
        )
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    assert (card.book_count, card.rating_count, card.rating) == (3, 3, 4.33)
    view = await catalog.get_provider_for_review(provider_id=provider.id)
    assert view.missing == ["has_service"]


async def test_hidden_rating_leaves_the_figures_by_its_version(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    two = ProviderRated(provider_id=provider.id, rating_sum=6, rating_count=2, version=2)
    one = ProviderRated(provider_id=provider.id, rating_sum=5, rating_count=1, version=3)
    for event in (two, one, two):
        await catalog.record_rating(event)
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    assert (card.rating_count, card.rating) == (1, 5.0)
    await catalog.record_rating(ProviderRated(provider_id=provider.id, rating_sum=0, rating_count=0, version=4))
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    assert (card.rating_count, card.rating) == (0, None)


@pytest.mark.parametrize("order", [*permutations((1, 2, 3))])
async def test_late_and_double_events_about_many_providers_leave_the_newest_figures(
    desk: Desk, catalog: Directory, outbox: RecordingOutbox, order: tuple[int, ...]
) -> None:
    one, other = await desk.approved(), await desk.approved(business_name="Other")
    draft, unknown = await desk.draft(business_name="Draft"), uuid7()
    ids = (one.id, other.id, draft.id, unknown)
    for version in (*order, order[0]):
        await catalog.record_past_bookings(PastBookingsRecorded(completed_counts=dict.fromkeys(ids, version)))
        ratings = dict.fromkeys(ids, (4 * version + 1, version))
        await catalog.record_past_reviews(PastReviewsRecorded(ratings=ratings, booking_ids={}))
        has_hours = {one.id: version == 3, other.id: version == 2, draft.id: True, unknown: True}
        await catalog.record_first_hours(FirstHoursSet(has_hours=has_hours, version=version))
    cards = (await catalog.search_providers(query=ProviderQuery())).data
    assert [(card.book_count, card.rating_count, card.rating) for card in cards] == [(3, 3, 4.33)] * 2
    missing = [(await catalog.get_provider_for_review(provider_id=each)).missing for each in (one.id, other.id)]
    assert missing == [["has_service"], ["has_service", "has_hours"]]
    changed = [event.versions.keys() for event in outbox.events if isinstance(event, ProvidersChanged)]
    assert draft.id not in {each for versions in changed for each in versions}


async def test_event_about_an_unknown_provider_changes_nothing(catalog: Directory) -> None:
    await catalog.record_completion(completed(uuid7(), 1))
    assert (await catalog.search_providers(query=ProviderQuery())).total == 0


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


async def test_ready_portrait_shows_at_once(
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


async def test_new_portrait_shows_once_it_is_ready(
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
    ready = album.make_ready(new)
    for _ in range(2):
        await follower.on_ready(ready)
        assert await shown.of(provider.slug) == square(provider.id, ready.url)
    await follower.on_ready(album.make_ready(old))
    assert await shown.of(provider.slug) == square(provider.id, ready.url)
    assert await face(portraits, provider.id) == new.id


@pytest.mark.parametrize("before", [PictureState.PROCESSING, PictureState.READY])
async def test_change_of_a_picture_while_it_is_chosen_reaches_the_portrait(
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
async def test_portrait_that_never_becomes_ready_leaves_the_previous_one(
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


async def test_picture_that_is_set_replaces_the_portrait(
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


async def test_picture_that_is_not_ready_shows_to_its_owner_alone(wall: Wall, follower: PictureEventHandlers) -> None:
    slow, quick = wall.bring(PictureState.PROCESSING), wall.bring()
    for picture in (slow, quick):
        await wall.add(picture)
    assert await wall.own() == {slow.id: PictureState.PROCESSING, quick.id: PictureState.READY}
    assert await wall.shown() == [quick.id]
    ready = wall.album.make_ready(slow)
    for _ in range(2):
        await follower.on_ready(ready)
        assert await wall.shown() == [slow.id, quick.id]
    assert set((await wall.own()).values()) == {PictureState.READY}


async def test_picture_that_becomes_ready_while_it_is_added_is_shown(wall: Wall, follow: Follow) -> None:
    picture = wall.bring(PictureState.PROCESSING)
    await wall.add(picture)
    await follow()
    assert await wall.shown() == []
    wall.album.make_ready(picture)
    await follow()
    assert await wall.shown() == [picture.id]


async def test_picture_deleted_during_the_call_to_media_stays_removed(
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
async def test_picture_deleted_while_it_is_added_leaves_the_gallery(
    wall: Wall, follow: Follow, state: PictureState
) -> None:
    picture = wall.bring(state)
    await wall.add(picture)
    wall.album.delete(picture)
    for _ in range(2):
        await follow()
        assert (await wall.own(), await wall.shown()) == ({}, [])


async def test_picture_refused_while_it_is_added_leaves_the_gallery(wall: Wall, follow: Follow) -> None:
    picture = wall.bring(PictureState.PROCESSING)
    await wall.add(picture)
    wall.album.refuse(picture)
    await follow()
    assert await wall.own() == {}


async def test_gallery_has_the_last_description_of_a_picture(wall: Wall, follower: PictureEventHandlers) -> None:
    ready, slow = pictures = [wall.bring(), wall.bring(PictureState.PROCESSING)]
    for picture in pictures:
        await wall.add(picture)
        first, last = wall.album.describe(picture, "A stage"), wall.album.describe(picture, "A stage at night")
        for described in (last, first, last):
            await follower.on_described(described)
            texts = {each.id: each.alt for each in await wall.galleries.list_own_gallery(owner_id=wall.owner_id)}
            assert texts[picture.id] == "A stage at night"
    [shown] = await wall.galleries.list_gallery(id_or_slug=wall.provider.slug)
    assert (shown.id, shown.alt) == (ready.id, "A stage at night")
    await follower.on_ready(wall.album.make_ready(slow))
    assert [each.alt for each in await wall.galleries.list_gallery(id_or_slug=wall.provider.slug)] == [shown.alt] * 2


async def test_picture_described_while_it_is_added_has_the_description(wall: Wall, follow: Follow) -> None:
    picture = wall.bring()
    await wall.add(picture)
    wall.album.describe(picture, "A stage")
    await follow()
    [shown] = await wall.galleries.list_gallery(id_or_slug=wall.provider.slug)
    assert shown.alt == "A stage"


async def test_refused_and_deleted_pictures_leave_the_gallery(wall: Wall, follower: PictureEventHandlers) -> None:
    kept, lost, broken = pictures = [wall.bring(), wall.bring(), wall.bring(PictureState.PROCESSING)]
    for picture in pictures:
        await wall.add(picture)
    await follower.on_deleted(wall.album.delete(lost))
    assert await wall.shown() == [kept.id]
    await follower.on_refused(wall.album.refuse(broken))
    assert list(await wall.own()) == [kept.id]


async def test_picture_can_be_portrait_and_in_the_gallery(
    desk: Desk, wall: Wall, portraits: PortraitService, follower: PictureEventHandlers
) -> None:
    picture = wall.bring(PictureState.PROCESSING)
    await wall.add(picture)
    await portraits.choose_portrait(owner_id=wall.owner_id, provider_id=wall.provider.id, picture_id=picture.id)

    async def portrait() -> str | None:
        return (await desk.catalog.get_provider(id_or_slug=wall.provider.slug)).profile_picture_url

    ready = wall.album.make_ready(picture)
    square = avatar_url(wall.provider.id, picture_url=ready.url)
    await follower.on_ready(ready)
    assert (await portrait(), await wall.shown()) == (square, [picture.id])
    await wall.remove(picture.id)
    assert (await portrait(), await wall.shown()) == (square, [])
    await wall.add(wall.album.pictures[picture.id][1])
    await follower.on_deleted(wall.album.delete(picture))
    assert (await portrait(), await wall.shown()) == (None, [])
