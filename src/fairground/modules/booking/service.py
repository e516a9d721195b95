"""The contracts that booking implements, as facades over the objects that do the work."""

from fairground.modules.booking.deals.cancellation import Cancellation
from fairground.modules.booking.deals.checkout import Checkout
from fairground.modules.booking.deals.completion import Completion
from fairground.modules.booking.deals.decisions import RequestDecisions
from fairground.modules.booking.deals.history import BookingHistory
from fairground.modules.booking.deals.holds import Holds
from fairground.modules.booking.deals.queries import BookingQueries
from fairground.modules.booking.deals.zone_changes import ZoneChanges
from fairground.modules.booking.time.rules import Rules
from fairground.modules.booking.time.slots import Slots


class BookingService:
    """The contract `Bookings`."""

    def __init__(
        self,
        *,
        slots: Slots,
        rules: Rules,
        holds: Holds,
        checkout: Checkout,
        decisions: RequestDecisions,
        cancellation: Cancellation,
        completion: Completion,
        history: BookingHistory,
        queries: BookingQueries,
    ) -> None:
        self.list_slots = slots.list_slots
        self.get_rules = rules.get_rules
        self.set_rules = rules.set_rules
        self.hold = holds.hold
        self.pay = checkout.pay
        self.settle_payment = checkout.settle_payment
        self.accept = decisions.accept
        self.decline = decisions.decline
        self.cancel = cancellation.cancel
        self.complete = completion.complete
        self.record_past_bookings = history.record_past_bookings
        self.get_booking = queries.get_booking
        self.list_bookings = queries.list_bookings
        self.find_booking_side = queries.find_booking_side
        self.get_calendar = queries.get_calendar
        self.describe_booking = queries.describe_booking


class ScheduleService:
    """The catalog's contract `ProviderSchedules`."""

    def __init__(self, *, rules: Rules, zone_changes: ZoneChanges) -> None:
        self.follow_timezone = rules.follow_timezone
        self.list_bookings_at_other_times = zone_changes.list_bookings_at_other_times
