"""A catalog in memory: what booking asks of the real one."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fairground.contracts.providers import (
    BookingMode,
    Offer,
    ProviderContact,
    ProviderNotFound,
    ProviderRef,
    ProviderStatus,
    Service,
    ServiceNotFound,
)
from fairground.kernel.ids import uuid7


@dataclass
class FakeProviders:
    providers: dict[UUID, ProviderRef] = field(default_factory=dict)
    offers: dict[UUID, Offer] = field(default_factory=dict)
    contacts: dict[UUID, ProviderContact] = field(default_factory=dict)

    def add_provider(
        self,
        *,
        vertical: str = "tutors",
        timezone: str = "Europe/Oslo",
        status: ProviderStatus = ProviderStatus.APPROVED,
        is_claimed: bool = True,
    ) -> ProviderRef:
        provider_id = uuid7()
        provider = ProviderRef(
            id=provider_id,
            slug=f"ada-{provider_id.hex[-6:]}",
            business_name="Ada Lovelace",
            owner_id=uuid7() if is_claimed else None,
            vertical=vertical,
            timezone=timezone,
            status=status,
        )
        self.providers[provider_id] = provider
        return provider

    def add_service(
        self,
        provider: ProviderRef,
        *,
        price_minor: int = 5000,
        duration_minutes: int = 60,
        mode: BookingMode = BookingMode.REQUEST,
        **terms: Any,
    ) -> Offer:
        offer = Offer(
            service_id=uuid7(),
            service_name="Algebra, one hour",
            provider_id=provider.id,
            provider_name=provider.business_name,
            provider_slug=provider.slug,
            owner_id=provider.owner_id,
            vertical=provider.vertical,
            location="Oslo",
            timezone=provider.timezone,
            price_minor=price_minor,
            currency="EUR",
            duration_minutes=duration_minutes,
            booking_mode=mode,
            places=terms.pop("places", ["online"]),
            is_bookable=provider.owner_id is not None and provider.status is ProviderStatus.APPROVED,
            **terms,
        )
        self.offers[offer.service_id] = offer
        return offer

    async def get_contact(self, *, provider_id: UUID) -> ProviderContact:
        provider = await self.get_provider_ref(provider_id=provider_id)
        return self.contacts.get(provider_id) or ProviderContact(
            name=provider.business_name, email=None, phone=None, address=None, meeting_details=None
        )

    async def get_offer(self, *, service_id: UUID) -> Offer:
        if service_id not in self.offers:
            raise ServiceNotFound(f"There is no service {service_id}.")
        return self.offers[service_id]

    async def get_offers(self, *, service_ids: Collection[UUID]) -> dict[UUID, Offer]:
        return {service_id: await self.get_offer(service_id=service_id) for service_id in service_ids}

    async def get_provider_refs(self, *, provider_ids: Collection[UUID]) -> dict[UUID, ProviderRef]:
        return {provider_id: await self.get_provider_ref(provider_id=provider_id) for provider_id in provider_ids}

    async def get_provider_ref(self, *, provider_id: UUID) -> ProviderRef:
        if provider_id not in self.providers:
            raise ProviderNotFound(f"There is no provider {provider_id}.")
        return self.providers[provider_id]

    async def get_provider(self, *, id_or_slug: str) -> ProviderRef:
        for provider in self.providers.values():
            if id_or_slug in (provider.slug, str(provider.id)) and provider.status is ProviderStatus.APPROVED:
                return provider
        raise ProviderNotFound(f"There is no provider {id_or_slug}.")

    async def list_services(self, *, provider_id: UUID, viewer_id: UUID | None) -> list[Service]:  # noqa: ARG002
        return [
            Service(
                id=offer.service_id,
                provider_id=provider_id,
                name=offer.service_name,
                category="mathematics",
                price_minor=offer.price_minor,
                currency=offer.currency,
                duration_minutes=offer.duration_minutes,
                booking_mode=offer.booking_mode,
                description=None,
                places=offer.places,
            )
            for offer in self.offers.values()
            if offer.provider_id == provider_id
        ]
