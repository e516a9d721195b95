"""Staff see all of a provider before they decide, read what was decided, and suspend and restore a provider."""

import anyio
import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import Providers
from tests.support.browsing import Reader
from tests.support.lists import lists_have_followed
from tests.support.marketplace import Market, describe, offer, public_provider

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

_WAIT_SECONDS = 20


async def staff_of(market: Market) -> Reader:
    return await market.user("stig@example.org", role=Role.STAFF, name="Stig Staff")


async def path_of(market: Market, email: str) -> str:
    user = await market.program.links.of(Accounts).find_user_by_email(email=email)
    assert user is not None
    own = await market.program.links.of(Providers).get_own_provider(owner_id=user.id)
    return f"/admin/approvals/{own.id}"


async def test_decision_is_confirmed_on_the_list_and_listed_there(market: Market) -> None:
    provider = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya")
    await describe(provider, name="Maya & the Tides")
    await offer(provider, mode="request")
    await (await provider.open("/pro")).send("Submit for review")
    staff = await staff_of(market)
    await (await staff.open("/admin/approvals")).follow("Maya & the Tides")
    assert "Monday" in staff.text
    assert "Waiting for review" in staff.text
    await staff.send("Reject profile", reason="Tell us where you have played.")
    assert staff.path.startswith("/admin/approvals?done=")
    assert "Maya & the Tides is rejected. The owner gets a mail with your reason." in staff.text
    assert "Recently rejected" in staff.text
    await (await provider.open("/pro")).send("Submit for review")
    await (await staff.open("/admin/approvals")).follow("Maya & the Tides")
    await staff.send("Approve")
    assert "Maya & the Tides is approved. The owner gets a mail." in staff.text
    assert "Recently approved" in staff.text
    path = await path_of(market, "maya@example.org")
    await staff.open(path)
    assert "Approve</button>" not in staff.text
    assert "Tell us where you have played." in staff.text


async def test_suspension_hides_the_page_and_tells_the_owner_why(market: Market) -> None:
    provider, page = await public_provider(market, mode="instant")
    staff, reader = await staff_of(market), market.reader()
    path = await path_of(market, "maya@example.org")
    await staff.open("/admin/providers?q=may&status=approved")
    await staff.follow("Maya & the Tides")
    assert staff.path == path
    await staff.send("Suspend with this reason", reason="")
    assert staff.status == 422
    await staff.send("Suspend with this reason", reason="The pictures are not yours.")
    assert staff.path == f"{path}?done=suspended"
    assert (await reader.open(page)).status == 404
    await lists_have_followed(market.program)
    for public in ("/c/artists", "/s?q=maya"):
        assert "Maya & the Tides" not in (await reader.open(public)).text
    assert "The pictures are not yours." in (await provider.open("/pro")).text
    assert await market.mailed_link("maya@example.org", path="/pr")
    assert "Maya & the Tides" in (await staff.open("/admin/providers?status=suspended")).text

    await staff.open(path)
    await staff.send("End the suspension")
    with anyio.fail_after(_WAIT_SECONDS):
        while (await reader.open(page)).status != 200:
            await anyio.sleep(0.05)
    await lists_have_followed(market.program)
    assert "Maya & the Tides" in (await reader.open("/c/artists")).text

    provider_id = path.rpartition("/")[2]
    await staff.open(f"/admin/audit?kind=provider&subject={provider_id}")
    for words in ("providers.suspend", "is_suspended: no → yes", "The pictures are not yours.", "Stig Staff"):
        assert words in staff.text
    assert "providers.suspend" not in (await staff.open(f"/admin/audit?kind=user&subject={provider_id}")).text


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PROVIDER])
async def test_others_do_not_see_the_pages_of_staff(market: Market, role: Role) -> None:
    await public_provider(market)
    path = await path_of(market, "maya@example.org")
    user = await market.user("nora@example.org", role=role, name="Nora")
    for each in ("/admin/approvals", "/admin/providers", "/admin/audit", path):
        assert (await user.open(each)).status == 403
