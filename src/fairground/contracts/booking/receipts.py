"""The receipt of a booking whose money was taken."""

from datetime import datetime
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.contracts.payments import PaidCard, RefundMade
from fairground.kernel.errors import NotFound


class ReceiptLine(DTO):
    words: str
    quantity: int
    unit_price_minor: int
    total_minor: int


class Receipt(DTO):
    """What a customer has paid for a booking, and got back since. Amounts are minor units of `currency`."""

    number: str
    """Stays the same as long as the payment does, such as R-8D2F-41A9-77C0."""
    booking_id: UUID
    provider_name: str
    customer_name: str
    service_name: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    place: str | None
    lines: list[ReceiptLine]
    currency: str
    captured_minor: int
    captured_at: datetime
    card: PaidCard | None
    refunds: list[RefundMade]
    """The oldest first."""
    refunded_minor: int
    net_minor: int
    """What was captured, without what was refunded."""


class ReceiptNotFound(NotFound):
    code = "booking.receipt_not_found"
    hint = "A receipt exists once the money has been taken; payment.captured_minor of the booking says how much."
