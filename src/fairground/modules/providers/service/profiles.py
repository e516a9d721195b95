"""Profiles: how the public and other modules read them and their services, and how their owners change them."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import (
    BookingAtOtherTime,
    ChangedProvider,
    NotAProvider,
    Offer,
    OwnProvider,
    ProfileChanges,
    ProfileExists,
    ProfileIn,
    ProviderContact,
    ProviderDetail,
    ProviderRef,
    ProviderSchedules,
    ProviderSnapshot,
    ProviderStatus,
    ProviderTimezoneSet,
    Service,
    ServiceNotFound,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.zones import Clock
from fairground.modules.providers.domain.profiles import (
    check_categories,
    check_picture_url,
    check_place,
    check_profile,
    split_contact,
)
from fairground.modules.providers.domain.services import check_still_served
from fairground.modules.providers.service.access import (
    OwnViews,
    announce,
    get_pack,
    get_record,
    get_ref_owned_by,
    grounds_of,
    lock_owned,
    lock_provider,
    not_found,
    read_key,
)
from fairground.modules.providers.store import details, pictures, profiles
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals


class ProviderQueries:
    def __init__(self, *, db: Database, currency: str) -> None:
        self._db = db
        self._currency = currency

    async def get_currency(self) -> str:
        return self._currency

    async def get_provider(self, *, id_or_slug: str) -> ProviderDetail:
        provider_id, slug = read_key(id_or_slug)
        async with self._db.read() as tx:
            provider = await details.find_approved(tx, provider_id=provider_id, slug=slug)
        if provider is None:
            raise not_found(id_or_slug)
        return provider

    async def list_services(self, *, provider_id: UUID, viewer_id: UUID | None) -> list[Service]:
        async with self._db.read() as tx:
            provider = await profiles.find_ref(tx, provider_id)
            if provider is None or not _may_see(provider, viewer_id):
                raise not_found(provider_id)
            services = (await details.list_services(tx, [provider_id]))[provider_id]
        is_own = viewer_id is not None and provider.owner_id == viewer_id
        return [service for service in services if is_own or not service.is_paused]

    async def get_offer(self, *, service_id: UUID) -> Offer:
        async with self._db.read() as tx:
            offer = await details.find_offer(tx, service_id)
        if offer is None:
            raise ServiceNotFound(f"Service {service_id} does not exist.")
        return offer

    async def get_offers(self, *, service_ids: Collection[UUID]) -> dict[UUID, Offer]:
        async with self._db.read() as tx:
            offers = await details.list_offers(tx, service_ids)
        for service_id in service_ids:
            if service_id not in offers:
                raise ServiceNotFound(f"Service {service_id} does not exist.")
        return offers

    async def get_contact(self, *, provider_id: UUID) -> ProviderContact:
        async with self._db.read() as tx:
            contact = await details.find_contact(tx, provider_id)
        if contact is None:
            raise not_found(provider_id)
        return contact

    async def get_provider_ref(self, *, provider_id: UUID) -> ProviderRef:
        async with self._db.read() as tx:
            provider = await profiles.find_ref(tx, provider_id)
        if provider is None:
            raise not_found(provider_id)
        return provider

    async def get_provider_refs(self, *, provider_ids: Collection[UUID]) -> dict[UUID, ProviderRef]:
        async with self._db.read() as tx:
            providers = await profiles.list_refs(tx, provider_ids)
        for provider_id in provider_ids:
            if provider_id not in providers:
                raise not_found(provider_id)
        return providers

    async def list_snapshots(self, *, provider_ids: Collection[UUID]) -> list[ProviderSnapshot]:
        async with self._db.read() as tx:
            return await details.list_snapshots(tx, provider_ids)

    async def list_snapshots_after(self, *, after: UUID | None, limit: int) -> list[ProviderSnapshot]:
        async with self._db.read() as tx:
            return await details.list_snapshots_after(tx, after, limit=limit)

    async def find_provider_owned_by(self, *, owner_id: UUID) -> ProviderRef | None:
        async with self._db.read() as tx:
            return await profiles.find_ref_owned_by(tx, owner_id)


def _may_see(provider: ProviderRef, viewer_id: UUID | None) -> bool:
    return provider.status is ProviderStatus.APPROVED or (viewer_id is not None and provider.owner_id == viewer_id)


class NoSchedules:
    """The schedules of an installation without booking."""

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
            records = await details.list_submitted(tx, limit=limit)
        return await self._views.show_all(records)

    async def create_provider(self, *, owner_id: UUID, profile: ProfileIn) -> OwnProvider:
        owner = await self._accounts.get_user(user_id=owner_id)
        if owner.role is not Role.PROVIDER:
            raise NotAProvider(f"An account with the role {owner.role} can't have a profile.")
        categories = check_categories(get_pack(self._verticals, profile.vertical), profile.categories)
        values, contact = split_contact(check_profile(profile.model_dump(exclude={"categories"})))
        check_place(profile.lat, profile.lng)
        contact |= {"contact_email": owner.email}
        provider_id = uuid7()
        values |= {"id": provider_id, "owner_id": owner_id, "status": ProviderStatus.DRAFT}
        async with self._db.write() as tx:
            if not await profiles.insert_draft(tx, values | {"created_at": self._clock.now()}, contact=contact):
                raise ProfileExists(f"The account {owner_id} already has a profile.")
            await profiles.replace_categories(tx, provider_id, categories)
            record = await get_record(tx, provider_id)
        return self._views.show_known(record, email_verified=owner.email_verified)

    async def change_provider(self, *, owner_id: UUID, provider_id: UUID, changes: ProfileChanges) -> ChangedProvider:
        changed = {name: getattr(changes, name) for name in changes.model_fields_set - {"categories"}}
        values, contact = split_contact(check_profile(changed))
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            before = await get_record(tx, provider_id)
            if "categories" in changes.model_fields_set:
                categories = check_categories(get_pack(self._verticals, provider.vertical), changes.categories)
                await profiles.replace_categories(tx, provider_id, categories)
            if contact:
                await profiles.change_contact(tx, provider_id, contact)
            zone_set = _timezone_change(provider, values)
            if zone_set is not None:
                values["timezone_version"] = zone_set.version
                await tx.emit(zone_set)
            await profiles.change_profile(tx, provider_id, values | {"updated_at": self._clock.now()})
            if "business_name" in values:
                await profiles.replace_words(tx, {provider_id: values["business_name"]})
            record = await get_record(tx, provider_id)
            # A change may name one of the two coordinates, so the check reads the changed profile.
            check_place(record.detail.lat, record.detail.lng)
            check_still_served(record.detail.services, before=grounds_of(before), after=grounds_of(record))
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
            await pictures.forget_portrait(tx, provider_id)
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
