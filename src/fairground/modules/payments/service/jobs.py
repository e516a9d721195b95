"""The jobs of payments."""

from typing import ClassVar
from uuid import UUID

from fairground.kernel.messages import Job, Queue


class SettlePayment(Job):
    """Settle what is open on a payment. Stored before every call to the processor, in case the process dies in it."""

    topic: ClassVar = "payments.settle.v1"
    queue: ClassVar = Queue.MONEY
    # With the pauses between attempts this outlasts the day after which the processor forgets a key.
    max_attempts: ClassVar[int] = 40
    payment_id: UUID


class ApplyEvent(Job):
    """Fetch the intent of an event and apply it."""

    topic: ClassVar = "payments.apply_event.v1"
    queue: ClassVar = Queue.MONEY
    intent_id: str


class CancelOrphanedIntent(Job):
    """Cancel an authorisation that no payment of ours needs any more."""

    topic: ClassVar = "payments.cancel_stray.v1"  # older databases hold jobs of this topic
    queue: ClassVar = Queue.MONEY
    intent_id: str


class Reconcile(Job):
    """Find what webhooks and processes have lost."""

    topic: ClassVar = "payments.reconcile.v1"
    queue: ClassVar = Queue.MONEY
