"""A suspended provider: signed out with a clear message, and hidden from its page, lists and search until restored."""

import anyio
import pytest

from fairground.contracts.accounts import Accounts, StaffAccounts
from tests.support.browsing import Reader
from tests.support.lists import lists_have_followed
from tests.support.marketplace import PASSWORD, Market, public_provider

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

_WAIT_SECONDS = 20


async def _until(reader: Reader, path: str, *, status: int) -> None:
    """Open a page until the job of the event has changed what it answers."""
    with anyio.fail_after(_WAIT_SECONDS):
        while (await reader.open(path)).status != status:
            await anyio.sleep(0.05)


async def test_suspended_provider_is_hidden_and_shown_again(market: Market) -> None:
    provider, page = await public_provider(market, mode="instant")
    staff, reader = market.program.links.of(StaffAccounts), market.reader()
    maya = await market.program.links.of(Accounts).find_user_by_email(email="maya@example.org")
    assert maya is not None
    assert "Maya & the Tides" in (await reader.open("/c/artists")).text

    await staff.suspend_user(staff_id=None, user_id=maya.id, reason="Spam.")
    assert (await provider.open("/pro")).path.startswith("/login")
    await provider.send("Sign in", email="maya@example.org", password=PASSWORD)
    assert (provider.status, "This account is suspended." in provider.text) == (422, True)
    await _until(reader, page, status=404)
    await lists_have_followed(market.program)
    for path in ("/c/artists", "/s?q=maya"):
        assert "Maya & the Tides" not in (await reader.open(path)).text

    await staff.restore_user(staff_id=None, user_id=maya.id)
    await _until(reader, page, status=200)
    await lists_have_followed(market.program)
    assert "Maya & the Tides" in (await reader.open("/c/artists")).text
    await market.sign_in("maya@example.org")
