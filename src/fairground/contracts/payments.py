"""Payments: what was authorised, captured and given back for a reference of another module."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Invalid, NotFound, PaymentRefused, Unavailable
from fairground.kernel.messages import Event, Queue


class PaymentStatus(StrEnum):
    STARTED = "started"
    """Written down; the processor's answer is not known yet."""
    REQUIRES_ACTION = "requires_action"
    """The customer must prove who they are at `action_url`."""
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    """Taken; part or all of it may have been given back since, see `refunded_minor`."""
    VOIDED = "voided"
    FAILED = "failed"


class Payment(DTO):
    """The one live payment of a reference. Amounts are minor units of `currency`."""

    id: UUID
    reference_id: UUID
    """The booking that is paid for; payments itself does not know what it is."""
    status: PaymentStatus
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    action_url: str | None
    is_being_released: bool = False
    """All of it is being given back: what is authorised is being voided, what is captured refunded."""
    failure_code: str | None
    """The processor's reason, such as `card_declined` or `insufficient_funds`."""
    created_at: datetime


_BRANDS: Final = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay"}


class PaidCard(DTO):
    brand: str
    """The processor's word, such as `visa` or `amex`."""
    last4: str

    @property
    def words(self) -> str:
        """Return the card as people know it, such as "Visa •••• 4242"."""
        return f"{_BRANDS.get(self.brand, self.brand.capitalize())} •••• {self.last4}"


class RefundMade(DTO):
    amount_minor: int
    refunded_at: datetime


class PaymentReceipt(DTO):
    """What was taken for a reference, and given back since. Amounts are minor units of `currency`."""

    payment_id: UUID
    captured_minor: int
    captured_at: datetime
    card: PaidCard | None
    """None until the processor has named it, a moment after the payment."""
    refunds: list[RefundMade]
    """The oldest first."""
    refunded_minor: int
    currency: str


class CardFields(DTO):
    """The processor's own fields for a card, which a browser loads from it: card numbers never reach this server.

    The origins are sources of a Content Security Policy.
    """

    publishable_key: str
    script_url: str
    script_origins: tuple[str, ...]
    frame_origins: tuple[str, ...]
    connection_origins: tuple[str, ...]


class PaymentNotFound(NotFound):
    code = "payment.not_found"


class PaymentFailed(PaymentRefused):
    """The processor refused; `context["reason"]` says why."""

    code = "payment.failed"
    hint = "Try another card."


class PaymentPending(Unavailable):
    """The processor has not answered. The payment may still happen, and is settled in the background."""

    code = "payment.pending"
    is_resumable = True  # every call to the processor has a stored key, which a later call reuses
    hint = "Wait a moment and try again. The same request continues the same payment."


class AmountNotChargeable(Invalid):
    """The card processor does not take the currency, or not amounts as fine as this one."""

    code = "payment.amount_not_chargeable"


class RefundTooLarge(Invalid):
    """More than is left; `context["left_minor"]` says how much that is."""

    code = "payment.refund_too_large"


class PaymentStateConflict(Conflict):
    code = "payment.state_conflict"


class PaymentAuthorised(Event):
    topic: ClassVar = "payments.authorised.v1"
    queue: ClassVar = Queue.MONEY
    payment_id: UUID
    reference_id: UUID
    amount_minor: int
    currency: str


class PaymentCaptured(Event):
    topic: ClassVar = "payments.captured.v1"
    queue: ClassVar = Queue.MONEY
    payment_id: UUID
    reference_id: UUID
    captured_minor: int
    currency: str


class PaymentFailedEvent(Event):
    topic: ClassVar = "payments.failed.v1"
    queue: ClassVar = Queue.MONEY
    payment_id: UUID
    reference_id: UUID
    reason: str


class PaymentReleased(Event):
    """Money was given back: an authorisation voided, or a capture refunded in part or whole."""

    topic: ClassVar = "payments.released.v1"
    queue: ClassVar = Queue.MONEY
    payment_id: UUID
    reference_id: UUID
    refunded_minor: int
    """All that was refunded so far; 0 when an authorisation was voided."""


class Payments(Protocol):
    """Every call to the processor is stored first, and made outside any transaction.

    A payment that a method returns is as its last transaction left it: callers need not read it again.
    """

    @property
    def is_sandbox(self) -> bool:
        """True where no money moves: payments are the sandbox's."""
        ...

    @property
    def bank_origin(self) -> str:
        """Where customers are sent to prove who they are (3-D Secure), as a source of a Content Security Policy."""
        ...

    @property
    def card_fields(self) -> CardFields | None:
        """The processor's card fields; None in the sandbox, which takes names of test cards, and without a key."""
        ...

    async def authorise(
        self,
        *,
        reference_id: UUID,
        payer_id: UUID,
        amount_minor: int,
        currency: str,
        payment_method: str,
        return_url: str,
    ) -> Payment:
        """Reserve the amount on the customer's card.

        A reference has at most one live payment. A repeated call returns it as it is: with the same card always,
        with another one when it is authorised or captured. While the customer has not answered the bank's question
        (3-D Secure), another card replaces it: it is cancelled at the processor, and then a new one is made; as after a
        failure. An authorisation is announced by the event `PaymentAuthorised`, however it comes about.

        Args:
            payment_method: The processor's name of the card, such as `pm_card_visa` in the sandbox.
            return_url: Where the customer comes back to after proving who they are.

        Raises:
            PaymentFailed: The card was declined.
            AmountNotChargeable: The processor takes no such currency or amount.
            PaymentPending: The processor did not answer in 10 s.
        """
        ...

    async def capture(self, *, reference_id: UUID) -> Payment:
        """Take the whole authorised amount. Repeating it returns the captured payment.

        Raises:
            PaymentFailed: The processor refused; the payment stays authorised when it still is.
            PaymentNotFound, PaymentStateConflict, PaymentPending
        """
        ...

    async def release(self, *, reference_id: UUID) -> Payment | None:
        """Give everything back: void what is authorised, refund what is captured, end what is started.

        Repeating it changes nothing. Returns None when there never was a payment.

        Raises:
            PaymentPending: The processor did not answer; call again.
        """
        ...

    async def refund(self, *, reference_id: UUID, amount_minor: int, key: str) -> Payment:
        """Give part or all of a captured payment back. Repeating it with the same `key` refunds once.

        Raises:
            RefundTooLarge, AmountNotChargeable, PaymentNotFound, PaymentStateConflict, PaymentPending
        """
        ...

    async def find_payment(self, *, reference_id: UUID) -> Payment | None:
        """Return the newest payment of the reference from the database, without a call to the processor."""
        ...

    async def find_payments(self, *, reference_ids: Collection[UUID]) -> dict[UUID, Payment]:
        """Return the newest payment of each reference that has one; one that cannot be read is logged and left out."""
        ...

    async def find_receipt(self, *, reference_id: UUID) -> PaymentReceipt | None:
        """Return what was captured for the reference and refunded since; None when nothing was captured."""
        ...

    async def refresh(self, *, reference_id: UUID) -> Payment | None:
        """Read the state of the newest payment from the processor and return it.

        For a customer who returns from the bank's page before the webhook has arrived.

        Raises:
            PaymentPending: The processor did not answer.
        """
        ...
