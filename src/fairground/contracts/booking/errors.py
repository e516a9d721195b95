"""What booking refuses."""

from fairground.kernel.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound


class BookingNotFound(NotFound):
    code = "booking.not_found"
    hint = "GET /api/v1/bookings lists yours."


class NotOffered(Invalid):
    code = "booking.not_offered"
    hint = "Choose a start that GET /api/v1/service-provider-profiles/{id}/availability lists."


class NotBookable(Conflict):
    code = "booking.not_bookable"


class SlotTaken(Conflict):
    code = "booking.slot_taken"
    hint = "Choose another time; GET /api/v1/service-provider-profiles/{id}/availability lists the free ones."


class AlreadyBooked(SlotTaken):
    """A booking of the caller's own takes the time; `context["booking_id"]` names it."""

    code = "booking.already_booked"
    hint = "GET /api/v1/bookings/{booking_id} shows that booking; cancel it, or choose another time."


class PriceChanged(Conflict):
    """The total is not the expected one; `context["total_minor"]` holds what it is now."""

    code = "booking.price_changed"
    hint = "Show the new total and book again with it."


class TooManyHolds(LimitExceeded):
    code = "booking.too_many_holds"
    hint = "Pay for or cancel one of the times you hold, or wait until one lapses."


class StatusConflict(Conflict):
    code = "booking.status_conflict"
    hint = "GET /api/v1/bookings/{id} shows how it stands and, in next_steps, what can be done."


class HoldLapsed(Conflict):
    code = "booking.hold_lapsed"
    hint = "Choose a time again; nothing was charged."


class NotYet(Conflict):
    code = "booking.not_yet"


class OwnService(Forbidden):
    code = "booking.own_service"


class DetailsInvalid(Invalid):
    code = "booking.details_invalid"
