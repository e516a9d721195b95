"""The receipt of a booking as its customer reads it, and who else does not."""

import re

import pytest

from fairground.contracts.accounts import Role
from tests.support.addresses import HOME_FIELDS
from tests.support.browsing import Reader
from tests.support.marketplace import Market, public_provider
from tests.support.waiting import until

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


async def book(market: Market, *, mode: str) -> tuple[Reader, Reader]:
    """Return the provider, and a customer on the page of the booking."""
    provider, page = await public_provider(market, mode=mode)
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await (await customer.open(page)).follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS)
    await customer.send("Book and pay" if mode == "instant" else "Request to book", payment_method="pm_card_visa")
    await customer.follow("View booking")
    return provider, customer


async def test_receipt_names_both_sides_the_lines_and_the_number(market: Market) -> None:
    _, customer = await book(market, mode="instant")
    await customer.follow("Receipt")
    assert customer.path.endswith("/receipt")
    for words in ("Maya & the Tides", "Nora Lind", "Evening set", "At your place", "(Oslo)"):
        assert words in customer.text
    number = re.search(r"R(-[0-9A-F]{4}){3}", customer.text)
    assert number is not None
    assert customer.text.count("€97.50") == 3  # the unit, the line, and what was paid
    assert "Refunded" not in customer.text
    assert "receipt." in customer.answer.text.partition("</head>")[0]


async def test_refund_is_on_the_receipt_with_its_date(market: Market) -> None:
    _, customer = await book(market, mode="instant")
    booking = customer.path
    await customer.follow("Receipt")
    before = re.search(r"R(-[0-9A-F]{4}){3}", customer.text)
    # By the provider, so all of it goes back.
    provider = await market.sign_in("maya@example.org")
    await (await provider.open(booking)).follow("Cancel")
    await provider.send("Cancel booking")

    async def shows_the_refund() -> bool:
        return "Refunded on" in (await customer.open(f"{booking}/receipt")).text

    await until(shows_the_refund)
    after = re.search(r"R(-[0-9A-F]{4}){3}", customer.text)
    assert before is not None
    assert after is not None
    assert before[0] == after[0]
    assert "\N{MINUS SIGN}€97.50" in customer.text
    assert "€0.00" in customer.text


async def test_provider_and_unpaid_bookings_have_no_receipt(market: Market) -> None:
    provider, customer = await book(market, mode="request")
    booking = customer.path
    assert "Receipt" not in customer.text
    assert (await customer.open(f"{booking}/receipt")).status == 404
    await provider.open(booking)
    await provider.send("Accept")
    assert "Receipt" not in (await provider.open(booking)).text
    assert (await provider.open(f"{booking}/receipt")).status == 404
    assert (await customer.open(f"{booking}/receipt")).status == 200
