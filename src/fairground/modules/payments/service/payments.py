"""The contract: authorise, capture, release, refund."""

import contextlib
from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from fairground.contracts.payments import (
    AmountNotChargeable,
    Payment,
    PaymentFailed,
    PaymentNotFound,
    PaymentPending,
    PaymentStateConflict,
    PaymentStatus,
    RefundTooLarge,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.money import AmountInvalid, find_currency, require_step
from fairground.modules.payments import store
from fairground.modules.payments.domain import ENDED, Act, Outcome
from fairground.modules.payments.gateways.processor import NoAnswer, PaymentProcessor, Refused
from fairground.modules.payments.service import observing
from fairground.modules.payments.service.acts import Acts
from fairground.modules.payments.service.observing import left_minor
from fairground.platform.db.database import Database, WriteTx

_NOT_TAKEN: Final = (PaymentStatus.STARTED, PaymentStatus.REQUIRES_ACTION, PaymentStatus.AUTHORISED)
_REPLACEMENTS_MAX: Final = 4  # a customer has two or three tabs, not more


class PaymentService:
    def __init__(self, *, db: Database, processor: PaymentProcessor, is_sandbox: bool = False) -> None:
        self.is_sandbox = is_sandbox
        self._db = db
        self._processor = processor
        self._acts = Acts(db=db, processor=processor)

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
        _require_chargeable(amount_minor, currency)
        values = {
            "reference_id": reference_id,
            "payer_id": payer_id,
            "amount_minor": amount_minor,
            "currency": currency,
            "payment_method": payment_method,
            "return_url": return_url,
        }
        payment = await self._start(values)
        await self._acts.settle(payment.id)
        payment = await self._get(payment.id)
        if payment.status is PaymentStatus.FAILED:
            raise _declined(payment)
        # Voided while it was made: another card has taken its place, or the reference was released.
        return await self._get_newest(reference_id) if payment.status is PaymentStatus.VOIDED else payment

    async def capture(self, *, reference_id: UUID) -> Payment:
        payment = await self._get_newest(reference_id)
        await self._acts.settle(payment.id)
        async with self._db.write() as tx:
            row = await store.lock_payment(tx, payment.id)
            if row.status == PaymentStatus.CAPTURED:
                return store.to_payment(row)
            if row.status != PaymentStatus.AUTHORISED or row.wants_release:
                raise PaymentStateConflict(
                    f"Payment {payment.id} is {row.status}; only an authorised one can be taken."
                )
            if row.open_key is None:
                await store.open_act(tx, payment.id, Act.CAPTURE)
                await observing.set_safety_net(tx, payment.id)
        await self._acts.settle(payment.id)
        return await self._get(payment.id)

    async def release(self, *, reference_id: UUID) -> Payment | None:
        async with self._db.write() as tx:
            newest = await store.find_newest(tx, reference_id)
            if newest is None:
                return None
            await want_release(tx, newest.id)
        # A card that turns out to have been refused leaves nothing to give back.
        with contextlib.suppress(PaymentFailed):
            await self._acts.settle(newest.id)
        return await self._get(newest.id)

    async def refund(self, *, reference_id: UUID, amount_minor: int, key: str) -> Payment:
        async with self._db.write() as tx:
            newest = await store.find_newest(tx, reference_id)
            if newest is None:
                raise _not_found(reference_id)
            row = await store.lock_payment(tx, newest.id)
            refund = await store.find_refund(tx, row.id, key)
            if refund is None or refund.status == "failed":
                await self._reserve(tx, row, amount_minor=amount_minor, key=key)
            refund_id = (await store.find_refund(tx, row.id, key)).id
        await self._acts.settle_refund(refund_id)
        async with self._db.read() as tx:
            refund, row = await store.get_refund(tx, refund_id), await store.get_payment(tx, newest.id)
        if refund.status == "failed":
            raise _refund_refused(row, amount_minor)
        return store.to_payment(row)

    async def find_payment(self, *, reference_id: UUID) -> Payment | None:
        async with self._db.read() as tx:
            row = await store.find_newest(tx, reference_id)
        return None if row is None else store.to_payment(row)

    async def find_payments(self, *, reference_ids: Collection[UUID]) -> dict[UUID, Payment]:
        async with self._db.read() as tx:
            rows = await store.list_oldest_first(tx, reference_ids)
        # The newest of a reference comes last, and stays.
        return {row.reference_id: store.to_payment(row) for row in rows}

    async def refresh(self, *, reference_id: UUID) -> Payment | None:
        async with self._db.read() as tx:
            row = await store.find_newest(tx, reference_id)
        if row is None:
            return None
        with contextlib.suppress(PaymentFailed):
            await self._acts.settle(row.id)
        if row.intent_id is not None and row.status not in ENDED:
            await self._observe(row.id, row.intent_id)
        return await self._get(row.id)

    async def _start(self, values: dict[str, Any]) -> Payment:
        """Write a payment down before the processor is asked, or return the live one that the reference has.

        A live one of another card that waits for its customer is cancelled first, so that only one card can be charged.

        Raises:
            PaymentPending: The processor did not say that it is cancelled, or other cards came in between each time.
        """
        for _ in range(_REPLACEMENTS_MAX):
            async with self._db.write() as tx:
                payment = await self._insert(tx, values)
                if not await _give_way(tx, payment.id, payment_method=values["payment_method"]):
                    return payment
            with contextlib.suppress(PaymentFailed):
                await self._acts.settle(payment.id)
        raise PaymentPending("Other cards are being tried for the same booking.")

    async def _insert(self, tx: WriteTx, values: dict[str, Any]) -> Payment:
        new = values | {"id": uuid7(), "open_key": uuid7()}
        if await store.insert_payment(tx, new):
            await store.log_attempt(tx, new["id"], act=Act.CREATE, key=new["open_key"], outcome=Outcome.STARTED)
            await observing.set_safety_net(tx, new["id"])
        return store.to_payment(await store.find_newest(tx, values["reference_id"]))

    async def _reserve(self, tx: WriteTx, row: Any, *, amount_minor: int, key: str) -> None:
        if row.status != PaymentStatus.CAPTURED:
            raise PaymentStateConflict(f"Payment {row.id} is {row.status}; only captured money can be given back.")
        _require_step(amount_minor, row.currency)
        if not await store.reserve_refund(tx, row.id, amount_minor):
            raise _too_large(row, amount_minor)
        await store.start_refund(tx, payment_id=row.id, key=key, amount_minor=amount_minor)
        await observing.set_safety_net(tx, row.id)

    async def _observe(self, payment_id: UUID, intent_id: str) -> None:
        try:
            seen = await observing.look(self._processor, intent_id)
        except (NoAnswer, Refused) as silence:
            raise PaymentPending("The card processor did not say how the payment stands.") from silence
        async with self._db.write() as tx:
            await observing.apply(tx, payment_id, seen)

    async def _get_newest(self, reference_id: UUID) -> Payment:
        payment = await self.find_payment(reference_id=reference_id)
        if payment is None:
            raise _not_found(reference_id)
        return payment

    async def _get(self, payment_id: UUID) -> Payment:
        async with self._db.read() as tx:
            return store.to_payment(await store.get_payment(tx, payment_id))


async def _give_way(tx: WriteTx, payment_id: UUID, *, payment_method: str) -> bool:
    """Cancel a payment that another card is to replace. Return False when it is what the caller shall go on with.

    One that is authorised or captured stays, whatever card is offered now: that money is reserved or taken. Of one
    whose making has no known outcome the outcome is awaited; it may turn out to be either.
    """
    row = await store.lock_payment(tx, payment_id)
    if row.wants_release and row.status in _NOT_TAKEN:
        return True
    if row.payment_method == payment_method:
        return False
    if row.status == PaymentStatus.REQUIRES_ACTION:
        await want_release(tx, payment_id)
        return True
    return row.status == PaymentStatus.STARTED and row.open_key is not None


async def want_release(tx: WriteTx, payment_id: UUID) -> None:
    """Note that everything shall be given back, and open the first act towards it."""
    row = await store.lock_payment(tx, payment_id)
    if row.status not in ENDED and not row.wants_release:
        await store.change_payment(tx, payment_id, wants_release=True)
        await observing.plan_next(tx, payment_id)


def _require_chargeable(amount_minor: int, currency: str) -> None:
    if not find_currency(currency).is_chargeable:
        raise AmountNotChargeable(f"The card processor does not take {currency}.")
    _require_step(amount_minor, currency)


def _require_step(amount_minor: int, currency: str) -> None:
    try:
        require_step(amount_minor, currency)
    except AmountInvalid as refusal:
        raise AmountNotChargeable(f"{refusal.problem}.", hint=f"{refusal.hint.capitalize()}.") from refusal


def _not_found(reference_id: UUID) -> PaymentNotFound:
    return PaymentNotFound(f"Nothing was ever paid for {reference_id}.")


def _declined(payment: Payment) -> PaymentFailed:
    reason = payment.failure_code or "unknown"
    return PaymentFailed(f"The card processor refused: {reason}.", reason=reason)


def _too_large(row: Any, amount_minor: int) -> RefundTooLarge:
    left = left_minor(row)
    return RefundTooLarge(f"{amount_minor} is more than the {left} that are left of the payment.", left_minor=left)


def _refund_refused(row: Any, amount_minor: int) -> RefundTooLarge | PaymentStateConflict:
    if amount_minor > left_minor(row):
        return _too_large(row, amount_minor)
    return PaymentStateConflict(f"The card processor refused to give back {amount_minor} of payment {row.id}.")
