"""The webhook inbox: events of the processor are stored once and answered; a job then fetches what they are about."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import structlog

from fairground.contracts.payments import PaymentNotFound
from fairground.kernel.errors import Invalid
from fairground.kernel.messages import Job, Queue
from fairground.modules.payments import store
from fairground.modules.payments.gateways.processor import (
    EventUnreadable,
    PaymentProcessor,
    ProcessorDeclined,
    ProcessorEvent,
    SignatureInvalid,
)
from fairground.modules.payments.service import payment_state
from fairground.platform.db.database import Database, WriteTx

log = structlog.get_logger(__name__)


class ApplyEvent(Job):
    """Fetch the intent of an event and apply it."""

    topic: ClassVar = "payments.apply_event.v1"
    queue: ClassVar = Queue.MONEY
    intent_id: str


class WebhookRefused(Invalid):
    code = "payment.webhook_refused"
    hint = "Check FAIRGROUND_PAYMENTS_STRIPE_WEBHOOK_SECRET and the server's clock."


class WebhookUnreadable(Invalid):
    code = "payment.webhook_unreadable"
    hint = "Only Stripe webhooks may call this address."


class WebhookInbox:
    def __init__(self, *, db: Database, processor: PaymentProcessor) -> None:
        self._db = db
        self._processor = processor

    async def receive(self, *, body: bytes, headers: Mapping[str, str]) -> None:
        """Store a webhook; repeating it changes nothing.

        Raises:
            WebhookRefused: It was not signed by the processor within the last five minutes.
            WebhookUnreadable: It is signed, and no event.
        """
        try:
            event = await self._processor.read_webhook(body, headers=headers)
        except SignatureInvalid as forgery:
            raise WebhookRefused(str(forgery)) from forgery
        except EventUnreadable as nonsense:
            raise WebhookUnreadable(str(nonsense)) from nonsense
        async with self._db.write() as tx:
            await _store_events(tx, [event])

    async def apply_event(self, job: ApplyEvent) -> None:
        """Fetch the intent of an event and advance its payment.

        Raises:
            ProcessorUnavailable, PaymentNotFound: Not yet; the job is tried again.
        """
        seen = await payment_state.fetch_snapshot(self._processor, job.intent_id)
        async with self._db.write(ends_job=True) as tx:
            payment = await store.lock_payment_of_intent(tx, payment_id=seen.payment_id, intent_id=job.intent_id)
            if payment is not None:
                await payment_state.apply_snapshot(tx, payment, seen)
            elif seen.payment_id is not None:
                raise PaymentNotFound(f"Intent {job.intent_id} is of a payment that is not here.")
            # An intent without our id belongs to another program that uses the same account.

    async def read_events(self) -> None:
        """Store every event since the last time, as if its webhook had come now."""
        async with self._db.read() as tx:
            cursor = await store.find_cursor(tx)
        has_more = True
        while has_more:
            try:
                events, has_more = await self._processor.list_events(after=cursor)
            except ProcessorDeclined:
                # The processor keeps events for thirty days. What is older is found by its payment.
                log.warning("payments.event_cursor_lost", cursor=cursor)
                events, has_more = await self._processor.list_events(after=None)
            has_more = has_more and cursor is not None
            if events:
                cursor = events[-1].event_id
                async with self._db.write() as tx:
                    await _store_events(tx, events)
                    await store.set_cursor(tx, cursor)


async def _store_events(tx: WriteTx, events: Sequence[ProcessorEvent]) -> None:
    for event in events:
        is_new = await store.insert_event(tx, event_id=event.event_id, kind=event.kind, intent_id=event.intent_id)
        if is_new and event.intent_id is not None:
            await tx.enqueue(ApplyEvent(intent_id=event.intent_id))
