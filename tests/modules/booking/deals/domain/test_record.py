"""A booking: its deadlines, what cancelling gives back, and what of it is public."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.contracts.booking import Booking, BookingNotFound, BookingStatus, CancellationPreview, RefundTerm
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.domain.machine import Actor
from fairground.modules.booking.deals.domain.record import BookingRecord, answer_due, new_record, prolong_hold
from fairground.modules.booking.deals.domain.views import booking_of, view_of
from fairground.verticals.cancellation_policy import CancellationPolicy, RefundStep
from fairground.verticals.loader import load_verticals
from tests.doubles.providers import FakeProviders

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
POLICY = CancellationPolicy(
    steps=(RefundStep(at_least_hours=48, refund_percent=100), RefundStep(at_least_hours=24, refund_percent=50))
)
STARTS_AT = datetime(2026, 12, 10, 18, tzinfo=UTC)
STEPPED = CancellationPolicy(
    steps=(RefundStep(at_least_hours=96, refund_percent=100), RefundStep(at_least_hours=24, refund_percent=50))
)
WHOLE = RefundTerm(until=STARTS_AT - timedelta(hours=96), refund_percent=100, refund_minor=15901)
HALF = RefundTerm(until=STARTS_AT - timedelta(hours=24), refund_percent=50, refund_minor=7950)
NOTHING = RefundTerm(until=None, refund_percent=0, refund_minor=0)
PRIVATE = {
    "address",
    "decided_refund_minor",
    "answer_due_hours",
    "cancellation",
    "changed_at",
    "changed_by",
    "confirmed_at",
    "distance_km",
    "has_customer_review",
    "has_provider_review",
    "lapses_at",
    "phone",
    "price_minor",
    "price_model",
    "provider_owner_id",
    "version",
    "was_confirmed",
}


def record() -> BookingRecord:
    providers, pack = FakeProviders(), load_verticals().find("tutors")
    assert pack is not None
    made = new_record(
        providers.add_service(providers.add_provider()),
        pack,
        owner_id=uuid7(),
        customer_id=uuid7(),
        starts_at=NOW + timedelta(days=3),
        timezone="UTC",
        now=NOW,
    )
    return replace(made, lapses_at=NOW + timedelta(minutes=10))


def preview(
    *,
    hours: float,
    actor: Actor = Actor.CUSTOMER,
    status: BookingStatus = BookingStatus.CONFIRMED,
    total_minor: int = 999,
    policy: CancellationPolicy = POLICY,
) -> CancellationPreview:
    starts_at = NOW + timedelta(hours=hours)
    booking = replace(
        record(),
        status=status,
        cancellation=policy,
        total_minor=total_minor,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
    )
    return booking.preview_cancellation(actor, now=NOW)


@pytest.mark.parametrize(("hours", "refund_minor"), [(49, 999), (48, 999), (47.9, 499), (24, 499), (23.9, 0), (-1, 0)])
def test_a_customer_gets_back_what_the_policy_says(hours: float, refund_minor: int) -> None:
    assert preview(hours=hours).refund_minor == refund_minor


def test_free_until_is_shown_while_it_lies_ahead() -> None:
    assert preview(hours=50).free_until == NOW + timedelta(hours=2)
    assert preview(hours=47).free_until is None
    assert preview(hours=1000, policy=CancellationPolicy(steps=())).free_until is None


def test_a_provider_always_gives_back_everything() -> None:
    assert preview(hours=-0.5, actor=Actor.PROVIDER).refund_minor == 999


@pytest.mark.parametrize("status", [BookingStatus.HELD, BookingStatus.REQUESTED])
def test_what_was_never_taken_is_not_given_back(status: BookingStatus) -> None:
    shown = preview(hours=1, status=status)
    assert (shown.refund_minor, shown.keep_minor) == (0, 0)


@given(total_minor=st.integers(0, 10**12), hours=st.floats(-100, 1000))
def test_no_minor_unit_is_lost_between_what_is_given_back_and_kept(total_minor: int, hours: float) -> None:
    shown = preview(hours=hours, total_minor=total_minor)
    assert shown.refund_minor + shown.keep_minor == total_minor
    assert min(shown.refund_minor, shown.keep_minor) >= 0


@pytest.mark.parametrize(
    ("hours", "starts_in_hours", "due_in_hours"), [(24, 100, 24), (24, 3, 3), (120, 1000, 120), (200, 1000, 120)]
)
def test_an_answer_is_due_before_the_start_and_within_five_days(
    hours: int, starts_in_hours: int, due_in_hours: int
) -> None:
    due_at = answer_due(hours=hours, starts_at=NOW + timedelta(hours=starts_in_hours), now=NOW)
    assert due_at == NOW + timedelta(hours=due_in_hours)


@pytest.mark.parametrize(
    ("held_minutes", "lapses_in_minutes", "stays_minutes"),
    [(1, 9, 9), (9, 1, 2), (11, -1, 2), (29, 1, 1), (29, -5, 1), (30, 1, None), (45, -15, None)],
)
def test_a_hold_that_is_paid_for_stays_two_minutes_and_at_most_thirty(
    held_minutes: int, lapses_in_minutes: int, stays_minutes: int | None
) -> None:
    until = prolong_hold(
        lapses_at=NOW + timedelta(minutes=lapses_in_minutes),
        held_since=NOW - timedelta(minutes=held_minutes),
        now=NOW,
    )
    assert until == (None if stays_minutes is None else NOW + timedelta(minutes=stays_minutes))


@pytest.mark.parametrize(("hours_before", "refund_minor"), [(200, 12_350), (95, 6_170), (23, 0)])
def test_refund_in_dinars_is_one_that_the_card_processor_can_give_back(hours_before: int, refund_minor: int) -> None:
    booking = replace(
        record(),
        status=BookingStatus.CONFIRMED,
        cancellation=STEPPED,
        total_minor=12_350,
        currency="BHD",
        starts_at=STARTS_AT,
        ends_at=STARTS_AT + timedelta(hours=1),
    )
    preview = booking.preview_cancellation(Actor.CUSTOMER, now=STARTS_AT - timedelta(hours=hours_before))
    assert (preview.refund_minor, preview.keep_minor) == (refund_minor, 12_350 - refund_minor)
    assert all(term.refund_minor % 10 == 0 for term in preview.terms)


def test_stored_field_that_is_not_listed_here_is_public_on_purpose() -> None:
    stored = {field.name for field in fields(BookingRecord)}
    assert stored - set(Booking.model_fields) == PRIVATE
    assert set(Booking.model_fields) - stored == {"expires_at", "answer_due_at"}


@pytest.mark.parametrize(
    ("status", "expires", "answer_due"),
    [
        (BookingStatus.HELD, True, False),
        (BookingStatus.REQUESTED, False, True),
        (BookingStatus.CONFIRMED, False, False),
    ],
)
def test_lapse_is_that_of_the_hold_or_of_the_request(status: BookingStatus, *, expires: bool, answer_due: bool) -> None:
    shown = booking_of(replace(record(), status=status))
    assert (shown.expires_at is not None, shown.answer_due_at is not None) == (expires, answer_due)


def test_viewer_on_neither_side_finds_no_booking() -> None:
    with pytest.raises(BookingNotFound):
        view_of(record(), viewer_id=uuid7(), payment=None, now=NOW)
