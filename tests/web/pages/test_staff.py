"""Staff makes files of embedded pictures, in a real browser: asked first, then watched to the end."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from fairground.contracts.accounts import Accounts, Role
from tests.support.embedded import ROWS, bring_in
from tests.support.marketplace import PASSWORD
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]


async def _make_files(page: Page, subject: str) -> dict[str, int]:
    """Start a run, wait for its end, and return the JSON that the page shows."""
    section = page.locator(f"#{subject}")
    await section.get_by_role("button", name="Convert").click()
    dialog = page.locator(f"#start-{subject}")
    await dialog.get_by_role("button", name="Not now").click()
    await expect(dialog).to_be_hidden()
    assert await section.get_by_text("Last run").count() == 0
    await section.get_by_role("button", name="Convert").click()
    await dialog.get_by_role("button", name="Yes, convert").click()
    await section.locator("progress").wait_for()
    await section.get_by_text("Last run").wait_for()
    shown = json.loads(await section.locator("pre").inner_text())
    return {name: shown[name] for name in ("found", "migrated", "failed")}


async def test_staff_makes_files_of_embedded_pictures_and_sees_how_it_went(visit: Visit, tmp_path: Path) -> None:
    accounts = visit.market.program.links.of(Accounts)
    await accounts.create_user(email="staff@example.org", password=PASSWORD, name="Stig", role=Role.ADMIN)
    await bring_in(visit.market.program, ROWS, folder=tmp_path)
    page = await visit.signed_in("staff@example.org", has_script=True)
    await page.locator("details.menu summary").click()
    await page.locator(".menu-panel").get_by_role("link", name="Admin").click()
    await page.get_by_role("link", name="Import tools").click()
    await page.get_by_text("5 pictures waiting").wait_for()
    assert await _make_files(page, "profile-images") == {"found": 5, "migrated": 3, "failed": 2}
    assert await _make_files(page, "service-media") == {"found": 2, "migrated": 1, "failed": 1}
    assert await page.get_by_text("Nothing to convert.").count() == 2
    await page.goto("/p/ann-duo")
    assert await page.locator("img[src*='/api/v1/img/avatar/']").count() == 1
    assert visit.complaints == []


async def test_without_script_the_page_says_how_far_it_is(visit: Visit, tmp_path: Path) -> None:
    accounts = visit.market.program.links.of(Accounts)
    await accounts.create_user(email="staff@example.org", password=PASSWORD, name="Stig", role=Role.ADMIN)
    await bring_in(visit.market.program, ROWS[:1], folder=tmp_path)
    page = await visit.signed_in("staff@example.org", has_script=False, width=390)
    await page.goto("/admin/migrations")
    await page.locator("#service-media").get_by_role("button", name="Convert").click()
    await page.locator("#start-service-media").get_by_role("button", name="Yes, convert").click()
    section = page.locator("#service-media")
    while await section.get_by_role("link", name="Refresh").count():
        await page.wait_for_timeout(200)
        await page.reload()
    await expect(section.get_by_text("Last run: 1 found")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
