"""What the catalog answers."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from fairground.contracts.catalog.providers import (
    ChangedProvider,
    ExternalOutcome,
    ExternalProvider,
    LeanList,
    Offer,
    OwnProvider,
    Place,
    PriceBand,
    ProfileChanges,
    ProfileIn,
    ProviderDetail,
    ProviderList,
    ProviderQuery,
    ProviderRef,
    Service,
    ServiceIn,
)
from fairground.contracts.catalog.search import IndexStep, SearchQuery, SearchResult


class Catalog(Protocol):
    async def get_currency(self) -> str:
        """Return the ISO 4217 code of the one currency of this installation."""
        ...

    async def search_providers(self, *, query: ProviderQuery) -> ProviderList:
        """Return a page of approved providers. An unknown category gives an empty list.

        Raises:
            VerticalUnknown: There is no such vertical.
            QueryInvalid: The cursor is none of this sort, or the sort is by distance and `near` is not set.
        """
        ...

    async def search_lean(self, *, query: ProviderQuery) -> LeanList:
        """Do what `search_providers` does, and return of the same providers only what is quick to read."""
        ...

    async def get_price_distribution(self, *, vertical: str | None, category: str | None) -> list[PriceBand]:
        """Return how many providers start in which price band; none for an unknown category.

        Raises:
            VerticalUnknown: There is no such vertical.
        """
        ...

    async def search(self, *, query: SearchQuery) -> SearchResult:
        """Return approved providers who have every word of `q`, in any spelling, the best match first.

        A word is found in names, categories and their aliases, places, services and texts; one that few have may have
        a typing mistake or two. Without a word, or in an unknown category, nobody is found.

        Raises:
            VerticalUnknown: There is no such vertical.
            QueryInvalid: The cursor is none of a search.
        """
        ...

    async def index_providers(self, *, after: UUID | None) -> IndexStep | None:
        """Make the search index anew of the next 500 providers, in the order of their ids; None when there are none."""
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
            ProviderNotFound: No such provider, or it belongs to somebody else.
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

    async def find_provider_refs(self, *, provider_ids: Collection[UUID]) -> dict[UUID, ProviderRef]: ...

    async def find_places(self, *, provider_ids: Collection[UUID]) -> dict[UUID, Place]:
        """Return where approved providers are; without those that have not said so."""
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


class ExternalProviders(Protocol):
    """Providers whose profiles another system maintains until their owners claim them."""

    async def put_providers(self, *, vertical: str, source: str, providers: list[ExternalProvider]) -> ExternalOutcome:
        """Create or update up to 500 unclaimed, approved providers in one transaction and one event.

        A provider is recognised by `source` and `external_id`. A claimed one stays as it is and counts as unchanged.

        Raises:
            VerticalUnknown, CategoryUnknown, ProfileInvalid, ServiceInvalid: Nothing was written; the detail begins
                with the external id of the row.
        """
        ...
