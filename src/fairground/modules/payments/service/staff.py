"""Payments for staff: lists, one with all that happened to it, refunds by hand, and the money of a day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from fairground.contracts.payments import Payment, PaymentNotFound, PaymentStatus
from fairground.contracts.staff_payments import (
    MoneyFigures,
    StaffPayment,
    StaffPaymentDetail,
    StaffPaymentPage,
)
from fairground.kernel.inputs import TimeCursor
from fairground.modules.payments.service.refunds import Refunds, StaffRefund
from fairground.modules.payments.store import staff as store
from fairground.platform.db.database import Database

_NAMED_MAX: Final = 100  # payments of one booking: each failed card leaves one
_INTENT_MAX_LENGTH: Final = 255


class StaffPaymentService:
    """Implements `StaffPayments`."""

    def __init__(self, *, db: Database, refunds: Refunds) -> None:
        self._db = db
        self._refunds = refunds

    async def search_payments(
        self,
        *,
        words: str = "",
        status: PaymentStatus | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffPaymentPage:
        if words.strip():
            return StaffPaymentPage(data=await self._list_named(words.strip()), next_cursor=None)
        after = None if cursor is None else TimeCursor.read(cursor)
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await store.search(
                tx,
                statuses=list(PaymentStatus) if status is None else [status],
                from_at=_midnight(from_date),
                before_at=None if to_date is None else _midnight(to_date + timedelta(days=1)),
                after=after,
                limit=limit + 1,
            )
        shown = found[:limit]
        end = TimeCursor(at=shown[-1].created_at, id=shown[-1].id) if len(found) > limit else None
        return StaffPaymentPage(data=shown, next_cursor=None if end is None else end.write())

    async def _list_named(self, words: str) -> list[StaffPayment]:
        try:
            named = UUID(words)
        except ValueError:
            if len(words) > _INTENT_MAX_LENGTH or not words.isprintable():
                return []
            async with self._db.read() as tx:
                return await store.list_of_intent(tx, intent_id=words)
        async with self._db.read() as tx:
            return await store.list_named(tx, named=named, limit=_NAMED_MAX)

    async def get_payment_for_staff(self, *, payment_id: UUID) -> StaffPaymentDetail:
        async with self._db.read() as tx:
            payment = await store.find_payment(tx, payment_id=payment_id)
            if payment is None:
                raise PaymentNotFound(f"There is no payment {payment_id}.")
            return StaffPaymentDetail(
                **dict(payment),
                attempts=await store.list_attempts(tx, payment_id=payment_id),
                refunds=await store.list_refunds(tx, payment_id=payment_id),
                events=[] if payment.intent_id is None else await store.list_events(tx, intent_id=payment.intent_id),
            )

    async def list_payments_of(self, *, payer_id: UUID, limit: int) -> list[StaffPayment]:
        async with self._db.read() as tx:
            return await store.list_of_payer(tx, payer_id=payer_id, limit=limit)

    async def refund_for_staff(
        self, *, staff_id: UUID, reference_id: UUID, amount_minor: int, reason: str, refund_id: UUID
    ) -> Payment:
        return await self._refunds.refund(
            reference_id=reference_id,
            amount_minor=amount_minor,
            key=f"staff:{refund_id}",
            by=StaffRefund(staff_id=staff_id, reason=reason),
        )

    async def read_figures(self) -> list[MoneyFigures]:
        async with self._db.read() as tx:
            now = await tx.current_time()
            today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            captured = await store.sum_captured(tx, since=today)
            refunded = await store.sum_refunded(tx, since=today)
        return [
            MoneyFigures(
                currency=currency,
                captured_minor=captured.get(currency, 0),
                refunded_minor=refunded.get(currency, 0),
                net_minor=captured.get(currency, 0) - refunded.get(currency, 0),
            )
            for currency in sorted(captured | refunded)
        ]


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, tzinfo=UTC)
