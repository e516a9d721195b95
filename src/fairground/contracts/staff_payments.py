"""Payments as staff see them, with their operations and the events of the processor, and refunds by staff."""

from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.contracts.payments import Payment, PaymentStatus


class StaffPayment(Payment):
    payer_id: UUID
    intent_id: str | None
    """The processor's id."""
    captured_at: datetime | None
    refunding_minor: int
    """Reserved for refunds whose outcome is unknown."""


class StaffPaymentPage(DTO):
    data: list[StaffPayment]
    next_cursor: str | None
    """None when nothing follows."""


class PaymentAttempt(DTO):
    """A call to the processor was begun, or its outcome became known."""

    operation: str
    """`create`, `capture`, `cancel` or `refund`."""
    outcome: str
    reason: str | None
    logged_at: datetime


class PaymentRefund(DTO):
    key: str
    """What it was for, such as `cancel:…` or `staff:…`."""
    status: str
    amount_minor: int
    opened_at: datetime
    succeeded_at: datetime | None


class ProcessorEvent(DTO):
    """An event of the processor that has arrived by webhook or by list."""

    event_id: str
    kind: str
    received_at: datetime


class StaffPaymentDetail(StaffPayment):
    attempts: list[PaymentAttempt]
    """The oldest first, at most 200."""
    refunds: list[PaymentRefund]
    events: list[ProcessorEvent]


class MoneyFigures(DTO):
    """Of one currency, on this day in UTC. Amounts are its minor units."""

    currency: str
    captured_minor: int
    refunded_minor: int
    net_minor: int


class StaffPayments(Protocol):
    """For pages and routes that admit staff alone, and for booking, which checks who acts."""

    async def search_payments(
        self,
        *,
        words: str = "",
        status: PaymentStatus | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffPaymentPage:
        """Return payments, the newest first.

        Args:
            words: The id of a payment, of a booking, or the processor's id; whole.
            from_date: The first day on which the payment was begun, in UTC.
            to_date: The last one.

        Raises:
            CursorInvalid
        """
        ...

    async def get_payment_for_staff(self, *, payment_id: UUID) -> StaffPaymentDetail:
        """Raise PaymentNotFound when there is none."""
        ...

    async def list_payments_of(self, *, payer_id: UUID, limit: int) -> list[StaffPayment]:
        """Return the newest payments of an account."""
        ...

    async def refund_for_staff(
        self, *, staff_id: UUID, reference_id: UUID, amount_minor: int, reason: str, refund_id: UUID
    ) -> Payment:
        """Give part or all of a captured payment back; the audit trail has it in the transaction that starts it.

        Repeating it with the same `refund_id` refunds once.

        Raises:
            RefundTooLarge, AmountNotChargeable, PaymentNotFound, PaymentStateConflict, PaymentPending
        """
        ...

    async def read_figures(self) -> list[MoneyFigures]:
        """Return today's money, by currency."""
        ...
