"""Intents: authorise a payment on a card, and capture the whole authorised amount.

A card that still waits for its customer is replaced by another one of the same reference.
"""

import contextlib
from typing import Final
from uuid import UUID

from fairground.contracts.payments import (
    AmountNotChargeable,
    Payment,
    PaymentFailed,
    PaymentPending,
    PaymentStateConflict,
    PaymentStatus,
)
from fairground.kernel.money import find_currency
from fairground.modules.payments import store
from fairground.modules.payments.domain import (
    NewPayment,
    Operation,
    OperationKind,
    PaymentRecord,
    not_found,
    require_amount,
)
from fairground.modules.payments.service import operations, payment_state
from fairground.modules.payments.service.operation_executor import OperationExecutor
from fairground.modules.payments.service.operations import find_open_operation
from fairground.platform.db.database import Database, WriteTx

_NOT_TAKEN: Final = (PaymentStatus.STARTED, PaymentStatus.REQUIRES_ACTION, PaymentStatus.AUTHORISED)
_REPLACEMENTS_MAX: Final = 4  # a customer has two or three tabs, not more


class Intents:
    def __init__(self, *, db: Database, executor: OperationExecutor) -> None:
        self._db = db
        self._executor = executor

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
        if not find_currency(currency).is_chargeable:
            raise AmountNotChargeable(f"The card processor does not support {currency}.")
        require_amount(amount_minor, currency)
        payment = await self._find_or_create(
            NewPayment(
                reference_id=reference_id,
                payer_id=payer_id,
                amount_minor=amount_minor,
                currency=currency,
                payment_method=payment_method,
                return_url=return_url,
            )
        )
        if payment.status is PaymentStatus.FAILED:
            raise _declined(payment)
        if payment.status is PaymentStatus.VOIDED:
            # Voided while it was made: another card has replaced it, or the reference was released.
            payment = await self._get_newest(reference_id)
        return payment.view()

    async def capture(self, *, reference_id: UUID) -> Payment:
        async with self._db.write() as tx:
            payment = await store.lock_newest(tx, reference_id)
            if payment is None:
                raise not_found(reference_id)
            operation = await _find_or_start_capture(tx, payment)
        while operation is not None:
            payment = await self._executor.execute_all(operation)
            if operation.kind is OperationKind.CAPTURE:
                break
            # That was another operation, whose outcome decides whether the payment can be captured.
            async with self._db.write() as tx:
                payment = await store.lock_payment(tx, payment.id)
                operation = await _find_or_start_capture(tx, payment)
        return payment.view()

    async def _find_or_create(self, new: NewPayment) -> PaymentRecord:
        """Return the live payment of the reference with nothing open on it, a new one if there was none.

        A live one of another card that waits for its customer is cancelled first, so that only one card is charged.

        Raises:
            PaymentPending: The processor did not confirm the cancellation, or other cards came in between each time.
        """
        for _ in range(_REPLACEMENTS_MAX):
            async with self._db.write() as tx:
                payment, is_replaced = await _start_or_replace(tx, new)
                operation = await find_open_operation(tx, payment)
            if not is_replaced:
                return payment if operation is None else await self._executor.execute_all(operation)
            if operation is not None:
                with contextlib.suppress(PaymentFailed):
                    await self._executor.execute_all(operation)
        raise PaymentPending("Another card is being tried for this booking.")

    async def _get_newest(self, reference_id: UUID) -> PaymentRecord:
        async with self._db.read() as tx:
            payment = await store.find_newest(tx, reference_id)
        if payment is None:
            raise not_found(reference_id)
        return payment


async def _start_or_replace(tx: WriteTx, new: NewPayment) -> tuple[PaymentRecord, bool]:
    """Return a new payment, or the live one of the reference and whether the card of `new` replaces it.

    An authorised or captured payment stays, whatever the card: that money is reserved or taken. While the outcome of
    a creation is unknown, it is executed to its end before it is replaced; it may turn out to be authorised.
    """
    started = await operations.start_creation(tx, new)
    if started is not None:
        return started, False
    payment = await store.lock_newest(tx, new.reference_id)
    if payment is None:
        raise not_found(new.reference_id)
    if payment.wants_release and payment.status in _NOT_TAKEN:
        return payment, True
    if payment.payment_method == new.payment_method:
        return payment, False
    if payment.status is PaymentStatus.REQUIRES_ACTION:
        return await payment_state.request_release(tx, payment), True
    return payment, payment.status is PaymentStatus.STARTED and payment.open_key is not None


async def _find_or_start_capture(tx: WriteTx, payment: PaymentRecord) -> Operation | None:
    """Return what is open on a payment, else its capture; None when it is captured.

    Raises:
        PaymentStateConflict: It is not authorised, or about to be released.
    """
    operation = await find_open_operation(tx, payment)
    if operation is not None or payment.status is PaymentStatus.CAPTURED:
        return operation
    if payment.status is not PaymentStatus.AUTHORISED or payment.wants_release:
        raise PaymentStateConflict(
            f"Payment {payment.id} is {payment.status}; only an authorised payment can be captured."
        )
    return await operations.start_capture(tx, payment)


def _declined(payment: PaymentRecord) -> PaymentFailed:
    reason = payment.failure_code or "unknown"
    return PaymentFailed(f"The card processor refused: {reason}.", reason=reason)
