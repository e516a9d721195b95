"""Handlers of events: the figures that booking and reviews announce, and what media announces of chosen pictures.

Each method may end a job, which it marks as done in its transaction.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fairground.contracts.accounts import (
    AccountClosed,
    AccountRestored,
    Accounts,
    AccountStatus,
    AccountSuspended,
    EmailChanged,
)
from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted, FirstHoursSet, PastBookingsRecorded
from fairground.contracts.media import (
    Picture,
    PictureDeleted,
    PictureDescribed,
    PictureNotFound,
    PictureReady,
    PictureRefused,
    Pictures,
    PictureState,
    avatar_url,
)
from fairground.contracts.providers import ProviderRef
from fairground.contracts.reviews import PastReviewsRecorded, ProviderRated
from fairground.kernel.zones import Clock
from fairground.modules.providers.service.access import announce_all, lock_provider
from fairground.modules.providers.service.pictures import FollowPicture, announce_pictures
from fairground.modules.providers.store import pictures, profiles
from fairground.platform.db.database import Database, WriteTx


class FigureEventHandlers:
    def __init__(self, *, db: Database) -> None:
        self._db = db

    async def on_booking_completed(self, event: BookingCompleted) -> None:
        await self._raise_book_counts({event.provider_id: event.provider_completed_count})

    async def on_bookings_recorded(self, event: PastBookingsRecorded) -> None:
        await self._raise_book_counts(event.completed_counts)

    async def on_provider_rated(self, event: ProviderRated) -> None:
        await self._set_ratings({event.provider_id: (event.rating_sum, event.rating_count, event.totals_version)})

    async def on_reviews_recorded(self, event: PastReviewsRecorded) -> None:
        await self._set_ratings(
            {each: (total, count, event.versions.get(each, count)) for each, (total, count) in event.ratings.items()}
        )

    async def on_availability_rules_set(self, event: AvailabilityRulesSet) -> None:
        await self._set_has_hours({event.provider_id: event.has_hours}, version=event.version)

    async def on_first_hours_set(self, event: FirstHoursSet) -> None:
        await self._set_has_hours(event.has_hours, version=event.version)

    async def _raise_book_counts(self, counts: Mapping[UUID, int]) -> None:
        """Keep the higher count of each provider, so late and double delivery is safe."""
        async with self._db.write(ends_job=True) as tx:
            known = await profiles.lock_figures(tx, counts)
            changes = {each: {"book_count": counts[each]} for each in known if known[each].book_count < counts[each]}
            await profiles.change_figures(tx, changes)
            await announce_all(tx, [known[each].provider for each in changes])

    async def _set_ratings(self, ratings: Mapping[UUID, tuple[int, int, int]]) -> None:
        """Keep the sum and number of ratings with the higher version."""
        async with self._db.write(ends_job=True) as tx:
            known = await profiles.lock_figures(tx, ratings)
            changes = {
                each: {
                    "rating_sum": total,
                    "rating_count": count,
                    "rating_avg": total / count if count else 0.0,
                    "rating_version": version,
                }
                for each, (total, count, version) in ratings.items()
                if each in known and known[each].rating_version < version
            }
            await profiles.change_figures(tx, changes)
            await announce_all(tx, [known[each].provider for each in changes])

    async def _set_has_hours(self, has_hours: Mapping[UUID, bool], *, version: int) -> None:
        async with self._db.write(ends_job=True) as tx:
            known = await profiles.lock_figures(tx, has_hours)
            changes = {
                each: {"has_hours": has_hours[each], "hours_version": version}
                for each in known
                if known[each].hours_version < version
            }
            await profiles.change_figures(tx, changes)


class OwnerEventHandlers:
    """Hides a provider while its owner's account is suspended or closed, and follows the owner's address."""

    def __init__(self, *, db: Database, accounts: Accounts) -> None:
        self._db = db
        self._accounts = accounts

    async def on_suspended(self, event: AccountSuspended) -> None:
        await self._follow(event.user_id, is_active=False, version=event.version)

    async def on_restored(self, event: AccountRestored) -> None:
        await self._follow(event.user_id, is_active=True, version=event.version)

    async def on_closed(self, event: AccountClosed) -> None:
        await self._follow(event.user_id, is_active=False, version=event.version, erases_contact=True)

    async def on_email_changed(self, event: EmailChanged) -> None:
        owner = await self._accounts.get_user(user_id=event.user_id)
        async with self._db.write(ends_job=True) as tx:
            provider = await profiles.find_ref_owned_by(tx, owner.id)
            if provider is not None and owner.status is not AccountStatus.CLOSED:
                await profiles.change_contact(tx, provider.id, {"contact_email": owner.email})

    async def _follow(self, owner_id: UUID, *, is_active: bool, version: int, erases_contact: bool = False) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await profiles.find_ref_owned_by(tx, owner_id)
            if provider is None:
                return
            locked = await lock_provider(tx, provider.id)
            if erases_contact:
                await profiles.change_contact(tx, locked.id, dict.fromkeys(profiles.CONTACT_COLUMNS))
            status = await profiles.follow_owner(tx, locked.id, is_active=is_active, version=version)
            if status is not None:
                # By its own status: a profile that was never approved was never shown, and one that was is hidden now.
                await announce_all(tx, [locked.model_copy(update={"status": status})])


class PictureEventHandlers:
    def __init__(self, *, db: Database, pictures: Pictures, clock: Clock) -> None:
        self._db = db
        self._pictures = pictures
        self._clock = clock

    async def on_follow_picture(self, job: FollowPicture) -> None:
        try:
            picture = await self._pictures.get_picture(owner_id=job.owner_id, picture_id=job.picture_id)
        except PictureNotFound:
            await self._remove_deleted(job.picture_id)
            return
        if picture.state is PictureState.REFUSED:
            await self._remove_refused(job.picture_id)
        else:
            await self._apply_state(picture)

    async def on_ready(self, event: PictureReady) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_of_picture(tx, event.picture_id)
            if provider is not None and await _show(tx, provider, event.picture_id, event.model_dump()):
                await announce_pictures(tx, provider, clock=self._clock)

    async def on_described(self, event: PictureDescribed) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_of_picture(tx, event.picture_id)
            if provider is None:
                return
            text, version = event.alt, event.alt_version
            if await pictures.describe_in_gallery(tx, provider.id, event.picture_id, text, version=version):
                await announce_pictures(tx, provider, clock=self._clock)

    async def on_refused(self, event: PictureRefused) -> None:
        await self._remove_refused(event.picture_id)

    async def on_deleted(self, event: PictureDeleted) -> None:
        await self._remove_deleted(event.picture_id)

    async def _apply_state(self, picture: Picture) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_of_picture(tx, picture.id)
            if provider is None:
                return
            text, version = picture.alt, picture.alt_version
            is_described = await pictures.describe_in_gallery(tx, provider.id, picture.id, text, version=version)
            is_shown = picture.url is not None and await _show(tx, provider, picture.id, picture.model_dump())
            if is_described or is_shown:
                await announce_pictures(tx, provider, clock=self._clock)

    async def _remove_refused(self, picture_id: UUID) -> None:
        """Remove a picture that was never shown; the previous portrait stays."""
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_of_picture(tx, picture_id)
            if provider is not None:
                await _remove_from_portrait(tx, provider, picture_id)
                await pictures.remove_from_gallery(tx, provider.id, picture_id)

    async def _remove_deleted(self, picture_id: UUID) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await _lock_provider_of_picture(tx, picture_id)
            if provider is None:
                return
            await _remove_from_portrait(tx, provider, picture_id)
            await pictures.remove_from_gallery(tx, provider.id, picture_id)
            await announce_pictures(tx, provider, clock=self._clock)


async def _lock_provider_of_picture(tx: WriteTx, picture_id: UUID) -> ProviderRef | None:
    """Lock the provider that has chosen the picture, so that the choice cannot change; return None without one."""
    provider_id = await pictures.find_provider_of_picture(tx, picture_id)
    return None if provider_id is None else await profiles.lock_provider(tx, provider_id)


async def _show(tx: WriteTx, provider: ProviderRef, picture_id: UUID, picture: Mapping[str, Any]) -> bool:
    """Show a picture as portrait and in the gallery, where it was chosen. Return False when nothing changes."""
    fields = {name: picture[name] for name in pictures.READY_FIELDS}
    square = avatar_url(provider.id, picture_url=fields["url"])
    is_new_portrait = await pictures.show_portrait_if_chosen(tx, provider.id, picture_id, square)
    return await pictures.show_in_gallery(tx, provider.id, picture_id, fields) or is_new_portrait


async def _remove_from_portrait(tx: WriteTx, provider: ProviderRef, picture_id: UUID) -> None:
    """Remove a picture from the portrait; another picture that is shown or chosen stays."""
    portrait = await pictures.find_portrait(tx, provider.id)
    if portrait is None or picture_id not in {portrait.chosen_id, portrait.shown_id}:
        return
    if portrait.shown_id == picture_id:
        await pictures.hide_portrait(tx, provider.id)
    elif portrait.shown_id is not None:
        await pictures.choose_portrait(tx, provider.id, picture_id=portrait.shown_id)
        return
    if portrait.chosen_id == picture_id:
        await pictures.forget_portrait(tx, provider.id)
