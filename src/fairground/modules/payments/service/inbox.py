"""The processor's events: written down once, answered at once, and taken only as a hint to go and look."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import structlog

from fairground.contracts.payments import PaymentNotFound
from fairground.kernel.errors import Invalid
from fairground.modules.payments import store
from fairground.modules.payments.gateways.processor import (
    EventUnreadable,
    PaymentProcessor,
    ProcessorEvent,
    Refused,
    SignatureInvalid,
)
from fairground.modules.payments.service import observing
from fairground.modules.payments.service.jobs import ApplyEvent
from fairground.platform.db.database import Database, WriteTx

log = structlog.get_logger(__name__)


class WebhookRefused(Invalid):
    code = "payment.webhook_refused"
    hint = "Check FAIRGROUND_PAYMENTS_STRIPE_WEBHOOK_SECRET, and the clocks of both sides."


class WebhookUnreadable(Invalid):
    code = "payment.webhook_unreadable"
    hint = "Point only the webhook of a Stripe account at this address."


class Inbox:
    def __init__(self, *, db: Database, processor: PaymentProcessor) -> None:
        self._db = db
        self._processor = processor

    async def receive(self, *, body: bytes, headers: Mapping[str, str]) -> None:
        """Write a webhook down, however often it comes.

        Raises:
            WebhookRefused: The processor did not send it, or not within the last five minutes.
            WebhookUnreadable: It is signed, and no event.
        """
        try:
            event = await self._processor.read_webhook(body, headers=headers)
        except SignatureInvalid as forgery:
            raise WebhookRefused(str(forgery)) from forgery
        except EventUnreadable as nonsense:
            raise WebhookUnreadable(str(nonsense)) from nonsense
        async with self._db.write() as tx:
            await _take(tx, [event])

    async def apply_event(self, job: ApplyEvent) -> None:
        """Ask how the intent stands and move its payment on.

        Raises:
            NoAnswer, PaymentNotFound: Not yet; the job comes again.
        """
        seen = await observing.look(self._processor, job.intent_id)
        async with self._db.write(ends_job=True) as tx:
            payment_id = await store.find_payment_id(tx, payment_id=seen.standing.payment_id, intent_id=job.intent_id)
            if payment_id is not None:
                await observing.apply(tx, payment_id, seen)
            elif seen.standing.payment_id is not None:
                raise PaymentNotFound(f"Intent {job.intent_id} is of a payment that is not here.")
            # An intent without a name of ours was made by somebody else who uses the same account.

    async def read_events(self) -> None:
        """Take every event since the last time, as if its webhook had come now."""
        async with self._db.read() as tx:
            cursor = await store.find_cursor(tx)
        has_more = True
        while has_more:
            try:
                events, has_more = await self._processor.list_events(after=cursor)
            except Refused:
                # The processor keeps events for thirty days. What is older is found by its payment.
                log.warning("payments.event_cursor_lost", cursor=cursor)
                events, has_more = await self._processor.list_events(after=None)
            has_more = has_more and cursor is not None
            if events:
                cursor = events[-1].event_id
                async with self._db.write() as tx:
                    await _take(tx, events)
                    await store.set_cursor(tx, cursor)


async def _take(tx: WriteTx, events: Sequence[ProcessorEvent]) -> None:
    new = await store.insert_events(tx, [asdict(event) for event in events])
    for event in events:
        if event.event_id in new and event.intent_id is not None:
            await tx.enqueue(ApplyEvent(intent_id=event.intent_id))
