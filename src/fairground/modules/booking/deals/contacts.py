"""Contacts: how the two sides of a confirmed booking reach each other. No booking stores a copy of them."""

from uuid import UUID

from fairground.contracts.accounts import Accounts, User
from fairground.contracts.booking import BookingContact
from fairground.contracts.providers import Providers
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord


class Contacts:
    def __init__(self, *, accounts: Accounts, providers: Providers) -> None:
        self._accounts = accounts
        self._providers = providers

    async def find_contact(self, record: BookingRecord, *, reader: Actor) -> BookingContact | None:
        """Return how the reader reaches the other side; None before the confirmation and after a cancellation."""
        if not record.shares_contacts:
            return None
        if reader is Actor.CUSTOMER:
            return await self._find_provider(record)
        customer = await self._find_user(record.customer_id)
        return BookingContact(
            name=customer.name if customer else "",
            email=customer.email if customer else None,
            phone=record.phone,
            address=record.address,
            meeting_details=None,
        )

    async def _find_provider(self, record: BookingRecord) -> BookingContact:
        contact = await self._providers.get_contact(provider_id=record.provider_id)
        # A customer who has paid must be able to write to a provider who has named no address for it.
        owner = None if contact.email else await self._find_user(record.provider_owner_id)
        return BookingContact(
            name=contact.name,
            email=owner.email if owner else contact.email,
            phone=contact.phone,
            address=contact.address if record.place == "provider" else None,
            meeting_details=contact.meeting_details if record.place == "online" else None,
        )

    async def _find_user(self, user_id: UUID) -> User | None:
        return (await self._accounts.find_users(user_ids={user_id})).get(user_id)
