"""The dashboard for accounts that are not a provider's, and its preview in each state of the profile."""

import pytest

from fairground.contracts.accounts import Accounts, Role, User
from fairground.contracts.booking import Bookings
from fairground.contracts.providers import ProviderNotFound, Providers
from fairground.kernel.ids import uuid7
from tests.support.addresses import HOME_FIELDS
from tests.support.marketplace import PASSWORD, Market, describe, offer, public_provider

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


async def test_staff_at_the_dashboard_is_shown_its_own_pages(market: Market) -> None:
    staff = await market.user("ada@example.org", role=Role.ADMIN, name="Ada Staff")
    await staff.open("/pro")
    assert staff.status == 403
    assert "These pages are for providers, and your account is for staff." in staff.text
    assert "Become a provider" not in staff.text
    assert 'class="button " href="/admin/approvals"' in staff.answer.text


@pytest.mark.parametrize("path", ["/pro", "/pro/services", "/pro/preview", "/signup?role=provider"])
async def test_customer_becomes_a_provider_by_one_button(market: Market, path: str) -> None:
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora")
    await customer.open(path)
    assert (customer.status, customer.path.startswith("/pro")) == (200, True)
    await customer.send("Become a provider")
    assert (customer.status, customer.path) == (200, "/pro/profile")
    await describe(customer, name="Nora & the Tides")


async def test_former_customer_books_another_provider_as_before(market: Market) -> None:
    _, page = await public_provider(market, mode="instant")
    nora = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora")
    await (await nora.open("/pro")).send("Become a provider")
    await describe(nora, name="Nora & the Waves")
    await (await nora.open(page)).follow(":")
    await nora.send("Continue to payment", **HOME_FIELDS, party_size="40")
    await nora.send("Book and pay", payment_method="pm_card_visa")
    assert "Evening set" in (await nora.open("/me/bookings")).text


async def test_reader_who_is_signed_in_is_never_shown_the_sign_up_form(market: Market) -> None:
    for role, home in (
        (Role.CUSTOMER, "/me/bookings"),
        (Role.PROVIDER, "/pro/profile"),
        (Role.ADMIN, "/admin/approvals"),
    ):
        reader = await market.user(f"{role}@example.org", role=role, name="Nora")
        assert (await reader.open("/signup")).path == home
        assert (await reader.open("/signup?next=/s")).path == "/s"
        await reader.post("/signup", name="Nora", email="new@example.org", password=PASSWORD, role="customer")
        assert reader.path == home


@pytest.mark.parametrize("page", ["bookings", "pictures", "services", "hours", "preview"])
async def test_page_of_a_provider_without_a_profile_says_to_create_it_first(market: Market, page: str) -> None:
    provider = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    await provider.open(f"/pro/{page}")
    assert (provider.status, "Create your profile first" in provider.text) == (200, True)
    assert 'aria-label="Dashboard"' in provider.answer.text
    assert (await provider.follow("Create your profile")).path == "/pro/profile"


async def test_form_of_a_provider_without_a_profile_leads_to_the_profile(market: Market) -> None:
    provider = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    for path in ("/pro/submit", "/pro/services", "/pro/hours", "/pro/pictures/portrait/remove"):
        await provider.post(path)
        assert (provider.status, provider.path) == (200, "/pro/profile"), path


async def test_footer_leads_to_the_dashboard_only_where_the_reader_can_enter_it(market: Market) -> None:
    customer = await market.user("nora@example.org", role=Role.CUSTOMER, name="Nora")
    staff = await market.user("ada@example.org", role=Role.ADMIN, name="Ada Staff")
    provider = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya")
    for reader, path, is_shown in (
        (market.reader(), "/login", True),
        (customer, "/me/security", False),
        (staff, "/admin/approvals", False),
        (staff, "/pro", False),
        (provider, "/me/security", True),
    ):
        footer = (await reader.open(path)).answer.text.partition("<footer")[2]
        assert ('href="/pro">Dashboard' in footer) is is_shown, (path, is_shown)


async def test_preview_of_a_draft_has_services_and_free_times_that_lead_nowhere(market: Market) -> None:
    provider = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    await describe(provider, name="Maya & the Tides")
    await offer(provider, mode="instant")
    await provider.open("/pro/preview")
    assert "Only you see this page. Submit your profile for approval to make it public." in provider.text
    assert "Evening set" in provider.text
    assert '<a class="slot">' in provider.answer.text
    assert "/book/" not in provider.answer.text
    part = await provider.open("/_f/pro/preview")
    assert '<a class="slot">' in part.answer.text
    await (await provider.open("/pro")).send("Submit for approval")
    await provider.open("/pro/preview")
    assert "It becomes public once your profile is approved." in provider.text


async def test_free_times_of_a_draft_are_shown_to_no_other_account(market: Market) -> None:
    maya = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    await describe(maya, name="Maya & the Tides")
    await offer(maya, mode="instant")
    own = await market.program.links.of(Providers).get_own_provider(owner_id=(await _user(market, "maya")).id)
    bookings, day = market.program.links.of(Bookings), market.now().date()
    for viewer in (None, uuid7()):
        with pytest.raises(ProviderNotFound):
            await bookings.list_slots(provider_id=own.id, from_date=day, to_date=day, service_id=None, viewer_id=viewer)


async def test_preview_of_an_approved_profile_says_that_others_see_it(market: Market) -> None:
    provider, path = await public_provider(market)
    await provider.open("/pro/preview")
    assert "approved" not in provider.text
    assert "Your page is public." in provider.text
    assert "/book/" not in provider.answer.text
    assert (await provider.follow("View your public page")).path == path


async def test_public_provider_who_saves_the_profile_is_back_at_it_with_a_link_to_the_page(market: Market) -> None:
    provider, path = await public_provider(market)
    await (await provider.open("/pro/profile")).send("Save", bio="We play on, and we have not stopped since.")
    assert (provider.path, "Saved." in provider.text) == ("/pro/profile?saved=yes", True)
    assert (await provider.follow("View your public page")).path == path


async def _user(market: Market, name: str) -> User:
    users = await market.program.links.of(Accounts).list_users(role=None, limit=9)
    return next(user for user in users if user.email.startswith(name))
