"""What providers answers, and what it asks of the module that books."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from fairground.contracts.providers.events import ProviderTimezoneSet
from fairground.contracts.providers.profiles import (
    BookingAtOtherTime,
    ChangedProvider,
    ExportedProvider,
    ExternalOutcome,
    ExternalProvider,
    Offer,
    OwnProvider,
    ProfileChanges,
    ProfileIn,
    ProviderDetail,
    ProviderRef,
    ProviderSnapshot,
    Service,
    ServiceIn,
)


class Providers(Protocol):
    async def get_currency(self) -> str:
        """Return the ISO 4217 code of the one currency of this installation."""
        ...

    async def get_provider(self, *, id_or_slug: str) -> ProviderDetail:
        """Return an approved provider; raise ProviderNotFound otherwise."""
        ...

    async def get_own_provider(self, *, owner_id: UUID) -> OwnProvider:
        """Return the caller's own profile in any state; raise ProviderNotFound when there is none."""
        ...

    async def get_provider_for_review(self, *, provider_id: UUID) -> OwnProvider:
        """Return any provider in any state, for staff; raise ProviderNotFound when there is none."""
        ...

    async def list_submitted(self, *, limit: int) -> list[OwnProvider]:
        """Return the profiles that wait for a decision, the one that waits longest first."""
        ...

    async def create_provider(self, *, owner_id: UUID, profile: ProfileIn) -> OwnProvider:
        """Make a draft.

        Raises:
            NotAProvider: The account is not a provider's.
            ProfileExists, VerticalUnknown, CategoryUnknown, ProfileInvalid
        """
        ...

    async def change_provider(self, *, owner_id: UUID, provider_id: UUID, changes: ProfileChanges) -> ChangedProvider:
        """Change a profile in any state.

        With another `timezone`, hours keep their wall times and bookings their instants; the answer lists the bookings
        that are at another wall time for it.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
            CategoryUnknown, ProfileInvalid
        """
        ...

    async def submit_provider(self, *, owner_id: UUID, provider_id: UUID) -> OwnProvider:
        """Ask for approval: draft or rejected → submitted.

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
        """Return what an approved provider offers, or one's own provider in any state; else raise ProviderNotFound."""
        ...

    async def add_service(self, *, owner_id: UUID, provider_id: UUID, service: ServiceIn) -> Service:
        """Raise ProviderNotFound, CategoryUnknown, CurrencyUnsupported, or ServiceInvalid."""
        ...

    async def withdraw_service(self, *, owner_id: UUID, service_id: UUID) -> None:
        """Stop offering a service; bookings made of it stay. Raise ServiceNotFound when it is not the owner's."""
        ...

    async def get_offer(self, *, service_id: UUID) -> Offer:
        """Raise ServiceNotFound when there is no such service."""
        ...

    async def get_provider_ref(self, *, provider_id: UUID) -> ProviderRef:
        """Return any provider in any state; raise ProviderNotFound when there is none."""
        ...

    async def find_provider_owned_by(self, *, owner_id: UUID) -> ProviderRef | None: ...

    async def set_picture(self, *, provider_id: UUID, url: str) -> None:
        """Set what the card shows, in place of a portrait that was chosen.

        Args:
            url: A path of this installation, never a `data:` URL.

        Raises:
            ProviderNotFound
            ProfileInvalid: It is not such a path.
        """
        ...


class ProviderSnapshots(Protocol):
    """What read models copy of providers."""

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
        """Let hours keep their wall times in the new zone. A change that is not newer than the last one is ignored.

        The event brings the same change; this call only makes it visible before the answer of the change.
        """
        ...

    async def list_bookings_at_other_times(self, *, provider_id: UUID, timezone: str) -> list[BookingAtOtherTime]:
        """Return live bookings ahead whose wall time in a zone is not the one they were made at, by their start."""
        ...
