"""Bookings for staff: search, one with its log, cancelling for a side, refunds, and figures."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID

from fairground.contracts.accounts import Accounts, AccountStatus, NotPermitted, StaffAccounts
from fairground.contracts.booking import (
    REASON_MAX_LENGTH,
    BookingStatus,
    NextStep,
    PriceChanged,
)
from fairground.contracts.booking.staff import (
    COUNTED_AT_MOST,
    SEARCHED_ACCOUNTS_MAX,
    BookingFigures,
    CancellationOption,
    StaffActionInvalid,
    StaffBooking,
    StaffBookingDetail,
    StaffBookingPage,
    StaffCancelIn,
    StaffRefund,
    StaffRefundIn,
)
from fairground.contracts.payments import Payment, Payments, PaymentStatus
from fairground.contracts.providers import Providers
from fairground.contracts.providers.staff import StaffProviders
from fairground.contracts.staff_payments import StaffPayments
from fairground.kernel.inputs import TimeCursor
from fairground.kernel.text import refused_as, require_text
from fairground.modules.booking.deals import store
from fairground.modules.booking.deals.domain.machine import Actor, next_steps
from fairground.modules.booking.deals.domain.record import BookingRecord, StaffDecision
from fairground.modules.booking.deals.domain.views import booking_of
from fairground.modules.booking.deals.rows import readable
from fairground.modules.booking.deals.store import staff as staff_store
from fairground.modules.booking.deals.transitions import Transitions
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.database import Database

_DUE_WITHIN: Final = timedelta(hours=6)
_DUE_SHOWN: Final = 10
_SIDES: Final[tuple[Literal["customer", "provider"], ...]] = ("customer", "provider")


class StaffAccess:
    """Who may act: an active account of staff."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def require(self, staff_id: UUID) -> None:
        staff = (await self._accounts.find_users(user_ids={staff_id})).get(staff_id)
        if staff is None or not staff.role.is_staff or staff.status is not AccountStatus.ACTIVE:
            raise NotPermitted("This is for the staff of this marketplace.")


class StaffBookingQueries:
    def __init__(
        self,
        *,
        db: Database,
        access: StaffAccess,
        accounts: Accounts,
        directory: StaffAccounts,
        providers: Providers,
        moderation: StaffProviders,
        payments: Payments,
    ) -> None:
        self._db = db
        self._access = access
        self._accounts = accounts
        self._directory = directory
        self._providers = providers
        self._moderation = moderation
        self._payments = payments

    async def search_bookings(
        self,
        *,
        staff_id: UUID,
        words: str = "",
        user_id: UUID | None = None,
        status: BookingStatus | None = None,
        from_date: date | None = None,
        to_date: date | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffBookingPage:
        await self._access.require(staff_id)
        named = _read_id(words)
        if named is not None:
            async with self._db.read() as tx:
                found = readable(await store.list_bookings(tx, booking_ids=[named]))
            return StaffBookingPage(data=await self._named(found), next_cursor=None)
        after = None if cursor is None else TimeCursor.read(cursor)
        user_ids = await self._find_accounts(staff_id, words=words, user_id=user_id)
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            listed = await staff_store.search(
                tx,
                user_ids=user_ids,
                status=status,
                from_at=None if from_date is None else _midnight(from_date),
                before_at=None if to_date is None else _midnight(to_date + timedelta(days=1)),
                after=after,
                limit=limit + 1,
            )
        shown = listed[:limit]
        end = TimeCursor(at=shown[-1].starts_at, id=shown[-1].id) if len(listed) > limit else None
        return StaffBookingPage(
            data=await self._named(readable(each.record for each in shown)),
            next_cursor=None if end is None else end.write(),
        )

    async def _find_accounts(self, staff_id: UUID, *, words: str, user_id: UUID | None) -> Collection[UUID] | None:
        """Return the accounts whose bookings are meant; None for those of all."""
        if user_id is not None:
            return [user_id]
        if not words.strip():
            return None
        most = SEARCHED_ACCOUNTS_MAX
        accounts = await self._directory.search_users(staff_id=staff_id, words=words, limit=most)
        cards = await self._moderation.search_providers(staff_id=staff_id, words=words, limit=most)
        refs = await self._providers.get_provider_refs(provider_ids=[card.id for card in cards.data])
        owners = {ref.owner_id for ref in refs.values() if ref.owner_id is not None}
        return {account.id for account in accounts.data} | owners

    async def get_booking_for_staff(self, *, staff_id: UUID, booking_id: UUID) -> StaffBookingDetail:
        await self._access.require(staff_id)
        payment = await self._payments.find_payment(reference_id=booking_id)
        async with self._db.read() as tx:
            record, now = await store.get_booking(tx, booking_id=booking_id)
            history = await staff_store.list_changes(tx, booking_id=booking_id)
        [named] = await self._named([record])
        due_minor = record.refund_due_minor(captured_minor=payment.captured_minor if payment else 0)
        return StaffBookingDetail(
            **dict(named),
            terms=record.preview_cancellation(Actor.CUSTOMER, now=now).terms,
            history=history,
            payment=payment,
            refund_due_minor=due_minor,
            cancellations=list(_options(record, now=now)),
            refundable_minor=_refundable(payment, due_minor=due_minor),
        )

    async def read_figures(self, *, staff_id: UUID) -> BookingFigures:
        await self._access.require(staff_id)
        async with self._db.read() as tx:
            today = _midnight((await tx.current_time()).astimezone(UTC).date())
            most = COUNTED_AT_MOST
            took_place = (BookingStatus.CONFIRMED, BookingStatus.COMPLETED)
            return BookingFigures(
                held=await staff_store.count_in(tx, [BookingStatus.HELD], most=most),
                requested=await staff_store.count_in(tx, [BookingStatus.REQUESTED], most=most),
                starting_today=await staff_store.count_in(
                    tx, took_place, from_at=today, before_at=today + timedelta(days=1), most=most
                ),
                cancelled_today=await staff_store.count_cancelled(tx, since=today, most=most),
                due_soon=[
                    booking_of(record)
                    for record in readable(await staff_store.list_due(tx, within=_DUE_WITHIN, limit=_DUE_SHOWN))
                ],
            )

    async def _named(self, records: Sequence[BookingRecord]) -> list[StaffBooking]:
        users = await self._accounts.find_users(user_ids={record.customer_id for record in records})
        return [
            StaffBooking(
                **dict(booking_of(record)),
                provider_owner_id=record.provider_owner_id,
                customer_name=users[record.customer_id].name if record.customer_id in users else "",
            )
            for record in records
        ]


class StaffBookingActions:
    def __init__(
        self,
        *,
        db: Database,
        access: StaffAccess,
        queries: StaffBookingQueries,
        payments: StaffPayments,
        transitions: Transitions,
    ) -> None:
        self._db = db
        self._access = access
        self._queries = queries
        self._payments = payments
        self._transitions = transitions

    async def cancel_for_side(
        self, *, staff_id: UUID, booking_id: UUID, cancellation: StaffCancelIn
    ) -> StaffBookingDetail:
        await self._access.require(staff_id)
        reason = _require_reason(cancellation.reason)
        side = Actor(cancellation.on_behalf_of)
        async with self._db.write() as tx:
            record, now = await store.lock_booking(tx, booking_id=booking_id)
            is_full = cancellation.refund is StaffRefund.FULL
            refund_minor = record.staff_refund_minor(on_behalf_of=side, is_full=is_full, now=now)
            if cancellation.expected_refund_minor not in (None, refund_minor):
                raise PriceChanged(
                    f"Cancelling now refunds {refund_minor} {record.currency} in minor units,"
                    f" not {cancellation.expected_refund_minor}.",
                    hint="Show the amount and cancel again with it.",
                    refund_minor=refund_minor,
                )
            decision = StaffDecision(staff_id=staff_id, on_behalf_of=side, reason=reason, refund_minor=refund_minor)
            await self._transitions.apply(
                tx, record, actor=Actor.STAFF, to=BookingStatus.CANCELLED, now=now, decision=decision
            )
            await record_action(
                tx,
                action="booking.cancel",
                actor=staff_id,
                subject=AuditSubject("booking", booking_id),
                changes={"status": (record.status.value, BookingStatus.CANCELLED.value)},
                reason=reason,
                details={
                    "on_behalf_of": side.value,
                    "refund": cancellation.refund.value,
                    "refund_minor": refund_minor,
                    "currency": record.currency,
                },
            )
        return await self._queries.get_booking_for_staff(staff_id=staff_id, booking_id=booking_id)

    async def refund_booking(self, *, staff_id: UUID, booking_id: UUID, refund: StaffRefundIn) -> StaffBookingDetail:
        await self._access.require(staff_id)
        reason = _require_reason(refund.reason)
        async with self._db.read() as tx:
            await store.get_booking(tx, booking_id=booking_id)
        await self._payments.refund_for_staff(
            staff_id=staff_id,
            reference_id=booking_id,
            amount_minor=refund.amount_minor,
            reason=reason,
            refund_id=refund.refund_id,
        )
        return await self._queries.get_booking_for_staff(staff_id=staff_id, booking_id=booking_id)


class StaffBookingService:
    """The contract `StaffBookings`."""

    def __init__(self, *, queries: StaffBookingQueries, actions: StaffBookingActions) -> None:
        self.search_bookings = queries.search_bookings
        self.get_booking_for_staff = queries.get_booking_for_staff
        self.read_figures = queries.read_figures
        self.cancel_for_side = actions.cancel_for_side
        self.refund_booking = actions.refund_booking


def _options(record: BookingRecord, *, now: datetime) -> Sequence[CancellationOption]:
    steps = next_steps(Actor.STAFF, current=record.status, situation=record.situation(now=now))
    if NextStep.CANCEL not in steps:
        return []
    taken_minor = record.staff_refund_minor(on_behalf_of=Actor.PROVIDER, is_full=True, now=now)
    options = []
    for side in _SIDES:
        by_policy = record.staff_refund_minor(on_behalf_of=Actor(side), is_full=False, now=now)
        options.append((side, StaffRefund.POLICY, by_policy))
        if by_policy != taken_minor:
            options.append((side, StaffRefund.FULL, taken_minor))
    return [
        CancellationOption(
            on_behalf_of=side, refund=refund, refund_minor=refund_minor, keep_minor=taken_minor - refund_minor
        )
        for side, refund, refund_minor in options
    ]


def _refundable(payment: Payment | None, *, due_minor: int) -> int:
    """Return what is left of the captured money, without what a cancellation is about to give back."""
    if payment is None or payment.status is not PaymentStatus.CAPTURED or payment.is_being_released:
        return 0
    return max(0, payment.captured_minor - max(payment.refunded_minor, due_minor))


def _require_reason(reason: str) -> str:
    with refused_as(StaffActionInvalid, "The reason", field="reason"):
        return require_text(reason, most=REASON_MAX_LENGTH)


def _read_id(words: str) -> UUID | None:
    try:
        return UUID(words.strip())
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
