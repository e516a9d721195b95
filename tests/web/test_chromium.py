"""The same walk in a real browser, with script and without, and on a small screen."""

import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from fairground.contracts.accounts import Accounts, Role
from tests.support.marketplace import PASSWORD, Market, open_market, public_provider

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]

_ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-quic"]
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PHONE_WIDTH, _NARROWEST_WIDTH = 390, 320


@dataclass
class Visit:
    """A marketplace that is served, and a browser in front of it."""

    market: Market
    browser: Browser
    address: str
    complaints: list[str] = field(default_factory=list)
    """What the browser's console said of errors, refusals by the page's policy among them."""

    async def person(self, *, has_script: bool = True, width: int = 1280) -> Page:
        context = await self.browser.new_context(
            base_url=self.address, java_script_enabled=has_script, viewport={"width": width, "height": 844}
        )
        page = await context.new_page()
        page.on("console", lambda message: self._listen(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    async def signed_in(self, email: str, *, has_script: bool, width: int = 1280) -> Page:
        page = await self.person(has_script=has_script, width=width)
        await page.goto("/login")
        await page.fill("#email", email)
        await page.fill("#password", PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_load_state()
        return page

    def _listen(self, kind: str, text: str) -> None:
        # A form that is sent back says 422, which is its duty and no mistake of the page.
        if kind == "error" and "status of 422" not in text:
            self.complaints.append(text)


def _chromium() -> str:
    named = os.environ.get("FAIRGROUND_TEST_CHROMIUM", "")
    found = next((path for name in (named, *_NAMES) if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("NOT RUN: there is no Chromium; install it, or name it in FAIRGROUND_TEST_CHROMIUM")
    return found


@asynccontextmanager
async def _served(market: Market, listener: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(market.app, log_config=None, lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [listener])
        yield
        server.should_exit = True


@pytest.fixture
async def visit(migrated_url: str, tmp_path: Path) -> AsyncIterator[Visit]:
    chromium = _chromium()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with (
            open_market(migrated_url, folder=tmp_path / "var", port=port) as market,
            _served(market, listener),
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
            yield Visit(market, browser, f"http://127.0.0.1:{port}")
            await browser.close()


async def _press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name).first.click()
    await page.wait_for_load_state()


async def _find_and_book(customer: Page) -> None:
    await customer.goto("/")
    await customer.fill("#search-q", "maya")
    await _press(customer, "Find")
    await customer.get_by_role("link", name="Maya & the Tides").click()
    await customer.locator("a.day").nth(1).click()
    await customer.locator('a.day[aria-current="date"]').first.wait_for()
    await customer.locator("a.slot").first.click()
    await customer.fill("#note", "My mother's birthday")
    await _press(customer, "Hold this time")
    await customer.get_by_label("The bank asks you to confirm first").check()
    await _press(customer, "Request for")
    await _press(customer, "Complete authentication")
    assert await customer.locator("h1").inner_text() == "Your request is on its way"


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without script"])
async def test_a_booking_is_found_paid_accepted_completed_and_reviewed(visit: Visit, *, has_script: bool) -> None:
    await public_provider(visit.market)
    accounts = visit.market.program.links.of(Accounts)
    await accounts.create_user(email="nora@example.org", password=PASSWORD, name="Nora Lind", role=Role.CUSTOMER)
    customer = await visit.signed_in("nora@example.org", has_script=has_script)
    await _find_and_book(customer)
    await customer.get_by_role("link", name="See this booking").click()
    booking = customer.url

    provider = await visit.signed_in("maya@example.org", has_script=has_script)
    await provider.goto("/pro")
    await _press(provider, "Accept")
    await customer.reload()
    assert await customer.locator(".badge").first.inner_text() == "Confirmed"

    starts_at = await customer.locator(".facts time").first.get_attribute("datetime")
    visit.market.skip_to(datetime.fromisoformat(starts_at or "") + timedelta(hours=2))
    provider = await visit.signed_in("maya@example.org", has_script=has_script)
    await provider.goto(booking)
    await _press(provider, "It took place")
    customer = await visit.signed_in("nora@example.org", has_script=has_script)
    await customer.goto(booking)
    await customer.locator("#rating").check(force=True)
    await customer.fill("#text", "She danced until one.")
    await _press(customer, "Publish the review")
    await customer.goto("/p/maya-the-tides")
    assert await customer.get_by_text("She danced until one.").count() == 1
    assert visit.complaints == []


async def test_script_replaces_parts_and_keeps_addresses_and_the_way_back(visit: Visit) -> None:
    await public_provider(visit.market)
    reader = await visit.person()
    await reader.goto("/c/artists")
    await reader.evaluate("window.stayed = true")
    await reader.fill("#location", "Nowhere")
    await reader.keyboard.press("Tab")
    await reader.get_by_text("0 results").wait_for()
    assert reader.url == f"{visit.address}/c/artists?location=Nowhere"
    assert await reader.evaluate("window.stayed")
    await reader.go_back()
    await reader.get_by_text("1 result").wait_for()

    customer = await visit.signed_in("maya@example.org", has_script=True)
    await customer.goto("/")
    await customer.get_by_text("Menu of Maya Rivera").wait_for(state="attached")
    assert visit.complaints == []


async def test_no_page_is_wider_than_the_screen(visit: Visit) -> None:
    await public_provider(visit.market)
    for width in (_PHONE_WIDTH, _NARROWEST_WIDTH):
        provider = await visit.signed_in("maya@example.org", has_script=True, width=width)
        for path in ("/", "/c/artists", "/p/maya-the-tides", "/pro", "/pro/profile", "/pro/hours", "/me/security"):
            await provider.goto(path)
            overflow = await provider.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, f"{path} at {width} px"
