"""Sign-up and the confirmation of the address: every wrong field at once, and on to where the reader was going."""

import pytest

from fairground.contracts.accounts import Role
from tests.support.marketplace import PASSWORD, Market

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

CHECK_INBOX = "Check your inbox to confirm your email address"


async def test_every_wrong_field_of_the_sign_up_is_named_at_once(market: Market) -> None:
    reader = await market.reader().open("/signup")
    await reader.send("Create account", name=" ", email="nora", password="short")
    assert reader.status == 422
    assert set(reader.reading.ids) >= {"name-error", "email-error", "password-error"}


async def test_after_sign_up_the_account_says_to_confirm_the_address_until_it_is(market: Market) -> None:
    nora = await market.reader().open("/signup")
    await nora.send("Create account", name="Nora Lind", email="nora@example.org", password=PASSWORD)
    assert (nora.path, CHECK_INBOX in nora.text) == ("/me/bookings", True)
    assert CHECK_INBOX in (await nora.open("/me/settings")).text
    await nora.send("Resend")
    assert (nora.status, "Check your inbox" in nora.text) == (200, True)
    await nora.open(await market.mailed_link("nora@example.org", path="/verify-email"))
    await nora.send("Confirm email address")
    await nora.follow("Continue")
    assert (nora.status, CHECK_INBOX in nora.text) == (200, False)
    assert CHECK_INBOX not in (await nora.open("/me/bookings")).text


async def test_dashboard_of_a_new_provider_says_to_confirm_the_address(market: Market) -> None:
    maya = await market.reader().open("/signup?role=provider")
    await maya.send("Create account", name="Maya", email="maya@example.org", password=PASSWORD)
    assert (maya.path, CHECK_INBOX in maya.text) == ("/pro/profile", True)


@pytest.mark.parametrize("is_signed_in", [True, False])
async def test_confirming_leads_on_to_where_the_reader_was_going(market: Market, *, is_signed_in: bool) -> None:
    nora = await market.reader().open("/signup?next=/c/artists%3Fcategory%3Dpianist")
    await nora.send("Create account", name="Nora Lind", email="nora@example.org", password=PASSWORD)
    assert nora.path == "/c/artists?category=pianist"
    link = await market.mailed_link("nora@example.org", path="/verify-email")
    reader = nora if is_signed_in else market.reader()
    await (await reader.open(link)).send("Confirm email address")
    await reader.follow("Continue")
    if not is_signed_in:
        assert reader.path.startswith("/login?next=")
        await reader.send("Sign in", email="nora@example.org", password=PASSWORD)
    assert reader.path == "/c/artists?category=pianist"


@pytest.mark.parametrize("next_path", ["https://evil.example", "//evil.example", "/" + "x" * 600])
async def test_mailed_link_leads_to_no_other_site_and_stays_short(market: Market, next_path: str) -> None:
    nora = await market.reader().open("/signup")
    await nora.send("Create account", name="N", email="nora@example.org", password=PASSWORD)
    await nora.post("/verify-email/send", next=next_path)
    link = await market.mailed_link("nora@example.org", path="/verify-email")
    assert "next=" not in link


async def test_footer_of_a_signed_in_reader_has_no_sign_in(market: Market) -> None:
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    footer = (await nora.open("/me/bookings")).answer.text.partition("<footer")[2]
    assert "/login" not in footer
    assert "/signup" not in footer
    assert 'href="/pro"' in footer
