"""The work that payments asks of itself."""

from typing import ClassVar
from uuid import UUID

from fairground.kernel.messages import Job, Queue


class SettlePayment(Job):
    """Carry what is open on a payment to its end. Written before every call, in case nobody lives to see its answer."""

    topic: ClassVar = "payments.settle.v1"
    queue: ClassVar = Queue.MONEY
    # With the pauses between attempts this outlasts the day after which the processor forgets a key.
    max_attempts: ClassVar[int] = 40
    payment_id: UUID


class ApplyEvent(Job):
    """Ask the processor how the intent of an event stands."""

    topic: ClassVar = "payments.apply_event.v1"
    queue: ClassVar = Queue.MONEY
    intent_id: str


class CancelStray(Job):
    """Let go of an authorisation that no payment of ours wants any more."""

    topic: ClassVar = "payments.cancel_stray.v1"
    queue: ClassVar = Queue.MONEY
    intent_id: str


class Reconcile(Job):
    """Find what webhooks and processes have lost."""

    topic: ClassVar = "payments.reconcile.v1"
    queue: ClassVar = Queue.MONEY
