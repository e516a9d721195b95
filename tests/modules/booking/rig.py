"""A booking service on a real database, with a catalog and payments from memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import update

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import AvailabilityRules, BookingStatus, BookingView, WeeklyHours
from fairground.contracts.payments import Payments
from fairground.contracts.providers import BookingMode, Offer, ProviderRef, Providers
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Event, Job, Message
from fairground.modules.booking.deals.tables import BookingRow
from fairground.modules.booking.module import handlers_of
from fairground.modules.booking.service import BookingService, Parts, assemble
from fairground.modules.booking.settings import BookingSettings
from fairground.platform.db.database import Database
from fairground.platform.module import Handler
from fairground.verticals.loader import load_verticals
from tests.doubles.accounts import FakeAccounts
from tests.doubles.payments import GOOD_CARD, FakePayments
from tests.doubles.providers import FakeProviders
from tests.support.outbox import RecordingOutbox

PUBLIC_URL = "https://fair.example"
ORGANIZER = "Fair <hello@fair.example>"
ALWAYS_OPEN = [WeeklyHours(weekday=day, start=time(0), end=time(0)) for day in range(7)]


@dataclass
class Rig:
    db: Database
    outbox: RecordingOutbox
    providers: FakeProviders
    payments: FakePayments
    parts: Parts

    @property
    def service(self) -> BookingService:
        return self.parts.service

    @property
    def handlers(self) -> Mapping[type[Message], Handler]:
        return handlers_of(self.parts)

    async def provider(
        self, *, vertical: str = "tutors", timezone: str = "UTC", weekly: Sequence[WeeklyHours] = tuple(ALWAYS_OPEN)
    ) -> ProviderRef:
        provider = self.providers.add_provider(vertical=vertical, timezone=timezone)
        rules = AvailabilityRules(timezone=timezone, weekly=list(weekly))
        await self.service.set_rules(owner_id=owner_of(provider), provider_id=provider.id, rules=rules)
        return provider

    async def offer(self, *, mode: BookingMode = BookingMode.REQUEST, **service: Any) -> Offer:
        return self.providers.add_service(await self.provider(), mode=mode, **service)

    async def now(self) -> datetime:
        async with self.db.read() as tx:
            return await tx.current_time()

    async def hold(
        self, offer: Offer, *, customer_id: UUID | None = None, starts_at: datetime | None = None, **details: Any
    ) -> BookingView:
        return await self.service.hold(
            customer_id=customer_id or uuid7(),
            service_id=offer.service_id,
            starts_at=starts_at or await self.tomorrow(),
            **details,
        )

    async def tomorrow(self, hour: int = 10) -> datetime:
        """Return an hour of the day after the next, which is offered whatever the notice."""
        day = (await self.now()).date() + timedelta(days=2)
        return datetime.combine(day, time(hour), tzinfo=UTC)

    async def pay(self, booking: BookingView, *, card: str = GOOD_CARD) -> BookingView:
        return await self.service.pay(customer_id=booking.customer_id, booking_id=booking.id, payment_method=card)

    async def request(self, **service: Any) -> BookingView:
        return await self.pay(await self.hold(await self.offer(**service)))

    async def confirmed(self, **service: Any) -> BookingView:
        return await self.pay(await self.hold(await self.offer(mode=BookingMode.INSTANT, **service)))

    def owner(self, booking: BookingView) -> UUID:
        return owner_of(self.providers.providers[booking.provider_id])

    async def status(self, booking: BookingView) -> BookingStatus:
        return (await self.service.describe_booking(booking_id=booking.id)).status

    def pass_time(self, **span: float) -> None:
        """Move the database's clock forward."""
        self.db.clock_shift += timedelta(**span)

    async def run_jobs(self, *kinds: type[Job]) -> None:
        """Run the jobs of these kinds that were asked for so far, once each, whether due or not."""
        due = [job for job in self.outbox.jobs if isinstance(job, kinds)]
        self.outbox.jobs = [job for job in self.outbox.jobs if not isinstance(job, kinds)]
        for job in due:
            await self.handlers[type(job)](job)

    async def store_policy(self, booking_id: UUID, policy: Any) -> None:
        """Overwrite the stored cancellation policy of a booking, which makes it unreadable where it is none."""
        async with self.db.write() as tx:
            await tx.execute(update(BookingRow).where(BookingRow.id == booking_id).values(cancellation=policy))

    def emitted(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.outbox.events if isinstance(event, kind)]


def owner_of(provider: ProviderRef) -> UUID:
    assert provider.owner_id is not None
    return provider.owner_id


def make_rig(db: Database, outbox: RecordingOutbox) -> Rig:
    providers, payments = FakeProviders(), FakePayments()
    parts = assemble(
        db=db,
        providers=cast("Providers", providers),
        payments=cast("Payments", payments),
        verticals=load_verticals(),
        settings=BookingSettings(),
        public_url=PUBLIC_URL,
        accounts=cast("Accounts", FakeAccounts()),
        organizer=ORGANIZER,
    )
    return Rig(db, outbox, providers, payments, parts)
