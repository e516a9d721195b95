"""The walks through the pages that the product is for, without script.

The two that touch everything run on both databases; pages know neither, so one is enough for the others.
"""

import re
from datetime import datetime, timedelta

import pytest

from fairground.contracts.accounts import Role
from tests.support.addresses import HOME_FIELDS
from tests.support.browsing import Reader
from tests.support.lists import lists_have_followed
from tests.support.marketplace import PASSWORD, Market, describe, offer, public_provider


async def _hold(customer: Reader, page: str) -> None:
    await (await customer.open(page)).follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS, note="My mother's birthday", party_size="40")
    assert "Review and pay" in customer.text


def _start_on(reader: Reader) -> datetime:
    """Return the first instant that the page shows inside a booking's facts."""
    facts = reader.answer.text.partition('class="facts"')[2]
    found = re.search(r'datetime="([^"]+)"', facts)
    assert found
    return datetime.fromisoformat(found[1])


async def test_provider_is_found_only_after_a_corrected_profile_is_approved(market: Market) -> None:
    provider, staff = market.reader(), await market.user("ada@example.org", role=Role.ADMIN, name="Ada Staff")
    await (await provider.open("/")).follow("Offer your services")
    await provider.send("Create account", name="Maya Rivera", email="maya@example.org", password=PASSWORD)
    assert provider.path == "/pro/profile"
    await describe(provider, name="Maya & the Tides")
    await offer(provider, mode="request")
    await (await provider.open("/pro")).send("Submit for review")
    assert (provider.status, "Some things are still missing" in provider.text) == (422, True)

    await provider.open(await market.mailed_link("maya@example.org", path="/verify-email"))
    await provider.send("Confirm email address")
    await (await provider.open("/pro")).send("Submit for review")
    assert "Your profile is under review" in provider.text
    assert (await market.reader().open("/p/maya-the-tides")).status == 404

    await (await staff.open("/admin/approvals")).follow("Maya & the Tides")
    await staff.send("Reject profile", reason="Tell us where you have played.")
    assert "Tell us where you have played." in (await provider.open("/pro")).text
    await provider.send("Submit for review")
    await (await staff.open("/admin/approvals")).follow("Maya & the Tides")
    await staff.send("Approve")
    assert "Your page is public" in (await provider.open("/pro")).text
    await lists_have_followed(market.program)
    reader = await market.reader().open("/")
    await reader.send("Find", q="maya", vertical="artists")
    await reader.follow("Maya & the Tides")
    assert "€97.50" in reader.text


async def test_a_request_is_paid_accepted_completed_and_reviewed(market: Market) -> None:
    provider, page = await public_provider(market)
    customer = market.reader()
    await (await customer.open(page)).follow(":")
    assert customer.path.startswith("/login?next=")
    await customer.follow("Create an account")
    await customer.send("Create account", name="Nora Lind", email="nora@example.org", password=PASSWORD)
    await customer.send("Continue to payment", **HOME_FIELDS, note="My mother's birthday", party_size="40")
    assert "€97.50" in customer.text.partition("Request to book")[0]
    assert "Cancellation policy" in customer.text.partition("Request to book")[0]

    await customer.send("Request to book", payment_method="pm_card_visa_chargeDeclined")
    assert (customer.status, "Your card was declined" in customer.text) == (422, True)
    await customer.send("Request to book", payment_method="pm_card_authenticationRequired")
    assert "/3d-secure/" in customer.path
    await customer.send("Complete authentication", outcome="complete")
    assert "must respond by" in customer.text, customer.text

    await (await provider.open("/pro")).send("Accept")
    assert "Confirmed and paid" in provider.text
    await (await customer.open("/me/bookings")).follow("Maya & the Tides")
    booking = customer.path
    assert "Confirmed" in customer.text

    market.skip_to(_start_on(customer) + timedelta(hours=2))
    provider = await market.sign_in("maya@example.org")
    await (await provider.open(booking)).send("Mark as completed")
    customer = await market.sign_in("nora@example.org")
    await (await customer.open(booking)).send("Publish review", rating="5", text="She danced until one.")
    assert "She danced until one." in (await market.reader().open(page)).text
    await provider.open(booking)
    await provider.send("Publish review", rating="4", text="Kind people.")
    assert "Kind people." in provider.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_cancelling_shows_the_refund_before_confirmation(market: Market) -> None:
    _, page = await public_provider(market, mode="instant")
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await _hold(customer, page)
    await customer.send("Book and pay", payment_method="pm_card_visa")
    assert "Booking confirmed" in customer.text
    await (await customer.follow("View booking")).follow("Cancel")
    assert "Your refund" in customer.text
    await customer.send("Cancel booking")
    assert "This booking was cancelled" in customer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_other_card_after_the_banks_page_pays_and_the_old_page_charges_nothing(market: Market) -> None:
    _, page = await public_provider(market, mode="instant")
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await _hold(customer, page)
    paying = customer.path
    await customer.send("Book and pay", payment_method="pm_card_authenticationRequired")
    bank = customer.path
    assert "/3d-secure/" in bank
    await customer.open(paying)
    assert "If you pay with another card instead, this payment is cancelled." in customer.text
    await customer.send("Book and pay", payment_method="pm_card_visa")
    assert "Booking confirmed" in customer.text
    booking = customer.path
    await customer.open(bank)
    await customer.open(booking)
    assert "Confirmed and paid." in customer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_failed_3d_secure_is_named_as_the_reason(market: Market) -> None:
    _, page = await public_provider(market, mode="instant")
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await _hold(customer, page)
    await customer.send("Book and pay", payment_method="pm_card_authenticationRequired")
    await customer.send("Fail authentication", outcome="fail")
    assert "The payment wasn’t confirmed with your bank (3-D Secure)." in customer.text
    await customer.send("Book and pay", payment_method="pm_card_visa_chargeDeclinedInsufficientFunds")
    assert "Your card has insufficient funds." in customer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("12.345", "Leave out the thousands separator, as in 1250.50."),
        ("1e3", "Enter an amount such as 1250.50."),
        ("\uff11\uff12", "Enter an amount such as 1250.50."),
        ("0", "Enter more than 0 and at most 1000000."),
    ],
)
async def test_price_that_cannot_be_is_named_at_its_field(market: Market, price: str, said: str) -> None:
    provider, _ = await public_provider(market)
    await provider.open("/pro/services")
    await provider.send(
        "Add service", name="Whole day", category="pianist", price=price, duration_minutes="600", booking_mode="request"
    )
    assert provider.status == 422
    assert said in provider.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_declined_request_costs_nothing_and_says_why(market: Market) -> None:
    provider, page = await public_provider(market)
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await _hold(customer, page)
    await customer.send("Request to book", payment_method="pm_card_visa")
    await (await provider.open("/pro")).follow("View or decline")
    await provider.send("Reason", reason="We play elsewhere.")
    await (await customer.open("/me/bookings?status=declined")).follow("Maya & the Tides")
    assert "Not charged." in customer.text
    assert "We play elsewhere." in customer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_time_taken_meanwhile_is_refused_with_a_link_to_other_times(market: Market) -> None:
    _, page = await public_provider(market)
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    peter = await market.user("peter@example.org", role=Role.CUSTOMER, name="Peter O'Neill")
    await (await peter.open(page)).follow(":")
    await _hold(nora, page)
    await peter.send("Continue to payment", **HOME_FIELDS, note="Please")
    assert (peter.status, "just booked this time" in peter.text) == (422, True)
    assert "Please" in peter.text
    await peter.follow("Choose another time")
    await nora.send("Cancel and release this time")
    await peter.follow(":")
    await peter.send("Continue to payment", **HOME_FIELDS)
    assert peter.status == 200


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_forgotten_password_is_replaced_by_a_mailed_link(market: Market) -> None:
    await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    reader = market.reader()
    await (await reader.open("/login")).follow("Forgot your password?")
    await reader.send("Send link", email="nora@example.org")
    await reader.open(await market.mailed_link("nora@example.org", path="/reset-password"))
    await reader.send("Set new password", password="quite another sentence")
    await reader.follow("Sign in")
    await reader.send("Sign in", email="nora@example.org", password=PASSWORD)
    assert (reader.status, "Incorrect email or password" in reader.text) == (422, True)
    await reader.send("Sign in", email="nora@example.org", password="quite another sentence")
    assert reader.path == "/me/bookings"


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_sign_ins_and_tokens_are_shown_in_pages_of_twenty(market: Market) -> None:
    here = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await here.open("/me/security")
    for number in range(20):
        await here.send("Create token", name=f"script {number}")
    first = (await here.open("/me/security")).answer.text
    second = (await here.open("/me/security?page=2")).answer.text
    assert (first.count('<th scope="row">'), second.count('<th scope="row">')) == (20, 1)
    assert "/me/security?page=2" in first
    assert (await here.open("/me/security?page=0")).status == 404


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_sign_ins_and_tokens_can_be_seen_and_ended(market: Market) -> None:
    here = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    there = await market.sign_in("nora@example.org")
    await (await here.open("/me/security")).send("Create token", name="my script")
    assert "Your new token" in here.text
    assert "Your new token" not in (await here.open("/me/security")).text
    await here.send("End session")
    await here.send("End session")
    assert (await there.open("/me/bookings")).path.startswith("/login")
    await here.open("/me/settings")
    await here.send("Change password", current="not this one", new="quite another sentence")
    assert here.status == 422
    await here.send("Change password", current=PASSWORD, new="quite another sentence")
    assert (await here.open("/me/bookings")).status == 200
    await here.send("Sign out")
    assert (await here.open("/me/bookings")).path.startswith("/login")


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_bookings_and_dashboards_of_others_are_not_found(market: Market) -> None:
    _, page = await public_provider(market)
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    peter = await market.user("peter@example.org", role=Role.CUSTOMER, name="Peter O'Neill")
    await _hold(nora, page)
    booking_id = nora.path.rpartition("/")[2]
    for path in (f"/book/h/{booking_id}", f"/me/bookings/{booking_id}", f"/me/bookings/{booking_id}/cancel"):
        assert (await peter.open(path)).status == 404
    assert "Become a provider" in (await peter.open("/pro")).text
    assert (await peter.open("/admin/approvals")).status == 403
    assert (await market.reader().open("/pro")).path.startswith("/login")


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_part_equals_its_section_of_the_page(market: Market) -> None:
    _, page = await public_provider(market)
    for path in (page, page + "?month=2099-01", "/c/artists", "/s?q=unknown"):
        whole = (await market.reader().open(path)).answer.text
        part = (await market.reader().open(f"/_f{path}")).answer
        assert part.text.strip()
        assert part.text.strip() in whole
        assert part.headers["hx-push-url"] == path


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_invalid_day_or_month_falls_back_to_a_valid_one(market: Market) -> None:
    _, page = await public_provider(market)
    for query in ("date=yesterday", "month=13", "date=0001-01-01", "date=9999-12-31", "month=2020-01", "service=none"):
        assert (await market.reader().open(f"{page}?{query}")).status == 200
    yesterday = market.now() - timedelta(days=1)
    assert "No available times on this day" in (await market.reader().open(f"{page}?date={yesterday:%Y-%m-%d}")).text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_signing_in_too_often_is_refused_for_a_while(market: Market) -> None:
    reader = await market.reader().open("/login")
    for _ in range(6):
        await reader.send("Sign in", email="nora@example.org", password="wrong every time")
    assert (reader.status, "Too many attempts" in reader.text) == (429, True)


PUBLIC = ("/", "/c/artists", "/c/artists?category=pianist&q=m&min_price=10", "/s?q=zz", "/p/maya-the-tides", "/login")
PRIVATE = (
    *("/pro", "/pro/profile", "/pro/services", "/pro/hours", "/pro/preview", "/pro/bookings", "/pro/calendar"),
    *("/me/security", "/me/settings", "/me/close"),
)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_every_page_is_labelled_and_only_private_ones_know_the_reader(market: Market) -> None:
    provider, _ = await public_provider(market)
    for path in PUBLIC:
        reader = await market.reader().open(path)
        assert reader.status == 200
        assert "set-cookie" not in reader.answer.headers
        if path != "/login":
            assert (await provider.open(path)).answer.text == reader.answer.text
        _check(reader)
    for path in PRIVATE:
        await provider.open(path)
        assert provider.status == 200, path
        assert provider.answer.headers["cache-control"] in {"private, no-cache", "private, no-store"}
        _check(provider)


def _check(reader: Reader) -> None:
    reading = reader.reading
    assert reading.ids, reader.path
    assert reading.unlabelled == [], reader.path
    assert len(reading.ids) == len(set(reading.ids)), reader.path
    assert reader.answer.text.count("<h1") == 1, reader.path
    assert "script-src 'self'" in reader.answer.headers["content-security-policy"]
