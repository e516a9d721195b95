"""Staff find bookings, cancel them for a side and give money back, with the real payments and the audit trail."""

from datetime import timedelta
from uuid import UUID

import pytest

from fairground.contracts.accounts import NotPermitted
from fairground.contracts.booking import BookingNotFound, BookingStatus, BookingView, PriceChanged, StatusConflict
from fairground.contracts.booking.staff import (
    StaffActionInvalid,
    StaffBookings,
    StaffCancelIn,
    StaffRefund,
    StaffRefundIn,
)
from fairground.contracts.payments import PaymentNotFound, PaymentStatus, RefundTooLarge
from fairground.contracts.providers import BookingMode
from fairground.contracts.staff_payments import StaffPayments
from fairground.kernel.ids import uuid7
from fairground.kernel.inputs import CursorInvalid
from fairground.platform.db.common.audit import AuditEntry, AuditSubject, list_actions
from tests.modules.booking.fair import Fair

pytestmark = pytest.mark.anyio


def staff(fair: Fair) -> StaffBookings:
    return fair.program.links.of(StaffBookings)


async def confirmed(fair: Fair) -> BookingView:
    return await fair.pay(await fair.hold(BookingMode.INSTANT))


async def actions_on(fair: Fair, kind: str, subject_id: UUID) -> list[AuditEntry]:
    async with fair.program.db.read() as tx:
        return (await list_actions(tx, subject=AuditSubject(kind, subject_id), limit=10)).data


def cancel_for(side: str, *, refund: StaffRefund = StaffRefund.POLICY, expected: int | None = None) -> StaffCancelIn:
    fields = {"on_behalf_of": side, "refund": refund, "reason": "They called us.", "expected_refund_minor": expected}
    return StaffCancelIn.model_validate(fields)


async def test_staff_cancels_for_the_provider_and_everything_goes_back(fair: Fair) -> None:
    booking = await confirmed(fair)
    done = await staff(fair).cancel_for_side(
        staff_id=fair.staff_id, booking_id=booking.id, cancellation=cancel_for("provider", expected=booking.total_minor)
    )
    assert (done.status, done.refund_due_minor, done.cancellations) == ("cancelled", booking.total_minor, [])
    last = done.history[-1]
    assert (last.actor, last.acted_by, last.on_behalf_of, last.reason) == (
        "staff",
        fair.staff_id,
        "provider",
        "They called us.",
    )
    await fair.until_money(booking, PaymentStatus.CAPTURED, refunded_minor=booking.total_minor)
    [entry] = await actions_on(fair, "booking", booking.id)
    assert (entry.action, entry.actor_id, entry.reason) == ("booking.cancel", fair.staff_id, "They called us.")
    assert entry.changes == {"status": ["confirmed", "cancelled"]}
    assert entry.details["refund_minor"] == booking.total_minor


async def test_goodwill_gives_a_customer_more_than_the_policy(fair: Fair) -> None:
    booking = await confirmed(fair)
    fair.program.db.clock_shift += booking.starts_at - timedelta(minutes=5) - await fair.now()
    shown = await staff(fair).get_booking_for_staff(staff_id=fair.staff_id, booking_id=booking.id)
    options = {(each.on_behalf_of, each.refund): each.refund_minor for each in shown.cancellations}
    assert options == {
        ("customer", "policy"): 0,
        ("customer", "full"): booking.total_minor,
        ("provider", "policy"): booking.total_minor,
    }
    done = await staff(fair).cancel_for_side(
        staff_id=fair.staff_id, booking_id=booking.id, cancellation=cancel_for("customer", refund=StaffRefund.FULL)
    )
    assert done.refund_due_minor == booking.total_minor
    await fair.until_money(booking, PaymentStatus.CAPTURED, refunded_minor=booking.total_minor)
    # The sides are shown the decided refund too, not the policy's.
    own = await fair.bookings.get_booking(user_id=booking.customer_id, booking_id=booking.id)
    assert own.refund_due_minor == booking.total_minor


async def test_amount_that_was_not_shown_is_refused_and_nothing_is_recorded(fair: Fair) -> None:
    booking = await confirmed(fair)
    with pytest.raises(PriceChanged):
        await staff(fair).cancel_for_side(
            staff_id=fair.staff_id, booking_id=booking.id, cancellation=cancel_for("provider", expected=1)
        )
    assert await actions_on(fair, "booking", booking.id) == []


async def test_booking_that_has_ended_cannot_be_cancelled_again(fair: Fair) -> None:
    held = await fair.hold()
    await staff(fair).cancel_for_side(staff_id=fair.staff_id, booking_id=held.id, cancellation=cancel_for("customer"))
    with pytest.raises(StatusConflict):
        await staff(fair).cancel_for_side(
            staff_id=fair.staff_id, booking_id=held.id, cancellation=cancel_for("customer")
        )
    assert len(await actions_on(fair, "booking", held.id)) == 1


async def test_refund_by_staff_is_made_once_for_one_id(fair: Fair) -> None:
    booking = await confirmed(fair)
    refund = StaffRefundIn(amount_minor=1_000, reason="The sound system failed.", refund_id=uuid7())
    for _ in range(2):
        done = await staff(fair).refund_booking(staff_id=fair.staff_id, booking_id=booking.id, refund=refund)
        assert done.payment is not None
        assert (done.status, done.payment.refunded_minor) == (BookingStatus.CONFIRMED, 1_000)
        assert done.refundable_minor == booking.total_minor - 1_000
    assert booking.payment is not None
    [entry] = await actions_on(fair, "payment", booking.payment.id)
    assert (entry.action, entry.actor_id, entry.details["amount_minor"]) == ("payments.refund", fair.staff_id, 1_000)
    payment = await fair.program.links.of(StaffPayments).get_payment_for_staff(payment_id=booking.payment.id)
    assert [(each.status, each.amount_minor) for each in payment.refunds] == [("succeeded", 1_000)]
    assert {each.operation for each in payment.attempts} >= {"create", "refund"}


async def test_more_than_is_left_is_refused_and_not_recorded(fair: Fair) -> None:
    booking = await confirmed(fair)
    too_much = StaffRefundIn(amount_minor=booking.total_minor + 100, reason="Too much.")
    with pytest.raises(RefundTooLarge):
        await staff(fair).refund_booking(staff_id=fair.staff_id, booking_id=booking.id, refund=too_much)
    assert booking.payment is not None
    assert await actions_on(fair, "payment", booking.payment.id) == []
    await fair.bookings.cancel(user_id=fair.owner_id, booking_id=booking.id)
    held = await fair.hold()
    with pytest.raises(PaymentNotFound):
        await staff(fair).refund_booking(staff_id=fair.staff_id, booking_id=held.id, refund=too_much)


async def test_cancellation_after_a_refund_by_staff_gives_back_the_rest(fair: Fair) -> None:
    booking = await confirmed(fair)
    refund = StaffRefundIn(amount_minor=1_000, reason="A first part.")
    await staff(fair).refund_booking(staff_id=fair.staff_id, booking_id=booking.id, refund=refund)
    await fair.bookings.cancel(user_id=fair.owner_id, booking_id=booking.id)
    await fair.until_money(booking, PaymentStatus.CAPTURED, refunded_minor=booking.total_minor)


async def test_search_finds_by_id_words_account_status_and_days(fair: Fair) -> None:
    paid, held = await confirmed_later(fair), await fair.hold()
    found = staff(fair).search_bookings

    async def ids(**filters: object) -> list[UUID]:
        page = await found(staff_id=fair.staff_id, limit=10, **filters)  # type: ignore[arg-type]
        return [booking.id for booking in page.data]

    assert await ids(words=str(held.id)) == [held.id]
    assert await ids() == [paid.id, held.id]
    assert await ids(words="kim@example") == [paid.id, held.id]
    assert await ids(words="nora") == []
    assert await ids(user_id=fair.owner_id) == [paid.id, held.id]
    assert await ids(user_id=fair.staff_id) == []
    assert await ids(status=BookingStatus.HELD) == [held.id]
    assert await ids(words="kim", status=BookingStatus.CONFIRMED) == [paid.id]
    day = held.starts_at.date()
    assert await ids(from_date=day, to_date=day) == [held.id]
    assert await ids(from_date=day + timedelta(days=1)) == [paid.id]


async def confirmed_later(fair: Fair) -> BookingView:
    fair.program.db.clock_shift += timedelta(days=1)
    booking = await confirmed(fair)
    fair.program.db.clock_shift -= timedelta(days=1)
    return booking


async def test_pages_of_a_search_follow_each_other(fair: Fair) -> None:
    expected = [(await confirmed_later(fair)).id, (await fair.hold()).id]
    first = await staff(fair).search_bookings(staff_id=fair.staff_id, limit=1)
    assert first.next_cursor is not None
    second = await staff(fair).search_bookings(staff_id=fair.staff_id, limit=1, cursor=first.next_cursor)
    assert [booking.id for page in (first, second) for booking in page.data] == expected
    assert second.next_cursor is None
    with pytest.raises(CursorInvalid):
        await staff(fair).search_bookings(staff_id=fair.staff_id, limit=1, cursor="nothing")


async def test_figures_count_what_is_held_waits_and_was_cancelled(fair: Fair) -> None:
    cancelled = await confirmed_later(fair)
    await fair.hold()
    await fair.bookings.cancel(user_id=fair.owner_id, booking_id=cancelled.id)
    figures = await staff(fair).read_figures(staff_id=fair.staff_id)
    assert (figures.held, figures.requested, figures.cancelled_today, figures.starting_today) == (1, 0, 1, 0)
    [money] = await fair.program.links.of(StaffPayments).read_figures()
    assert money.captured_minor == cancelled.total_minor
    assert money.net_minor == money.captured_minor - money.refunded_minor


async def test_request_near_its_deadline_is_shown(fair: Fair) -> None:
    request = await fair.pay(await fair.hold())
    assert request.answer_due_at is not None
    before = await staff(fair).read_figures(staff_id=fair.staff_id)
    fair.program.db.clock_shift += request.answer_due_at - timedelta(hours=1) - await fair.now()
    after = await staff(fair).read_figures(staff_id=fair.staff_id)
    assert ([each.id for each in before.due_soon], [each.id for each in after.due_soon]) == ([], [request.id])


async def test_other_accounts_and_unknown_bookings_are_refused(fair: Fair) -> None:
    booking = await confirmed(fair)
    for user_id in (fair.owner_id, fair.customer_id, uuid7()):
        with pytest.raises(NotPermitted):
            await staff(fair).search_bookings(staff_id=user_id, limit=1)
        with pytest.raises(NotPermitted):
            await staff(fair).get_booking_for_staff(staff_id=user_id, booking_id=booking.id)
        with pytest.raises(NotPermitted):
            await staff(fair).cancel_for_side(
                staff_id=user_id, booking_id=booking.id, cancellation=cancel_for("customer")
            )
        with pytest.raises(NotPermitted):
            await staff(fair).refund_booking(
                staff_id=user_id, booking_id=booking.id, refund=StaffRefundIn(amount_minor=1, reason="Mine.")
            )
    with pytest.raises(BookingNotFound):
        await staff(fair).get_booking_for_staff(staff_id=fair.staff_id, booking_id=uuid7())
    nothing = StaffCancelIn(on_behalf_of="customer", reason=" ")
    with pytest.raises(StaffActionInvalid):
        await staff(fair).cancel_for_side(staff_id=fair.staff_id, booking_id=booking.id, cancellation=nothing)
