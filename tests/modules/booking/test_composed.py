"""Bookings with their real neighbours: accounts, catalog, the payment sandbox and the job worker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import AvailabilityRules, Bookings, BookingStatus, BookingView
from fairground.contracts.payments import PaymentFailed, Payments, PaymentStatus
from fairground.contracts.providers import BookingMode, Providers
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from tests.doubles.payments import DECLINED_CARD, GOOD_CARD
from tests.modules.booking.rig import ALWAYS_OPEN
from tests.support.addresses import HOME
from tests.support.providers import a_profile, a_service

pytestmark = pytest.mark.anyio


@dataclass
class Fair:
    """A running program with one approved provider."""

    program: Program
    owner_id: UUID
    provider_id: UUID
    customer_id: UUID

    @property
    def bookings(self) -> Bookings:
        return self.program.links.of(Bookings)

    async def tomorrow(self) -> datetime:
        async with self.program.db.read() as tx:
            now = await tx.current_time()
        return now.replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=2)

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


@pytest.fixture
async def fair(migrated_url: str, tmp_path: Path) -> AsyncIterator[Fair]:
    program = compose(Settings(database_url=migrated_url, data_dir=tmp_path))
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
        yield Fair(program, owner, provider.id, customer)


async def test_a_request_is_paid_accepted_completed_and_counted(fair: Fair) -> None:
    booking = await fair.pay(await fair.hold())
    assert booking.status is BookingStatus.REQUESTED
    accepted = await fair.bookings.accept(owner_id=fair.owner_id, booking_id=booking.id)
    assert accepted.status is BookingStatus.CONFIRMED
    await fair.until_money(booking, PaymentStatus.CAPTURED)
    fair.program.db.clock_shift = timedelta(days=3)
    completed = await fair.bookings.complete(user_id=fair.customer_id, booking_id=booking.id)
    assert completed.status is BookingStatus.COMPLETED
    providers = fair.program.links.of(Providers)

    async def counted() -> bool:
        return (await providers.get_provider(id_or_slug=str(fair.provider_id))).book_count == 1

    await fair.eventually(counted)


async def test_an_instant_booking_is_paid_and_cancelled_by_the_policy(fair: Fair) -> None:
    booking = await fair.pay(await fair.hold(BookingMode.INSTANT))
    assert booking.status is BookingStatus.CONFIRMED
    assert booking.cancellation is not None
    assert 0 <= booking.cancellation.refund_minor <= booking.total_minor
    await fair.bookings.cancel(user_id=fair.owner_id, booking_id=booking.id)
    await fair.until_money(booking, PaymentStatus.CAPTURED, refunded_minor=booking.total_minor)


async def test_a_declined_request_lets_the_money_go(fair: Fair) -> None:
    booking = await fair.pay(await fair.hold())
    await fair.bookings.decline(owner_id=fair.owner_id, booking_id=booking.id, reason="Ill.")
    await fair.until_money(booking, PaymentStatus.VOIDED)


async def test_a_declined_card_can_be_followed_by_a_good_one(fair: Fair) -> None:
    held = await fair.hold()
    with pytest.raises(PaymentFailed):
        await fair.pay(held, card=DECLINED_CARD)
    assert (await fair.pay(held)).status is BookingStatus.REQUESTED


async def test_an_authorisation_whose_caller_died_is_followed_by_the_worker(fair: Fair) -> None:
    held = await fair.hold(BookingMode.INSTANT)
    await fair.program.links.of(Payments).authorise(
        reference_id=held.id,
        payer_id=fair.customer_id,
        amount_minor=held.total_minor,
        currency=held.currency,
        payment_method=GOOD_CARD,
        return_url="http://127.0.0.1:8000/",
    )

    async def confirmed() -> bool:
        return (await fair.bookings.describe_booking(booking_id=held.id)).status is BookingStatus.CONFIRMED

    await fair.eventually(confirmed)


async def test_a_lapsed_request_is_ended_by_the_worker_and_its_money_let_go(fair: Fair) -> None:
    booking = await fair.pay(await fair.hold())
    fair.program.db.clock_shift = timedelta(hours=25)
    await fair.until_money(booking, PaymentStatus.VOIDED)
    assert (await fair.bookings.describe_booking(booking_id=booking.id)).status is BookingStatus.EXPIRED
