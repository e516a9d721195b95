"""A running program with one approved provider, a customer and an admin."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import AvailabilityRules, Bookings, BookingView
from fairground.contracts.payments import Payments, PaymentStatus
from fairground.contracts.providers import BookingMode, Providers
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from tests.doubles.payments import GOOD_CARD
from tests.modules.booking.rig import ALWAYS_OPEN
from tests.support.addresses import HOME
from tests.support.providers import a_profile, a_service


@dataclass
class Fair:
    """A running program with one approved provider."""

    program: Program
    owner_id: UUID
    provider_id: UUID
    customer_id: UUID
    staff_id: UUID

    @property
    def bookings(self) -> Bookings:
        return self.program.links.of(Bookings)

    async def now(self) -> datetime:
        async with self.program.db.read() as tx:
            return await tx.current_time()

    async def tomorrow(self) -> datetime:
        return (await self.now()).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=2)

    async def hold(self, mode: BookingMode = BookingMode.REQUEST) -> BookingView:
        providers = self.program.links.of(Providers)
        service = await providers.add_service(
            owner_id=self.owner_id, provider_id=self.provider_id, service=a_service(booking_mode=mode)
        )
        return await self.bookings.hold(
            customer_id=self.customer_id,
            service_id=service.id,
            starts_at=await self.tomorrow(),
            place="customer",
            address=HOME,
        )

    async def pay(self, booking: BookingView, *, card: str = GOOD_CARD) -> BookingView:
        return await self.bookings.pay(customer_id=self.customer_id, booking_id=booking.id, payment_method=card)

    async def eventually(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for what the worker does by itself."""
        for _ in range(200):
            if await holds():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("It did not happen within ten seconds.")

    async def until_money(self, booking: BookingView, status: PaymentStatus, *, refunded_minor: int = 0) -> None:
        async def moved() -> bool:
            payment = await self.program.links.of(Payments).find_payment(reference_id=booking.id)
            return payment is not None and payment.status is status and payment.refunded_minor == refunded_minor

        await self.eventually(moved)


@asynccontextmanager
async def open_fair(database_url: str, *, folder: Path) -> AsyncIterator[Fair]:
    program = compose(Settings(database_url=database_url, data_dir=folder))
    async with program.running():
        accounts, providers = program.links.of(Accounts), program.links.of(Providers)
        people = [
            ("owner@example.org", Role.PROVIDER),
            ("kim@example.org", Role.CUSTOMER),
            ("s@example.org", Role.ADMIN),
        ]
        users = await accounts.create_users_in_bulk(
            users=[(email, "Kim", role) for email, role in people], password="correct horse battery"
        )
        owner, customer, staff = (user.id for user in users)
        provider = await providers.create_provider(owner_id=owner, profile=a_profile(timezone="UTC"))
        await providers.submit_provider(owner_id=owner, provider_id=provider.id)
        await providers.approve_provider(staff_id=staff, provider_id=provider.id)
        rules = AvailabilityRules(timezone="UTC", weekly=ALWAYS_OPEN)
        await program.links.of(Bookings).set_rules(owner_id=owner, provider_id=provider.id, rules=rules)
        yield Fair(program, owner, provider.id, customer, staff)
