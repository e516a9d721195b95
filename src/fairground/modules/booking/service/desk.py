"""What every part of the service leans on."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import BookingStatus, BookingView, NextStep
from fairground.contracts.payments import Payment, Payments
from fairground.contracts.providers import Providers
from fairground.modules.booking.domain.machine import Actor, next_steps
from fairground.modules.booking.domain.record import BookingRecord, not_found
from fairground.modules.booking.service.moving import move
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.store import bookings
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals


class Desk:
    """Asks other modules only while no transaction is open: a slow neighbour must not hold our locks."""

    def __init__(
        self,
        *,
        db: Database,
        catalog: Providers,
        payments: Payments,
        verticals: Verticals,
        settings: BookingSettings,
        public_url: str,
        accounts: Accounts,
        organizer: str,
    ) -> None:
        self._db = db
        self._catalog = catalog
        self._payments = payments
        self._verticals = verticals
        self._settings = settings
        self._public_url = public_url
        self._accounts = accounts
        self._organizer = organizer

    async def _move(
        self,
        tx: WriteTx,
        record: BookingRecord,
        *,
        actor: Actor,
        to: BookingStatus,
        now: datetime,
        reason: str | None = None,
    ) -> None:
        await move(tx, record, actor=actor, to=to, now=now, settings=self._settings, reason=reason)

    async def _lock(self, tx: WriteTx, booking_id: UUID) -> tuple[BookingRecord, datetime]:
        """Return the booking, locked, and the database's time after the lock was had; raise BookingNotFound."""
        record = await bookings.lock_booking(tx, booking_id=booking_id)
        if record is None:
            raise not_found(booking_id)
        return record, await tx.current_time()

    async def _read(self, booking_id: UUID) -> tuple[BookingRecord, datetime]:
        """Return the booking and the database's time; raise BookingNotFound."""
        async with self._db.read() as tx:
            record = await bookings.find_booking(tx, booking_id=booking_id)
            if record is None:
                raise not_found(booking_id)
            return record, await tx.current_time()

    async def _view(self, user_id: UUID, record: BookingRecord, *, now: datetime) -> BookingView:
        """Return the booking as this side sees it; raise BookingNotFound for anybody else."""
        (view,) = await self._views(user_id, [record], now=now)
        return view

    async def _views(self, user_id: UUID, records: Sequence[BookingRecord], *, now: datetime) -> list[BookingView]:
        payments = await self._payments.find_payments(reference_ids=[record.id for record in records])
        return [_as_seen(user_id, record, payment=payments.get(record.id), now=now) for record in records]

    async def _show(self, user_id: UUID, booking_id: UUID) -> BookingView:
        record, now = await self._read(booking_id)
        return await self._view(user_id, record, now=now)


def _as_seen(user_id: UUID, record: BookingRecord, *, payment: Payment | None, now: datetime) -> BookingView:
    side = record.side_of(user_id)
    steps = next_steps(
        side,
        current=record.status,
        situation=record.situation(now=now),
        is_reviewed=record.is_reviewed_by(side),
    )
    return BookingView(
        **record.public().model_dump(),
        side=side.value,
        next_steps=steps,
        payment=payment,
        refund_due_minor=record.refund_due_minor(captured_minor=payment.captured_minor if payment else 0),
        cancellation=record.preview_cancellation(side, now=now) if NextStep.CANCEL in steps else None,
        reached=record.reached(),
        ended_at=record.ended_at(),
    )
