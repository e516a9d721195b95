"""One operation at the processor: sent with its stored key, or looked up once the key is of no use any more.

Source: docs.stripe.com/api/idempotent_requests.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from fairground.contracts.payments import PaymentStatus
from fairground.modules.payments.domain import (
    IntentSnapshot,
    Operation,
    OperationKind,
    PaymentRecord,
    RefundRecord,
)
from fairground.modules.payments.gateways.processor import (
    IdempotencyKeyConsumed,
    NewIntent,
    PaymentProcessor,
    ProcessorDeclined,
)

_GOAL: Final = {OperationKind.CAPTURE: PaymentStatus.CAPTURED, OperationKind.CANCEL: PaymentStatus.VOIDED}

Result = TypeVar("Result")


class OperationCalls:
    """Its methods raise `ProcessorUnavailable` and `ProcessorDeclined`; the latter also when nothing was done."""

    def __init__(self, processor: PaymentProcessor) -> None:
        self._processor = processor

    async def send(self, operation: Operation) -> IntentSnapshot:
        """Carry out an operation other than a refund, and return the intent after it."""

        async def call() -> IntentSnapshot:
            if operation.kind is OperationKind.CREATE:
                return await self._processor.create(_new_intent(operation.payment), key=operation.key)
            change = self._processor.capture if operation.kind is OperationKind.CAPTURE else self._processor.cancel
            return await change(_intent_id(operation), key=operation.key)

        return await _call_or_look_up(operation, call, lambda: self._look_up(operation))

    async def send_refund(self, operation: Operation, refund: RefundRecord) -> str:
        """Carry out a refund, and return the processor's id of it."""

        async def call() -> str:
            return await self._processor.refund(
                _intent_id(operation),
                amount_minor=refund.amount_minor,
                currency=operation.payment.currency,
                refund_id=refund.id,
                key=operation.key,
            )

        return await _call_or_look_up(operation, call, lambda: self._look_up_refund(operation, refund))

    async def _look_up(self, operation: Operation) -> IntentSnapshot:
        payment = operation.payment
        if operation.kind is OperationKind.CREATE:
            made = await self._processor.find_snapshot(payment.id, since=payment.created_at)
            if made is None:
                raise ProcessorDeclined("not_done")
            return made
        snapshot = await self._processor.get_snapshot(_intent_id(operation))
        if snapshot.status is not _GOAL[operation.kind]:
            raise ProcessorDeclined("not_done", snapshot=snapshot)
        return snapshot

    async def _look_up_refund(self, operation: Operation, refund: RefundRecord) -> str:
        made = await self._processor.list_refunds(_intent_id(operation))
        found = [each.processor_refund_id for each in made if each.refund_id == refund.id]
        if not found:
            raise ProcessorDeclined("not_done")
        return found[0]


async def _call_or_look_up(
    operation: Operation, call: Callable[[], Awaitable[Result]], look_up: Callable[[], Awaitable[Result]]
) -> Result:
    if operation.is_key_expired:
        return await look_up()
    try:
        return await call()
    except IdempotencyKeyConsumed:
        return await look_up()


def _intent_id(operation: Operation) -> str:
    """Return the intent that the operation is on; only a payment whose creation is open has none."""
    if operation.payment.intent_id is None:
        raise LookupError(f"Payment {operation.payment.id} has no intent, so there is nothing to {operation.kind}.")
    return operation.payment.intent_id


def _new_intent(payment: PaymentRecord) -> NewIntent:
    return NewIntent(
        payment_id=payment.id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        payment_method=payment.payment_method,
        return_url=payment.return_url,
    )
