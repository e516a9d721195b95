"""The card processor, as payments needs it. `stripe.py` is the one implementation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from fairground.modules.payments.domain import IntentSnapshot, ProcessorRefund


class ProcessorUnavailable(Exception):
    """The processor gave no answer that says what it did: the operation may have happened."""


class IdempotencyKeyConsumed(ProcessorUnavailable):
    """The processor failed and replays that failure for the key; what it did must be looked up."""


class ProcessorDeclined(Exception):
    """The processor refused, and did nothing. `snapshot` is the intent, where the answer contained it."""

    def __init__(self, reason: str, *, snapshot: IntentSnapshot | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.snapshot = snapshot


class SignatureInvalid(Exception):
    """The processor did not sign the webhook, or not within the last five minutes. The message says which."""


class EventUnreadable(Exception):
    """The webhook is signed, and no event. The message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class NewIntent:
    """The parameters of a new intent; the same for every replay of its key."""

    payment_id: UUID
    amount_minor: int
    currency: str
    payment_method: str
    return_url: str


@dataclass(frozen=True, kw_only=True)
class ProcessorEvent:
    event_id: str
    kind: str
    intent_id: str | None
    """The intent that the event is about, if any."""


class PaymentProcessor(Protocol):
    """A card processor.

    Every call may raise `ProcessorUnavailable`; calls that move money also raise `IdempotencyKeyConsumed` and
    `ProcessorDeclined`. Keys are stored before the call; repeating a call with its key has one effect.
    """

    async def create(self, new: NewIntent, *, key: UUID) -> IntentSnapshot:
        """Reserve the amount on the card, to be captured later."""
        ...

    async def capture(self, intent_id: str, *, key: UUID) -> IntentSnapshot:
        """Take the whole authorised amount."""
        ...

    async def cancel(self, intent_id: str, *, key: UUID) -> IntentSnapshot: ...

    async def refund(self, intent_id: str, *, amount_minor: int, currency: str, refund_id: UUID, key: UUID) -> str:
        """Give money back and return the processor's id of the refund."""
        ...

    async def get_snapshot(self, intent_id: str) -> IntentSnapshot:
        """Return the intent without its refunds; raise `ProcessorDeclined` when there is no such intent."""
        ...

    async def find_snapshot(self, payment_id: UUID, *, since: datetime) -> IntentSnapshot | None:
        """Find the intent that was made for a payment at or after `since`, by the payment's id in its metadata."""
        ...

    async def list_refunds(self, intent_id: str) -> Sequence[ProcessorRefund]:
        """Return the refunds of an intent that went through."""
        ...

    async def list_events(self, *, after: str | None) -> tuple[Sequence[ProcessorEvent], bool]:
        """Return the events that follow one, oldest first, and whether there are more; without one, the newest.

        Raises:
            ProcessorDeclined: The processor has forgotten the event.
        """
        ...

    async def read_webhook(self, body: bytes, *, headers: Mapping[str, str]) -> ProcessorEvent:
        """Check the signature of a webhook and return its event.

        Raises:
            SignatureInvalid, EventUnreadable
        """
        ...
