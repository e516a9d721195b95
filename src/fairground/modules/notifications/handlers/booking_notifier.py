"""Notifies the sides of a booking of its transitions."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.kernel.clock import Clock
from fairground.modules.notifications.domain import (
    BOOKING_RULES,
    Audience,
    BookingEvent,
    changes_calendar,
    is_current,
    was_only_held,
)
from fairground.modules.notifications.renderers import NotificationRenderer
from fairground.modules.notifications.service import NotificationService


class BookingNotifier:
    def __init__(
        self,
        *,
        service: NotificationService,
        renderer: NotificationRenderer,
        bookings: Bookings,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._service = service
        self._renderer = renderer
        self._bookings = bookings
        self._accounts = accounts
        self._clock = clock

    async def notify_sides(self, event: BookingEvent) -> None:
        sides = await self._bookings.find_booking_side(booking_id=event.booking_id)
        if sides is None or was_only_held(event):
            return
        booking = await self._bookings.describe_booking(booking_id=event.booking_id)
        if not is_current(event.topic, status=booking.status, ends_at=booking.ends_at, now=self._clock.now()):
            return
        customer = await self._accounts.get_user(user_id=sides.customer_id)
        users = {Audience.CUSTOMER: sides.customer_id, Audience.PROVIDER: sides.provider_owner_id}
        await self._service.add_notifications(
            [
                self._renderer.render(
                    event.topic,
                    audience=audience,
                    user_id=users[audience],
                    subject_id=booking.id,
                    changes_calendar=changes_calendar(event),
                    event=event,
                    booking=booking,
                    customer_name=customer.name,
                )
                for audience in BOOKING_RULES[event.topic].audiences
            ]
        )
