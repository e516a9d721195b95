"""Texts about the money of an ended booking are true for each amount that was paid and is due."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest

from fairground.modules.notifications.domain import Audience
from fairground.modules.notifications.module import build_environment
from fairground.modules.notifications.service import NotificationRenderer

TOTAL = 26_000
AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


def text_of(topic: str, audience: Audience, **event: object) -> str:
    booking = SimpleNamespace(
        id=uuid4(),
        provider_name="Ada",
        provider_slug="ada",
        service_name="Tarot",
        starts_at=AT,
        ends_at=AT,
        timezone="Europe/Oslo",
        total_minor=TOTAL,
        currency="EUR",
        booking_mode="request",
    )
    notification = NotificationRenderer(build_environment()).render(
        topic,
        audience=audience,
        user_id=uuid4(),
        subject_id=booking.id,
        event=SimpleNamespace(**event),
        booking=booking,
        customer_name="Grace",
    )
    return notification.text


@pytest.mark.parametrize("audience", [Audience.CUSTOMER, Audience.PROVIDER])
@pytest.mark.parametrize("by", ["customer", "provider"])
@pytest.mark.parametrize("refund_minor", [0, 13_000, TOTAL])
def test_mail_about_a_cancelled_booking_names_what_is_refunded(audience: Audience, by: str, refund_minor: int) -> None:
    text = text_of("booking.cancelled.v1", audience, by=by, was="confirmed", refund_minor=refund_minor)
    assert ("the €260.00 is not refunded" in text) == (refund_minor == 0)
    assert ("€130.00" in text) == (refund_minor == 13_000)
    assert ("the full €260.00" in text or "a full refund of €260.00" in text) == (refund_minor == TOTAL)
    assert "haven’t been charged" not in text


@pytest.mark.parametrize("by", ["customer", "provider"])
def test_mail_about_a_cancelled_request_says_that_nothing_is_paid(by: str) -> None:
    text = text_of("booking.cancelled.v1", Audience.CUSTOMER, by=by, was="requested", refund_minor=0)
    assert text == "You haven’t been charged. The €260.00 reserved on your card will be released."
    assert "€" not in text_of("booking.cancelled.v1", Audience.PROVIDER, by=by, was="requested", refund_minor=0)


def test_mails_about_requests_that_ended_say_that_nothing_is_paid() -> None:
    for topic, event in (("booking.declined.v1", {"reason": None}), ("booking.expired.v1", {"was": "requested"})):
        text = text_of(topic, Audience.CUSTOMER, **event)
        assert "You haven’t been charged" in text
        assert "€260.00 reserved on your card will be released." in text
