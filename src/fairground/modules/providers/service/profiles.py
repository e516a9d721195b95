"""Profiles, as their owners and staff work on them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import (
    BookingAtOtherTime,
    ChangedProvider,
    NotAProvider,
    OwnProvider,
    ProfileChanges,
    ProfileExists,
    ProfileIn,
    ProviderRef,
    ProviderSchedules,
    ProviderStatus,
    ProviderTimezoneSet,
)
from fairground.kernel.clock import Clock
from fairground.kernel.ids import uuid7
from fairground.modules.providers.domain.checks import (
    check_categories,
    check_picture_url,
    check_place,
    check_profile,
)
from fairground.modules.providers.service.access import (
    announce,
    get_pack,
    get_record,
    get_ref_owned_by,
    lock_owned,
    lock_provider,
)
from fairground.modules.providers.service.own_views import OwnViews
from fairground.modules.providers.store import portraits, profiles
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals


class NoSchedules:
    """The schedules of providers without a module that books."""

    async def follow_timezone(self, change: ProviderTimezoneSet) -> None: ...

    async def list_bookings_at_other_times(self, *, provider_id: UUID, timezone: str) -> list[BookingAtOtherTime]:  # noqa: ARG002
        return []


class Profiles:
    def __init__(
        self,
        *,
        db: Database,
        accounts: Accounts,
        verticals: Verticals,
        clock: Clock,
        views: OwnViews,
        schedules: Callable[[], ProviderSchedules] = NoSchedules,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._verticals = verticals
        self._clock = clock
        self._views = views
        self._schedules = schedules

    async def get_own_provider(self, *, owner_id: UUID) -> OwnProvider:
        async with self._db.read() as tx:
            provider = await get_ref_owned_by(tx, owner_id)
            record = await get_record(tx, provider.id)
        return await self._views.show(record)

    async def get_provider_for_review(self, *, provider_id: UUID) -> OwnProvider:
        async with self._db.read() as tx:
            record = await get_record(tx, provider_id)
        return await self._views.show(record)

    async def list_submitted(self, *, limit: int) -> list[OwnProvider]:
        async with self._db.read() as tx:
            records = await profiles.list_submitted(tx, limit=limit)
        return await self._views.show_all(records)

    async def create_provider(self, *, owner_id: UUID, profile: ProfileIn) -> OwnProvider:
        owner = await self._accounts.get_user(user_id=owner_id)
        if owner.role is not Role.PROVIDER:
            raise NotAProvider(f"An account of the role {owner.role} has no profile.")
        categories = check_categories(get_pack(self._verticals, profile.vertical), profile.categories)
        values = check_profile(profile.model_dump(exclude={"categories"}))
        check_place(profile.lat, profile.lng)
        contact = {"contact_email": owner.email, "contact_phone": values.pop("contact_phone")}
        provider_id = uuid7()
        values |= {"id": provider_id, "owner_id": owner_id, "status": ProviderStatus.DRAFT}
        async with self._db.write() as tx:
            if not await profiles.insert_draft(tx, values | {"created_at": self._clock.now()}, contact=contact):
                raise ProfileExists(f"The account {owner_id} has a profile already.")
            await profiles.replace_categories(tx, provider_id, categories)
            record = await get_record(tx, provider_id)
        return self._views.show_known(record, email_verified=owner.email_verified)

    async def change_provider(self, *, owner_id: UUID, provider_id: UUID, changes: ProfileChanges) -> ChangedProvider:
        values = check_profile(changes.model_dump(exclude_unset=True, exclude={"categories"}))
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            if "categories" in changes.model_fields_set:
                categories = check_categories(get_pack(self._verticals, provider.vertical), changes.categories)
                await profiles.replace_categories(tx, provider_id, categories)
            if "contact_phone" in values:
                await profiles.change_contact(tx, provider_id, contact_phone=values.pop("contact_phone"))
            zone_set = _timezone_change(provider, values)
            if zone_set is not None:
                values["timezone_version"] = zone_set.version
                await tx.emit(zone_set)
            await profiles.change_profile(tx, provider_id, values | {"updated_at": self._clock.now()})
            record = await get_record(tx, provider_id)
            # A change may give one coordinate of two: what counts is the profile that comes of it.
            check_place(record.detail.lat, record.detail.lng)
            await announce(tx, provider)
        view = await self._views.show(record)
        moved = await self._follow_timezone(view, zone_set) if "timezone" in values else []
        return ChangedProvider(**dict(view), bookings_at_other_times=moved)

    async def _follow_timezone(
        self, provider: OwnProvider, change: ProviderTimezoneSet | None
    ) -> list[BookingAtOtherTime]:
        schedules = self._schedules()
        if change is not None:
            await schedules.follow_timezone(change)
        return await schedules.list_bookings_at_other_times(provider_id=provider.id, timezone=provider.timezone)

    async def set_picture(self, *, provider_id: UUID, url: str) -> None:
        check_picture_url(url)
        async with self._db.write() as tx:
            provider = await lock_provider(tx, provider_id)
            await portraits.forget_portrait(tx, provider_id)
            changes = {"profile_picture_url": url, "updated_at": self._clock.now()}
            await profiles.change_profile(tx, provider_id, changes)
            await announce(tx, provider)


def _timezone_change(provider: ProviderRef, values: dict[str, Any]) -> ProviderTimezoneSet | None:
    timezone = values.get("timezone", provider.timezone)
    if timezone == provider.timezone:
        return None
    return ProviderTimezoneSet(
        provider_id=provider.id, slug=provider.slug, timezone=timezone, version=provider.timezone_version + 1
    )
