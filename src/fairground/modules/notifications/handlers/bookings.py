"""What becomes of a booking is told to its sides."""

from collections.abc import Mapping

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingRequested,
    Bookings,
)
from fairground.kernel.clock import Clock
from fairground.kernel.messages import Message
from fairground.modules.notifications.domain import (
    NEWS_OF_BOOKINGS,
    Audience,
    BookingEvent,
    changes_calendar,
    is_news,
    was_only_held,
)
from fairground.modules.notifications.notices import NoticeWriter
from fairground.modules.notifications.service import NotificationService
from fairground.platform.module import Handler


class BookingNews:
    def __init__(
        self,
        *,
        service: NotificationService,
        writer: NoticeWriter,
        bookings: Bookings,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._service = service
        self._writer = writer
        self._bookings = bookings
        self._accounts = accounts
        self._clock = clock

    def table(self) -> Mapping[type[Message], Handler]:
        return {
            BookingRequested: self.tell_sides,
            BookingConfirmed: self.tell_sides,
            BookingDeclined: self.tell_sides,
            BookingCancelled: self.tell_sides,
            BookingExpired: self.tell_sides,
            BookingCompleted: self.tell_sides,
        }

    async def tell_sides(self, event: BookingEvent) -> None:
        sides = await self._bookings.find_booking_side(booking_id=event.booking_id)
        if sides is None or was_only_held(event):
            return
        booking = await self._bookings.describe_booking(booking_id=event.booking_id)
        if not is_news(event.topic, status=booking.status, ends_at=booking.ends_at, now=self._clock.now()):
            return
        customer = await self._accounts.get_user(user_id=sides.customer_id)
        users = {Audience.CUSTOMER: sides.customer_id, Audience.PROVIDER: sides.provider_owner_id}
        await self._service.tell(
            [
                self._writer.write(
                    event.topic,
                    audience=audience,
                    user_id=users[audience],
                    subject_id=booking.id,
                    changes_calendar=changes_calendar(event),
                    event=event,
                    booking=booking,
                    customer_name=customer.name,
                )
                for audience in NEWS_OF_BOOKINGS[event.topic].audiences
            ]
        )
