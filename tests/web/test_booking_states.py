"""What the pages say of a booking follows how it stands."""

import re
from datetime import datetime, timedelta

import pytest

from fairground.contracts.accounts import Role
from fairground.modules.booking.deals.expiry import ExpireLapsed
from tests.support.addresses import HOME_FIELDS
from tests.support.browsing import Reader
from tests.support.marketplace import Market, public_provider

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


async def _hold(market: Market, *, mode: str = "request") -> tuple[Reader, str]:
    """Return a customer on the payment page of a time that they hold, and the page of its provider."""
    _, page = await public_provider(market, mode=mode)
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await (await customer.open(page)).follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS, note="My mother's birthday")
    assert customer.path.startswith("/book/h/")
    return customer, page


async def _lapse(market: Market) -> None:
    market.skip_to(market.now() + timedelta(minutes=11))
    # The minute's sweep, without the wait for it.
    booking = next(module for module in market.program.modules if module.name == "booking")
    await booking.handlers[ExpireLapsed](ExpireLapsed())


async def test_expired_hold_leads_back_to_the_service_and_day(market: Market) -> None:
    customer, page = await _hold(market)
    await _lapse(market)
    await customer.open(customer.path)
    assert (customer.status, "Your hold has expired" in customer.text) == (409, True)
    await customer.follow("Choose a time")
    assert customer.path.startswith(f"{page}?service=")
    assert "&date=" in customer.path
    await customer.follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS)
    assert customer.path.startswith("/book/h/")


async def test_paying_an_expired_hold_leads_back_to_the_service_and_day(market: Market) -> None:
    customer, page = await _hold(market)
    await _lapse(market)
    await customer.send("Request to book", payment_method="pm_card_visa")
    assert customer.status == 409
    await customer.follow("Choose a time")
    assert customer.path.startswith(f"{page}?service=")


async def test_details_sent_twice_lead_to_one_hold(market: Market) -> None:
    _, page = await public_provider(market)
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    details = (await (await customer.open(page)).follow(":")).path
    await customer.send("Continue to payment", **HOME_FIELDS, note="First")
    held = customer.path
    await customer.open(details)
    await customer.send("Continue to payment", **HOME_FIELDS, note="Second")
    assert (customer.status, customer.path) == (200, held)
    assert "Second" in customer.text


async def test_details_of_a_requested_time_lead_to_that_booking(market: Market) -> None:
    _, page = await public_provider(market)
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    details = (await (await customer.open(page)).follow(":")).path
    await customer.send("Continue to payment", **HOME_FIELDS)
    await customer.send("Request to book", payment_method="pm_card_visa")
    await customer.open(details)
    await customer.send("Continue to payment", **HOME_FIELDS)
    assert (customer.status, "already have a booking at this time" in customer.text) == (422, True)
    await customer.follow("View booking")
    assert "Waiting for a response" in customer.text


async def test_released_hold_is_not_called_a_cancelled_booking(market: Market) -> None:
    customer, _ = await _hold(market)
    await customer.send("Cancel and release this time")
    assert "Maya" not in (await customer.open("/me/bookings")).text.partition("Released and expired holds")[2]
    assert "Released" in (await customer.follow("Released and expired holds")).text
    await customer.follow("Maya & the Tides")
    assert "Add to calendar" not in customer.text


async def test_lapsed_hold_is_listed_as_an_expired_hold(market: Market) -> None:
    customer, _ = await _hold(market)
    await _lapse(market)
    assert "Hold expired" not in (await customer.open("/me/bookings")).text
    assert "Hold expired" in (await customer.follow("Released and expired holds")).text


async def test_cancelled_booking_keeps_its_confirmation_and_tells_when_it_was_cancelled(market: Market) -> None:
    customer, _ = await _hold(market, mode="instant")
    await customer.send("Book and pay", payment_method="pm_card_visa")
    assert "Add to calendar" in customer.text
    await (await customer.follow("View booking")).follow("Cancel")
    await customer.send("Cancel booking")
    _, _, timeline = customer.answer.text.partition('<ol class="timeline">')
    assert "Confirmed and paid" in timeline
    _, _, ending = timeline.partition('aria-current="step">Cancelled')
    assert "datetime=" in ending.partition("</ol>")[0]
    assert "Add to calendar" not in customer.text


async def test_paying_again_in_another_tab_shows_the_booking_that_was_paid(market: Market) -> None:
    customer, _ = await _hold(market, mode="instant")
    pay_page = customer.path
    await customer.send("Book and pay", payment_method="pm_card_visa")
    paid = customer.path
    await customer.post(pay_page, payment_method="pm_card_visa")
    assert (customer.status, customer.path) == (200, paid)


async def test_cancelling_again_in_another_tab_shows_the_cancelled_booking(market: Market) -> None:
    customer, _ = await _hold(market, mode="instant")
    await customer.send("Book and pay", payment_method="pm_card_visa")
    await (await customer.follow("View booking")).follow("Cancel")
    cancel_page = customer.path
    refund = re.search(r'name="expected_refund_minor" value="(\d+)"', customer.answer.text)
    assert refund is not None
    await customer.send("Cancel booking")
    cancelled = customer.path
    await customer.post(cancel_page, expected_refund_minor=refund[1])
    assert (customer.status, customer.path) == (200, cancelled)
    assert "has changed" not in customer.text


async def test_time_to_pay_by_names_its_place(market: Market) -> None:
    customer, _ = await _hold(market)
    await (await customer.open("/me/bookings")).follow("Maya & the Tides")
    assert re.search(r"Pay by \w+ \d+ \w+ \d+, \d\d:\d\d \(\w+\)", customer.text)


async def test_reviewed_booking_asks_for_no_review(market: Market) -> None:
    customer, _ = await _hold(market, mode="instant")
    await customer.send("Book and pay", payment_method="pm_card_visa")
    await customer.follow("View booking")
    booking = customer.path
    start = re.search(r'datetime="([^"]+)"', customer.answer.text.partition('class="facts"')[2])
    assert start
    # Long before the job that completes a booking by itself.
    market.skip_to(datetime.fromisoformat(start[1]) + timedelta(hours=2))
    customer = await market.sign_in("nora@example.org")
    await (await customer.open(booking)).send("Mark as completed")
    assert "How was it?" in customer.text
    await customer.send("Publish review", rating="5", text="She danced until one.")
    assert "She danced until one." in customer.text
    for words in ("How was it?", "Write a review", "Publish review"):
        assert words not in customer.text
