"""Profiles, as their owners and staff work on them."""

from typing import Any
from uuid import UUID

from fairground.contracts.accounts import Role
from fairground.contracts.catalog import (
    BookingAtOtherTime,
    ChangedProvider,
    NotAProvider,
    OwnProvider,
    ProfileChanges,
    ProfileExists,
    ProfileIn,
    ProviderRef,
    ProviderStatus,
    ProviderTimezoneSet,
)
from fairground.kernel.ids import uuid7
from fairground.modules.catalog.domain.checks import (
    check_categories,
    check_picture_url,
    check_place,
    check_profile,
)
from fairground.modules.catalog.service.base import CatalogBase, not_found
from fairground.modules.catalog.store import portraits, profiles


class Profiles(CatalogBase):
    async def get_own_provider(self, *, owner_id: UUID) -> OwnProvider:
        async with self._db.read() as tx:
            provider = await self._own_ref(tx, owner_id)
            record = await self._own_record(tx, provider.id)
        [view] = await self._own_views([record])
        return view

    async def get_provider_for_review(self, *, provider_id: UUID) -> OwnProvider:
        async with self._db.read() as tx:
            record = await self._own_record(tx, provider_id)
        [view] = await self._own_views([record])
        return view

    async def list_submitted(self, *, limit: int) -> list[OwnProvider]:
        async with self._db.read() as tx:
            records = await profiles.list_submitted(tx, limit=limit)
        return await self._own_views(records)

    async def create_provider(self, *, owner_id: UUID, profile: ProfileIn) -> OwnProvider:
        owner = await self._accounts.get_user(user_id=owner_id)
        if owner.role is not Role.PROVIDER:
            raise NotAProvider(f"An account of the role {owner.role} has no profile.")
        categories = check_categories(self._pack(profile.vertical), profile.categories)
        values = check_profile(profile.model_dump(exclude={"categories"}))
        check_place(profile.lat, profile.lng)
        contact = {"contact_email": owner.email, "contact_phone": values.pop("contact_phone")}
        provider_id = uuid7()
        values |= {"id": provider_id, "owner_id": owner_id, "status": ProviderStatus.DRAFT}
        async with self._db.write() as tx:
            if not await profiles.insert_draft(tx, values | {"created_at": self._clock.now()}, contact=contact):
                raise ProfileExists(f"The account {owner_id} has a profile already.")
            await profiles.replace_categories(tx, provider_id, categories)
            record = await self._own_record(tx, provider_id)
        return self._own_view(record, email_verified=owner.email_verified)

    async def change_provider(self, *, owner_id: UUID, provider_id: UUID, changes: ProfileChanges) -> ChangedProvider:
        values = check_profile(changes.model_dump(exclude_unset=True, exclude={"categories"}))
        async with self._db.write() as tx:
            provider = await self._lock_owned(tx, provider_id, owner_id=owner_id)
            if "categories" in changes.model_fields_set:
                categories = check_categories(self._pack(provider.vertical), changes.categories)
                await profiles.replace_categories(tx, provider_id, categories)
            if "contact_phone" in values:
                await profiles.change_contact(tx, provider_id, contact_phone=values.pop("contact_phone"))
            zone_set = _timezone_change(provider, values)
            if zone_set is not None:
                values["timezone_version"] = zone_set.version
                await tx.emit(zone_set)
            await profiles.change_profile(tx, provider_id, values | {"updated_at": self._clock.now()})
            record = await self._own_record(tx, provider_id)
            # A change may give one coordinate of two: what counts is the profile that comes of it.
            check_place(record.detail.lat, record.detail.lng)
            await self._announce(tx, provider)
        [view] = await self._own_views([record])
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
            provider = await profiles.lock_provider(tx, provider_id)
            if provider is None:
                raise not_found(provider_id)
            await portraits.forget_portrait(tx, provider_id)
            changes = {"profile_picture_url": url, "updated_at": self._clock.now()}
            await profiles.change_profile(tx, provider_id, changes)
            await self._announce(tx, provider)


def _timezone_change(provider: ProviderRef, values: dict[str, Any]) -> ProviderTimezoneSet | None:
    timezone = values.get("timezone", provider.timezone)
    if timezone == provider.timezone:
        return None
    return ProviderTimezoneSet(
        provider_id=provider.id, slug=provider.slug, timezone=timezone, version=provider.timezone_version + 1
    )
