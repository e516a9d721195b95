"""Claiming an imported page: by the form on it, which staff decides about, and by a mailed link."""

from urllib.parse import quote

import anyio
import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.imports import ImportedProvider, Imports
from fairground.contracts.providers import Providers
from fairground.contracts.providers.claims import Claims
from tests.support.browsing import Reader
from tests.support.marketplace import HOURS, PASSWORD, Market

PAGE = "/p/kitchen-of-ola"


async def import_page(market: Market, *, email: str | None = None) -> None:
    row = ImportedProvider(
        external_id="1",
        business_name="Kitchen of Ola",
        location="Oslo",
        timezone="Europe/Oslo",
        categories=["sushi"],
        price_minor=10_000,
        bio="Noodles.",
        contact_email=email,
    )
    await market.program.links.of(Imports).import_providers(vertical="chefs", source="oslo", providers=[row])


async def staff_of(market: Market) -> Reader:
    return await market.user("ada@example.org", role=Role.ADMIN, name="Ada Staff")


async def test_claim_goes_from_the_public_page_over_staff_to_a_bookable_page(market: Market) -> None:
    await import_page(market)
    visitor = market.reader()
    await visitor.open(PAGE)
    assert "Not bookable yet" in visitor.text
    assert "Are you Kitchen of Ola?" in visitor.text
    # A visitor signs in first, and comes back to the claim.
    await visitor.follow("Claim this page")
    assert visitor.path.startswith("/login?next=")
    await market.program.links.of(Accounts).create_user(
        email="ola@example.org", password=PASSWORD, name="Ola", role=Role.CUSTOMER
    )
    await visitor.send("Sign in", email="ola@example.org", password=PASSWORD)
    assert visitor.path == f"{PAGE}/claim"
    await visitor.send("Claim this page", reason="")
    assert visitor.status == 422
    await visitor.send("Claim this page", reason="My number is on the door: <b>7</b>.")
    assert visitor.path == f"{PAGE}/claim"
    assert "We are looking at your claim." in visitor.text
    staff = await staff_of(market)
    await (await staff.open("/admin/approvals")).follow("Kitchen of Ola")
    assert "My number is on the door: <b>7</b>." in staff.text
    await staff.send("Grant")
    assert staff.path == "/admin/approvals"
    assert "Kitchen of Ola" not in staff.text
    await visitor.open(await market.mailed_link("ola@example.org", path="/p"))
    assert "Until people can book you" in visitor.text
    await visitor.open("/pro/hours")
    await visitor.send("Save the hours", **HOURS)
    with anyio.fail_after(20):  # the profile learns of its hours by event
        while "Until people can book you" in (await visitor.open("/pro")).text:
            await anyio.sleep(0.1)
    await visitor.open(PAGE)
    assert "Not bookable yet" not in visitor.text


async def test_refusal_is_mailed_and_shown_with_its_reason(market: Market) -> None:
    await import_page(market)
    claimant = await market.user("ola@example.org", role=Role.PROVIDER, name="Ola")
    await claimant.open(f"{PAGE}/claim")
    await claimant.send("Claim this page", reason="It is mine.")
    staff = await staff_of(market)
    await (await staff.open("/admin/approvals")).follow("Kitchen of Ola")
    await staff.send("Refuse with this reason")
    assert staff.status == 422
    await staff.send("Refuse with this reason", reason="Send us your website.")
    assert await market.mailed_link("ola@example.org", path="/p/") == PAGE
    await claimant.open(f"{PAGE}/claim")
    assert "Send us your website." in claimant.text
    await claimant.send("Claim this page", reason="It is https://ola.example.")
    assert "We are looking at your claim." in claimant.text


async def test_account_with_a_page_reads_so_before_it_writes(market: Market) -> None:
    await import_page(market)
    owner = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya")
    await owner.open("/pro/profile?vertical=artists")
    await owner.send(
        "Save and go on",
        business_name="Maya",
        bio="Songs.",
        location="Oslo",
        timezone="Europe/Oslo",
        categories=["pianist"],
    )
    await owner.open(f"{PAGE}/claim")
    assert "Your account has a page already." in owner.text
    assert "Who are you?" not in owner.text


async def invited(market: Market) -> str:
    await import_page(market, email="ola@example.org")
    assert await market.program.links.of(Claims).invite_owners() == 1
    return await market.mailed_link("ola@example.org", path="/claim")


async def test_invited_visitor_becomes_the_owner_with_a_new_account(market: Market) -> None:
    link = await invited(market)
    visitor = market.reader()
    await visitor.open(link)
    await visitor.send("Create the account and claim", name="Ola", password="a")
    assert visitor.status == 422
    await visitor.send("Create the account and claim", name="Ola Nordmann", password=PASSWORD)
    assert visitor.path == "/pro"
    assert "Good to see you, Kitchen of Ola" in visitor.text
    users = await market.program.links.of(Accounts).list_users(role=Role.PROVIDER, limit=5)
    assert [(user.email, user.name, user.email_verified) for user in users] == [
        ("ola@example.org", "Ola Nordmann", True)
    ]
    stranger = market.reader()
    await stranger.open(link)
    assert "This link cannot be used" in stranger.text


async def test_invited_user_signs_in_and_claims_with_one_button(market: Market) -> None:
    link = await invited(market)
    await market.program.links.of(Accounts).create_user(
        email="ola@example.org", password=PASSWORD, name="Ola", role=Role.CUSTOMER
    )
    visitor = market.reader()
    await visitor.open(link)
    await visitor.send("Create the account and claim", name="Ola", password=PASSWORD)
    assert visitor.status == 422
    assert "There is an account with this e-mail already. Sign in instead." in visitor.text
    await visitor.open(link)
    await visitor.open(f"/login?next={quote(link, safe='')}")
    await visitor.send("Sign in", email="ola@example.org", password=PASSWORD)
    assert visitor.path.startswith("/claim?token=")
    await visitor.send("Claim this page")
    assert visitor.path == "/pro"
    provider = await market.program.links.of(Providers).get_provider(id_or_slug="kitchen-of-ola")
    assert provider.is_claimed


@pytest.mark.parametrize("token", ["", "none", "x" * 43])
async def test_link_that_cannot_be_used_says_so(market: Market, token: str) -> None:
    visitor = market.reader()
    await visitor.open(f"/claim?token={token}")
    assert "This link cannot be used" in visitor.text
