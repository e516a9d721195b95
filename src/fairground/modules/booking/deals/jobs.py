"""Work that booking asks of itself."""

from typing import ClassVar, Final
from uuid import UUID

from fairground.contracts.booking import BookingStatus
from fairground.kernel.messages import Job, Queue

# Two days and more, because an hour's outage of the processor must not keep a customer's money.
_MONEY_ATTEMPTS: Final = 60


class ExpireBooking(Job):
    """End a hold or a request, if it has lapsed by then."""

    topic: ClassVar = "booking.expire.v1"
    booking_id: UUID
    was: BookingStatus


class ExpireLapsed(Job):
    """End all holds and requests that have lapsed and that no other job has ended."""

    topic: ClassVar = "booking.expire_lapsed.v1"


class CompleteBooking(Job):
    """Count a confirmed booking as completed, if neither side has said so."""

    topic: ClassVar = "booking.complete.v1"
    booking_id: UUID


class ReleasePayment(Job):
    """Give back all of the money of a booking that was never confirmed."""

    topic: ClassVar = "booking.release_payment.v1"
    queue: ClassVar = Queue.MONEY
    max_attempts: ClassVar = _MONEY_ATTEMPTS
    booking_id: UUID


class RefundPayment(Job):
    """Give back what the cancellation policy says."""

    topic: ClassVar = "booking.refund_payment.v1"
    queue: ClassVar = Queue.MONEY
    max_attempts: ClassVar = _MONEY_ATTEMPTS
    booking_id: UUID
    amount_minor: int
