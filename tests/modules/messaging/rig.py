"""Messaging on a real database, with bookings and accounts from memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from fairground.contracts.accounts import Accounts, User
from fairground.contracts.booking import Booking, Bookings, BookingSide, BookingStatus
from fairground.contracts.messaging import Messages, ThreadMessage
from fairground.kernel.ids import uuid7
from fairground.modules.messaging.service import MessageService
from fairground.modules.messaging.service.past_threads import PastThreads
from fairground.modules.messaging.service.queries import MessageQueries
from fairground.modules.messaging.service.sender import MessageSender, MessageStats
from fairground.platform.db.common.rate_limits import RateLimiter
from fairground.platform.db.database import Database
from tests.doubles.accounts import FakeAccounts

STARTS_AT = datetime(2030, 5, 17, 18, tzinfo=UTC)


@dataclass
class KnownBookings:
    sides: dict[UUID, BookingSide] = field(default_factory=dict)

    async def find_booking_side(self, *, booking_id: UUID) -> BookingSide | None:
        return self.sides.get(booking_id)

    async def find_booking_sides(self, *, booking_ids: Collection[UUID]) -> dict[UUID, BookingSide]:
        return {booking_id: self.sides[booking_id] for booking_id in booking_ids if booking_id in self.sides}

    async def describe_bookings(self, *, booking_ids: Collection[UUID]) -> Mapping[UUID, Booking]:
        known = await self.find_booking_sides(booking_ids=booking_ids)
        return {booking_id: _description(side) for booking_id, side in known.items()}


def _description(side: BookingSide) -> Booking:
    values: dict[str, Any] = dict.fromkeys(Booking.model_fields)
    return Booking.model_construct(
        **values
        | {
            "id": side.booking_id,
            "service_name": "Evening set",
            "provider_name": "Maya & the Tides",
            "starts_at": STARTS_AT,
            "timezone": "Europe/Oslo",
        }
    )


@dataclass
class Rig:
    db: Database
    bookings: KnownBookings
    accounts: FakeAccounts
    messages: Messages
    stats: MessageStats
    customer: User
    owner: User

    async def now(self) -> datetime:
        async with self.db.read() as tx:
            return await tx.current_time()

    def pass_time(self, **span: float) -> None:
        """Move the database's clock forward."""
        self.db.clock_shift += timedelta(**span)

    def book(
        self,
        status: BookingStatus = BookingStatus.CONFIRMED,
        *,
        customer: User | None = None,
        ended_at: datetime | None = None,
        was_only_held: bool = False,
    ) -> BookingSide:
        side = BookingSide(
            booking_id=uuid7(),
            status=status,
            customer_id=(customer or self.customer).id,
            provider_id=uuid7(),
            provider_slug="maya-the-tides",
            provider_owner_id=self.owner.id,
            was_only_held=was_only_held,
            ended_at=ended_at,
        )
        self.bookings.sides[side.booking_id] = side
        return side

    async def send(
        self, booking: BookingSide, sender: User, text: str = "Hello", *, client_message_id: UUID | None = None
    ) -> ThreadMessage:
        return await self.messages.send_message(
            sender_id=sender.id,
            booking_id=booking.booking_id,
            text=text,
            client_message_id=client_message_id or uuid7(),
        )

    async def texts(self, booking: BookingSide, reader: User, **query: Any) -> list[str]:
        asked = {"limit": 100} | query
        thread = await self.messages.get_thread(user_id=reader.id, booking_id=booking.booking_id, **asked)
        return [message.text for message in thread.data]

    async def unread(self, booking: BookingSide, reader: User) -> int:
        thread = await self.messages.get_thread(user_id=reader.id, booking_id=booking.booking_id, limit=1)
        return thread.unread_count


def make_rig(db: Database) -> Rig:
    accounts, known, stats = FakeAccounts(), KnownBookings(), MessageStats()
    bookings = cast("Bookings", known)
    messages = MessageService(
        sender=MessageSender(db=db, bookings=bookings, limiter=RateLimiter(db), stats=stats),
        queries=MessageQueries(db=db, bookings=bookings, accounts=cast("Accounts", accounts)),
        past=PastThreads(db=db, bookings=bookings),
    )
    return Rig(
        db=db,
        bookings=known,
        accounts=accounts,
        messages=messages,
        stats=stats,
        customer=accounts.add("Nora Lind"),
        owner=accounts.add("Maya Rivera"),
    )
