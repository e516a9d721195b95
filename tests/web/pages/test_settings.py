"""The settings of an account, for every role: details, another address, password, and the end of the account."""

import pytest

from fairground.contracts.accounts import Role
from tests.support.addresses import HOME_FIELDS
from tests.support.marketplace import PASSWORD, Market, public_provider

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_finds_the_settings_in_the_menu_and_changes_them(market: Market, role: Role) -> None:
    reader = await market.user("nora@example.org", role=role, name="Nora Lind")
    await (await reader.open("/me/security")).follow("Settings")
    await reader.send("Save", name="Nora Berg", phone="+47 22 33 44 55")
    assert (reader.path, "Saved." in reader.text) == ("/me/settings?saved=details", True)
    assert "Nora Berg" in (await reader.open("/me/bookings")).text
    await (await reader.open("/me/settings")).send("Save", name="Nora Berg", phone="none of yours")
    assert (reader.status, "not a telephone number" in reader.text) == (422, True)


async def test_address_is_changed_by_the_link_to_the_new_one(market: Market) -> None:
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await nora.open("/me/settings")
    await nora.send("New e-mail address", email="nora@example.net", email_password="not this one")
    assert (nora.status, "Incorrect password." in nora.text) == (422, True)
    await nora.send("New e-mail address", email="nora@example.net", email_password=PASSWORD)
    assert "Check your inbox" in nora.text
    assert "Waiting for confirmation" in (await nora.open("/me/settings")).text
    link = await market.mailed_link("nora@example.net", path="/change-email")
    await market.mailed_link("nora@example.org", path="/me/setting")
    await (await market.reader().open(link)).send("Confirm this address")
    assert "nora@example.net" in (await nora.open("/me/settings")).text
    assert "Waiting for confirmation" not in nora.text
    stranger = await market.reader().open(link)
    await stranger.send("Confirm this address")
    assert (stranger.status, "has been used already" in stranger.text) == (422, True)


async def test_change_of_address_can_be_cancelled(market: Market) -> None:
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await nora.open("/me/settings")
    await nora.send("New e-mail address", email="nora@example.net", email_password=PASSWORD)
    await (await nora.open("/me/settings")).send("Cancel the change")
    assert "The change was cancelled." in nora.text
    assert "Waiting for confirmation" not in nora.text


async def test_account_with_a_booking_ahead_names_it_in_place_of_closing(market: Market) -> None:
    provider, page = await public_provider(market, mode="instant")
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    await (await customer.open(page)).follow(":")
    await customer.send("Continue to payment", **HOME_FIELDS, party_size="40")
    for reader in (customer, provider):
        await (await reader.open("/me/close")).send("Close my account", password=PASSWORD)
        assert reader.status == 422
        assert "You have bookings ahead." in reader.text
        assert "Evening set" in reader.text


async def test_closed_account_is_signed_out_and_cannot_sign_in(market: Market) -> None:
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora Lind")
    there = await market.sign_in("nora@example.org")
    await (await nora.open("/me/settings")).follow("Close account")
    await nora.send("Close my account", password="not this one")
    assert nora.status == 422
    await nora.send("Close my account", password=PASSWORD)
    assert nora.path == "/account-closed"
    assert (await nora.open("/me/bookings")).path.startswith("/login")
    assert (await there.open("/me/bookings")).path.startswith("/login")
    await nora.send("Sign in", email="nora@example.org", password=PASSWORD)
    assert nora.status == 422
