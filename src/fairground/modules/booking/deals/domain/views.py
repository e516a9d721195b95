"""A booking as its two sides and other modules see it."""

from datetime import datetime
from uuid import UUID

from fairground.contracts.booking import Booking, BookingSide, BookingStatus, BookingView, NextStep, PriceLine
from fairground.contracts.booking.terms import make_price_line
from fairground.contracts.payments import Payment
from fairground.modules.booking.deals.domain.machine import Actor, next_steps
from fairground.modules.booking.deals.domain.record import BookingRecord


def booking_of(record: BookingRecord) -> Booking:
    return Booking(
        id=record.id,
        status=record.status,
        customer_id=record.customer_id,
        provider_id=record.provider_id,
        provider_name=record.provider_name,
        provider_slug=record.provider_slug,
        service_id=record.service_id,
        service_name=record.service_name,
        vertical=record.vertical,
        booking_mode=record.booking_mode,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        timezone=record.timezone,
        place=record.place,
        note=record.note,
        party_size=record.party_size,
        total_minor=record.total_minor,
        currency=record.currency,
        expires_at=record.lapses_at if record.status is BookingStatus.HELD else None,
        answer_due_at=record.lapses_at if record.status is BookingStatus.REQUESTED else None,
        decline_reason=record.decline_reason,
        created_at=record.created_at,
    )


def side_of(record: BookingRecord) -> BookingSide:
    return BookingSide(
        booking_id=record.id,
        status=record.status,
        customer_id=record.customer_id,
        provider_id=record.provider_id,
        provider_slug=record.provider_slug,
        provider_owner_id=record.provider_owner_id,
        was_only_held=record.was_only_held(),
        ended_at=record.ended_at(),
    )


def view_of(record: BookingRecord, *, viewer_id: UUID, payment: Payment | None, now: datetime) -> BookingView:
    """Return the booking as this side sees it, with what only its own page shows.

    Raise BookingNotFound for a user on neither side.
    """
    is_customer = record.side_of(viewer_id) is Actor.CUSTOMER
    details = {
        "address": record.address if is_customer else None,
        "phone": record.phone if is_customer else None,
        "city": record.address.city if record.address else None,
        "distance_km": record.distance_km,
    }
    return listed_view_of(record, viewer_id=viewer_id, payment=payment, now=now).model_copy(update=details)


def listed_view_of(record: BookingRecord, *, viewer_id: UUID, payment: Payment | None, now: datetime) -> BookingView:
    """Return the booking as lists show it: without addresses and telephone numbers."""
    side = record.side_of(viewer_id)
    steps = next_steps(
        side,
        current=record.status,
        situation=record.situation(now=now),
        is_reviewed=record.is_reviewed_by(side),
    )
    return BookingView(
        **dict(booking_of(record)),
        side=side.value,
        next_steps=steps,
        payment=payment,
        refund_due_minor=record.refund_due_minor(captured_minor=payment.captured_minor if payment else 0),
        cancellation=record.preview_cancellation(side, now=now) if NextStep.CANCEL in steps else None,
        lines=[_line_of(record)],
        reached=record.reached(),
        confirmed_at=record.confirmed_at,
        ended_at=record.ended_at(),
    )


def _line_of(record: BookingRecord) -> PriceLine:
    return make_price_line(
        record.price_model,
        record.price_minor,
        people=record.party_size,
        minutes=record.minutes,
        total_minor=record.total_minor,
    )
