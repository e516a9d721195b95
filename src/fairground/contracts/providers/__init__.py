"""The contract of providers: profiles, services, approval, portraits and galleries.

This file has the protocols; `profiles`, `services` and `pictures` define the data, limits, errors and cache tags, and
`service_rules` what a service may be. `claims` is imported from its own file: how an imported provider gets an owner.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from fairground.contracts.providers.events import (
    ProviderApproved,
    ProviderRejected,
    ProvidersChanged,
    ProvidersImported,
    ProviderSubmitted,
    ProviderTimezoneSet,
    ServicesChanged,
)
from fairground.contracts.providers.pictures import (
    GALLERY_MAX,
    Galleries,
    GalleryChanged,
    GalleryFull,
    GalleryPicture,
    OwnGalleryPicture,
    PictureNotUsable,
    PortraitPlacement,
    Portraits,
)
from fairground.contracts.providers.profiles import (
    ALL_PROVIDERS,
    BIO_MAX_LENGTH,
    CATEGORIES_MAX,
    EXTERNAL_ID_MAX_LENGTH,
    IMPORT_MAX_ROWS,
    LOCATION_MAX_LENGTH,
    MEETING_DETAILS_MAX_LENGTH,
    PHONE_MAX_LENGTH,
    REASON_MAX_LENGTH,
    SLUG_PATTERN,
    SUBTITLE_MAX_LENGTH,
    BookingAtOtherTime,
    ChangedProvider,
    ContactInUse,
    CreatedProvider,
    ExportedProvider,
    ExternalOutcome,
    ExternalProvider,
    NewProvider,
    NotAProvider,
    OwnProvider,
    ProfileChanges,
    ProfileExists,
    ProfileIn,
    ProfileIncomplete,
    ProfileInvalid,
    ProfileMissing,
    ProviderCard,
    ProviderContact,
    ProviderDetail,
    ProviderNotFound,
    ProviderPath,
    ProviderRef,
    ProviderSnapshot,
    ProviderStatus,
    StaffOnly,
    StatusConflict,
    VerticalUnknown,
    provider_tag,
)
from fairground.contracts.providers.services import (
    DURATION_MAX_MINUTES,
    DURATION_MIN_MINUTES,
    NAME_MAX_LENGTH,
    PRICE_MAX_MINOR,
    SERVICE_DESCRIPTION_MAX_LENGTH,
    SERVICES_MAX,
    TRAVEL_RADIUS_MAX_KM,
    BookingMode,
    CategoryUnknown,
    CurrencyUnsupported,
    Offer,
    Service,
    ServiceChanges,
    ServiceIn,
    ServiceInvalid,
    ServiceListChanged,
    ServiceNotFound,
    ServiceTerms,
    can_serve,
)

__all__ = [
    "ALL_PROVIDERS",
    "BIO_MAX_LENGTH",
    "CATEGORIES_MAX",
    "DURATION_MAX_MINUTES",
    "DURATION_MIN_MINUTES",
    "EXTERNAL_ID_MAX_LENGTH",
    "GALLERY_MAX",
    "IMPORT_MAX_ROWS",
    "LOCATION_MAX_LENGTH",
    "MEETING_DETAILS_MAX_LENGTH",
    "NAME_MAX_LENGTH",
    "PHONE_MAX_LENGTH",
    "PRICE_MAX_MINOR",
    "REASON_MAX_LENGTH",
    "SERVICES_MAX",
    "SERVICE_DESCRIPTION_MAX_LENGTH",
    "SLUG_PATTERN",
    "SUBTITLE_MAX_LENGTH",
    "TRAVEL_RADIUS_MAX_KM",
    "BookingAtOtherTime",
    "BookingMode",
    "CategoryUnknown",
    "ChangedProvider",
    "ContactInUse",
    "CreatedProvider",
    "CurrencyUnsupported",
    "ExportedProvider",
    "ExternalOutcome",
    "ExternalProvider",
    "ExternalProviders",
    "Galleries",
    "GalleryChanged",
    "GalleryFull",
    "GalleryPicture",
    "NewProvider",
    "NotAProvider",
    "Offer",
    "OwnGalleryPicture",
    "OwnProvider",
    "PictureNotUsable",
    "PortraitPlacement",
    "Portraits",
    "ProfileChanges",
    "ProfileExists",
    "ProfileIn",
    "ProfileIncomplete",
    "ProfileInvalid",
    "ProfileMissing",
    "ProviderApproved",
    "ProviderCard",
    "ProviderContact",
    "ProviderDetail",
    "ProviderNotFound",
    "ProviderPath",
    "ProviderRef",
    "ProviderRejected",
    "ProviderSchedules",
    "ProviderSnapshot",
    "ProviderSnapshots",
    "ProviderStatus",
    "ProviderSubmitted",
    "ProviderTimezoneSet",
    "Providers",
    "ProvidersChanged",
    "ProvidersImported",
    "Service",
    "ServiceChanges",
    "ServiceIn",
    "ServiceInvalid",
    "ServiceListChanged",
    "ServiceNotFound",
    "ServiceTerms",
    "ServicesChanged",
    "StaffOnly",
    "StatusConflict",
    "VerticalUnknown",
    "can_serve",
    "provider_tag",
]


class Providers(Protocol):
    async def get_currency(self) -> str:
        """Return the ISO 4217 code of the one currency of this installation."""
        ...

    async def get_provider(self, *, id_or_slug: str) -> ProviderDetail:
        """Return an approved provider; raise ProviderNotFound otherwise."""
        ...

    async def get_own_provider(self, *, owner_id: UUID) -> OwnProvider:
        """Return the caller's own profile in any state; raise ProfileMissing when there is none."""
        ...

    async def get_provider_for_review(self, *, provider_id: UUID) -> OwnProvider:
        """Return any provider in any state, for staff; raise ProviderNotFound when there is none."""
        ...

    async def list_submitted(self, *, limit: int) -> list[OwnProvider]:
        """Return the profiles that wait for a decision, the longest wait first."""
        ...

    async def create_provider(self, *, owner_id: UUID, profile: ProfileIn) -> OwnProvider:
        """Create a draft.

        Raises:
            NotAProvider: The account has another role.
            ProfileExists, VerticalUnknown, CategoryUnknown, ProfileInvalid
        """
        ...

    async def create_providers_in_bulk(self, *, providers: list[NewProvider], staff_id: UUID) -> list[CreatedProvider]:
        """Create up to 500 providers as their own steps would leave them, by a few statements; none is notified.

        Raises:
            StaffOnly, NotAProvider, ProfileExists, VerticalUnknown, CategoryUnknown, CurrencyUnsupported,
            ProfileInvalid, ServiceInvalid, ProfileIncomplete: None was created.
        """
        ...

    async def change_provider(self, *, owner_id: UUID, provider_id: UUID, changes: ProfileChanges) -> ChangedProvider:
        """Change a profile in any state.

        With another `timezone`, hours keep their wall times and bookings keep their instants; the result lists the
        bookings whose wall time differs as a consequence.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
            ContactInUse: A service needs the address, the meeting details or the coordinates that would be removed;
                `context["services"]` has the names.
            CategoryUnknown, ProfileInvalid
        """
        ...

    async def submit_provider(self, *, owner_id: UUID, provider_id: UUID) -> OwnProvider:
        """Submit a profile for approval: draft or rejected → submitted.

        Raises:
            ProviderNotFound, StatusConflict
            ProfileIncomplete: `context["missing"]` lists the checklist keys; an unverified e-mail is one of them.
        """
        ...

    async def approve_provider(self, *, staff_id: UUID, provider_id: UUID) -> OwnProvider:
        """Raise ProviderNotFound, StatusConflict, or StaffOnly."""
        ...

    async def reject_provider(self, *, staff_id: UUID, provider_id: UUID, reason: str) -> OwnProvider:
        """Raise ProviderNotFound, StatusConflict, or StaffOnly."""
        ...

    async def list_services(self, *, provider_id: UUID, viewer_id: UUID | None) -> list[Service]:
        """Return the services of an approved provider, or of the viewer's own one in any state, in their order.

        Paused ones are left out unless the viewer is the owner.

        Raises:
            ProviderNotFound: No such provider, or the viewer may not see it.
        """
        ...

    async def add_service(self, *, owner_id: UUID, provider_id: UUID, service: ServiceIn) -> Service:
        """Add a service behind the others.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
            ServiceInvalid: A value is refused, or needs what the profile lacks: an address, meeting details,
                coordinates or the category.
            CategoryUnknown, CurrencyUnsupported
        """
        ...

    async def change_service(
        self, *, owner_id: UUID, provider_id: UUID, service_id: UUID, changes: ServiceChanges
    ) -> Service:
        """Change a service; bookings keep the terms that they were made under.

        The result is checked as a new service is. Concurrent changes are made one after another.

        Raises:
            ProviderNotFound, ServiceNotFound, ServiceInvalid, CategoryUnknown
        """
        ...

    async def duplicate_service(self, *, owner_id: UUID, provider_id: UUID, service_id: UUID) -> Service:
        """Add a paused copy right behind a service, for its owner to change and resume.

        Raises:
            ServiceInvalid: There are SERVICES_MAX services, or the service itself would be refused today.
            ProviderNotFound, ServiceNotFound
        """
        ...

    async def pause_service(self, *, owner_id: UUID, provider_id: UUID, service_id: UUID) -> Service:
        """Show a service to its owner alone until it is resumed. Raise ProviderNotFound or ServiceNotFound."""
        ...

    async def resume_service(self, *, owner_id: UUID, provider_id: UUID, service_id: UUID) -> Service:
        """Offer a paused service again. Raise ProviderNotFound or ServiceNotFound."""
        ...

    async def order_services(self, *, owner_id: UUID, provider_id: UUID, service_ids: Sequence[UUID]) -> list[Service]:
        """Put the services, paused ones included, in this order.

        Raises:
            ServiceListChanged: The order does not name each service once, perhaps because one was just added.
            ProviderNotFound
        """
        ...

    async def withdraw_service(self, *, owner_id: UUID, service_id: UUID) -> None:
        """Stop offering a service; its bookings stay. Raise ServiceNotFound when it is not the owner's."""
        ...

    async def get_offer(self, *, service_id: UUID) -> Offer:
        """Raise ServiceNotFound when there is no such service."""
        ...

    async def get_offers(self, *, service_ids: Collection[UUID]) -> dict[UUID, Offer]:
        """Return the offers by service; raise ServiceNotFound when one of them is missing."""
        ...

    async def get_contact(self, *, provider_id: UUID) -> ProviderContact:
        """Return how to reach a provider, for the sides of a confirmed booking; raise ProviderNotFound."""
        ...

    async def get_provider_ref(self, *, provider_id: UUID) -> ProviderRef:
        """Return any provider in any state; raise ProviderNotFound when there is none."""
        ...

    async def get_provider_refs(self, *, provider_ids: Collection[UUID]) -> dict[UUID, ProviderRef]:
        """Return providers in any state; raise ProviderNotFound when one of them is missing."""
        ...

    async def find_provider_owned_by(self, *, owner_id: UUID) -> ProviderRef | None: ...

    async def set_picture(self, *, provider_id: UUID, url: str) -> None:
        """Show a picture of this installation instead of the portrait that the owner chose.

        Args:
            url: A path of this installation, never a `data:` URL.

        Raises:
            ProviderNotFound
            ProfileInvalid: `url` is not such a path.
        """
        ...


class ProviderSnapshots(Protocol):
    """The snapshots that read models copy."""

    async def list_snapshots(self, *, provider_ids: Collection[UUID]) -> list[ProviderSnapshot]:
        """Return the providers that exist, in the order of their ids."""
        ...

    async def list_snapshots_after(self, *, after: UUID | None, limit: int) -> list[ProviderSnapshot]:
        """Return the next providers in the order of their ids; the first ones without `after`."""
        ...


class ExternalProviders(Protocol):
    """Providers whose profiles another system maintains until their owners claim them."""

    async def put_providers(
        self, *, vertical: str, source: str, providers: Sequence[ExternalProvider], fingerprints: Mapping[str, str]
    ) -> ExternalOutcome:
        """Create or update up to 500 unclaimed, approved providers in one transaction and one event.

        A provider is recognised by `source` and `external_id`. A claimed one stays as it is and counts as unchanged.

        Args:
            fingerprints: By external id, of the whole row in the other system; an equal one means that nothing has
                changed.

        Raises:
            VerticalUnknown, CategoryUnknown, ProfileInvalid, ServiceInvalid: Nothing was written; the detail begins
                with the external id of the row.
        """
        ...

    async def list_exported_after(self, *, after: UUID | None, limit: int) -> list[ExportedProvider]:
        """Return the next providers in the order of their ids; the first ones without `after`."""
        ...


class ProviderSchedules(Protocol):
    """Implemented by booking, which is built after providers and therefore looked up at each call."""

    async def follow_timezone(self, change: ProviderTimezoneSet) -> None:
        """Keep the wall times of hours in the new zone. A change that is not newer than the last one is ignored.

        The event delivers the same change later; this call makes it visible before the caller gets its response.
        """
        ...

    async def list_bookings_at_other_times(self, *, provider_id: UUID, timezone: str) -> list[BookingAtOtherTime]:
        """Return future live bookings whose wall time in `timezone` differs from the one booked, by their start."""
        ...
