"""One act at a time: its key is written down, the processor is asked outside any transaction, the outcome is kept.

Whoever is killed in between leaves an open act. It is carried on with the same key, by the next caller or by a job;
once the processor may have forgotten the key, by looking for what it did (docs.stripe.com/api/idempotent_requests).
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fairground.contracts.payments import PaymentFailed, PaymentPending, PaymentStatus
from fairground.modules.payments import store
from fairground.modules.payments.domain import ENDED, Act, Outcome, Standing
from fairground.modules.payments.gateways.processor import KeyIsSpent, NewIntent, NoAnswer, PaymentProcessor, Refused
from fairground.modules.payments.service import observing
from fairground.modules.payments.service.observing import Observation
from fairground.platform.db.database import Database, WriteTx

_GOAL: Final = {Act.CAPTURE: PaymentStatus.CAPTURED, Act.CANCEL: PaymentStatus.VOIDED}


@dataclass(frozen=True, kw_only=True)
class Step:
    """An open act, and what is needed to ask for it: the rows of its payment and, for a refund, of that."""

    act: Act
    key: UUID
    is_key_spent: bool
    payment: Any
    refund: Any = None


class Acts:
    def __init__(self, *, db: Database, processor: PaymentProcessor) -> None:
        self._db = db
        self._processor = processor

    async def settle(self, payment_id: UUID) -> None:
        """Carry out everything that is open on a payment.

        Raises:
            PaymentFailed: The processor refused to authorise or to capture.
            PaymentPending: It did not answer, or refused to give money back.
        """
        while (step := await self._find_open(payment_id)) is not None:
            await self._carry_out(step)

    async def settle_refund(self, refund_id: UUID) -> None:
        """Carry one refund out, if it is open, beside others of the same payment.

        Raises:
            PaymentPending: The processor did not answer.
        """
        async with self._db.read() as tx:
            refund = await store.get_refund(tx, refund_id)
            payment = await store.get_payment(tx, refund.payment_id)
        if refund.status == "started":
            await self._carry_out(_refund_step(payment, refund))

    async def _find_open(self, payment_id: UUID) -> Step | None:
        async with self._db.read() as tx:
            payment = await store.get_payment(tx, payment_id)
            if payment.open_key is not None:
                act = Act(payment.open_act)
                return Step(act=act, key=payment.open_key, is_key_spent=payment.is_key_spent, payment=payment)
            refund = await store.find_open_refund(tx, payment_id)
        return None if refund is None else _refund_step(payment, refund)

    async def _carry_out(self, step: Step) -> None:
        try:
            outcome = await self._ask(step)
        except NoAnswer as silence:
            await self._keep_unknown(step, reason=str(silence))
            raise PaymentPending(
                "The card processor did not answer; the payment is settled in the background."
            ) from silence
        except Refused as refusal:
            await self._keep_refusal(step, refusal)
        else:
            await self._keep_success(step, outcome)

    async def _ask(self, step: Step) -> Standing | str:
        """Return how the payment stands afterwards or, for a refund, what the processor calls it."""
        if step.is_key_spent:
            return await self._look_up(step)
        try:
            return await self._call(step)
        except KeyIsSpent:
            return await self._look_up(step)

    async def _call(self, step: Step) -> Standing | str:
        payment, key = step.payment, step.key
        match step.act:
            case Act.CREATE:
                return await self._processor.create(_new_intent(payment), key=key)
            case Act.CAPTURE:
                return await self._processor.capture(payment.intent_id, key=key)
            case Act.CANCEL:
                return await self._processor.cancel(payment.intent_id, key=key)
            case Act.REFUND:
                return await self._processor.refund(
                    payment.intent_id,
                    amount_minor=step.refund.amount_minor,
                    currency=payment.currency,
                    refund_id=step.refund.id,
                    key=key,
                )

    async def _look_up(self, step: Step) -> Standing | str:
        """Find out what became of an act whose key says nothing any more."""
        if step.act is Act.REFUND:
            made = await self._processor.list_refunds(step.payment.intent_id)
            found = [refund.processor_refund_id for refund in made if refund.refund_id == step.refund.id]
            if not found:
                raise Refused("not_done")
            return found[0]
        if step.act is Act.CREATE:
            intent = await self._processor.find_standing(step.payment.id, since=step.payment.created_at)
            if intent is None:
                raise Refused("not_done")
            return intent
        standing = await self._processor.get_standing(step.payment.intent_id)
        if standing.status is not _GOAL[step.act]:
            raise Refused("not_done", standing=standing)
        return standing

    async def _keep_unknown(self, step: Step, *, reason: str) -> None:
        async with self._db.write() as tx:
            await _log(tx, step, Outcome.UNKNOWN, reason)

    async def _keep_success(self, step: Step, outcome: Standing | str) -> None:
        async with self._db.write() as tx:
            await _log(tx, step, Outcome.SUCCEEDED)
            if isinstance(outcome, Standing):
                await store.close_act(tx, step.payment.id, step.key)
                await observing.apply(tx, step.payment.id, Observation(standing=outcome))
                return
            before = store.to_payment(await store.lock_payment(tx, step.payment.id))
            await observing.conclude_refund(tx, step.refund, processor_refund_id=outcome)
            await observing.tell_changes(tx, before)

    async def _keep_refusal(self, step: Step, refusal: Refused) -> None:
        seen = await self._look_after(step, refusal)
        async with self._db.write() as tx:
            await store.lock_payment(tx, step.payment.id)
            await _log(tx, step, Outcome.REFUSED, refusal.reason)
            if step.act is not Act.REFUND:
                await store.close_act(tx, step.payment.id, step.key)
            elif await store.fail_refund(tx, step.refund.id, attempt_key=step.key):
                await store.release_reservation(tx, step.payment.id, step.refund.amount_minor)
            if seen is None:
                await observing.fail(tx, step.payment.id, reason=refusal.reason)
            else:
                await observing.apply(tx, step.payment.id, seen)
            after = await store.lock_payment(tx, step.payment.id)
        _judge(step, after, reason=refusal.reason)

    async def _look_after(self, step: Step, refusal: Refused) -> Observation | None:
        """See how things stand after a refusal; None when there is nothing to see."""
        if step.payment.intent_id is None:
            return Observation(standing=refusal.standing) if refusal.standing else None
        try:
            return await observing.look(self._processor, step.payment.intent_id)
        except (NoAnswer, Refused) as silence:
            await self._keep_unknown(step, reason=refusal.reason)
            raise PaymentPending("The card processor refused, and did not say how the payment stands.") from silence


def _refund_step(payment: Any, refund: Any) -> Step:
    spent = refund.is_key_spent
    return Step(act=Act.REFUND, key=refund.attempt_key, is_key_spent=spent, payment=payment, refund=refund)


def _new_intent(payment: Any) -> NewIntent:
    return NewIntent(
        payment_id=payment.id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        payment_method=payment.payment_method,
        return_url=payment.return_url,
    )


async def _log(tx: WriteTx, step: Step, outcome: Outcome, reason: str | None = None) -> None:
    await store.log_attempt(tx, step.payment.id, act=step.act, key=step.key, outcome=outcome, reason=reason)


def _judge(step: Step, after: Any, *, reason: str) -> None:
    """Raise what a refusal means to the caller, unless what was asked for had been done before.

    Raises:
        PaymentFailed: The card was refused, or the money could not be taken.
        PaymentPending: Money could not be given back; it is tried again.
    """
    if step.act is Act.CREATE or (step.act is Act.CAPTURE and after.status != PaymentStatus.CAPTURED):
        raise PaymentFailed(f"The card processor refused: {reason}.", reason=reason)
    is_reserved = step.act is Act.CANCEL and after.status not in {*ENDED, PaymentStatus.CAPTURED}
    # Less may be left than before, because somebody refunded by hand: then that is asked for, without giving up.
    is_stuck = step.act is Act.REFUND and after.wants_release and after.refunding_minor >= step.refund.amount_minor
    if is_reserved or is_stuck:
        raise PaymentPending(f"The card processor would not let go of the money: {reason}. It is asked again.")
