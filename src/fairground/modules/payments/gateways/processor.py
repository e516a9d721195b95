"""The card processor, as payments needs it. `stripe.py` is its one implementation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from fairground.modules.payments.domain import Standing


class NoAnswer(Exception):
    """The processor did not answer, or not in a way that says what it did: it may have done it."""


class KeyIsSpent(NoAnswer):
    """It failed, and will give the same failure to every replay of the key; what it did must be looked up."""


class Refused(Exception):
    """The processor will not do it, and has not. `standing` says how the payment stands, where the answer said so."""

    def __init__(self, reason: str, *, standing: Standing | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.standing = standing


class SignatureInvalid(Exception):
    """A webhook that the processor did not sign, or not within the last five minutes. The message says which."""


class EventUnreadable(Exception):
    """A webhook that the processor signed and that is no event. The message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class NewIntent:
    """What an intent is made of; the same for every replay of its key."""

    payment_id: UUID
    amount_minor: int
    currency: str
    payment_method: str
    return_url: str


@dataclass(frozen=True, kw_only=True)
class ProcessorRefund:
    processor_refund_id: str
    refund_id: UUID | None
    """What we called it; None when somebody else made it."""
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class ProcessorEvent:
    event_id: str
    kind: str
    intent_id: str | None
    """The intent that it is about, if it is about one."""


class PaymentProcessor(Protocol):
    """Every call may raise `NoAnswer`; those that change something also `KeyIsSpent` and `Refused`.

    Keys are ours and stored before the call: repeating a call with its key does it once.
    """

    async def create(self, new: NewIntent, *, key: UUID) -> Standing:
        """Reserve the amount on the card, to be captured later."""
        ...

    async def capture(self, intent_id: str, *, key: UUID) -> Standing:
        """Take the whole authorised amount."""
        ...

    async def cancel(self, intent_id: str, *, key: UUID) -> Standing: ...

    async def refund(self, intent_id: str, *, amount_minor: int, currency: str, refund_id: UUID, key: UUID) -> str:
        """Give money back and return the processor's name of the refund."""
        ...

    async def get_standing(self, intent_id: str) -> Standing:
        """Raise `Refused` when there is no such intent."""
        ...

    async def find_standing(self, payment_id: UUID, *, since: datetime) -> Standing | None:
        """Find the intent that was made for a payment at or after `since`, by what it was called then."""
        ...

    async def list_refunds(self, intent_id: str) -> Sequence[ProcessorRefund]:
        """Return the refunds of an intent that went through."""
        ...

    async def list_events(self, *, after: str | None) -> tuple[Sequence[ProcessorEvent], bool]:
        """Return the events that follow one, oldest first, and whether there are more; without one, the newest.

        Raises:
            Refused: The processor does not remember the event.
        """
        ...

    async def read_webhook(self, body: bytes, *, headers: Mapping[str, str]) -> ProcessorEvent:
        """Check who sent a webhook and return what it says.

        Raises:
            SignatureInvalid: The processor did not send this, or not just now.
            EventUnreadable: It is signed, and no event.
        """
        ...
