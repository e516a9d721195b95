"""What of a stored booking is public."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from fairground.contracts.booking import Booking, BookingNotFound, BookingStatus
from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.domain.record import BookingRecord, new_record
from fairground.modules.booking.deals.domain.view import booking_of, view_of
from fairground.verticals.loader import load_verticals
from tests.doubles.providers import FakeProviders

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PRIVATE = {
    "answer_due_hours",
    "cancellation",
    "changed_at",
    "changed_by",
    "has_customer_review",
    "has_provider_review",
    "lapses_at",
    "provider_owner_id",
    "version",
    "was_confirmed",
}


def record() -> BookingRecord:
    catalog, pack = FakeProviders(), load_verticals().find("tutors")
    assert pack is not None
    made = new_record(
        catalog.add_service(catalog.add_provider()),
        pack,
        owner_id=uuid7(),
        customer_id=uuid7(),
        starts_at=NOW + timedelta(days=3),
        timezone="UTC",
        now=NOW,
    )
    return replace(made, lapses_at=NOW + timedelta(minutes=10))


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
