"""Hours and free times in a real browser: one's own time, copied hours, the month that is chosen, and the zone."""

import re

import pytest

from fairground.contracts.accounts import Role
from tests.support.marketplace import public_provider
from tests.support.visits import Visit, sign_in

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]


async def test_own_time_is_shown_beside_the_time_of_the_provider(visit: Visit) -> None:
    _, path = await public_provider(visit.market)
    reader = await visit.person(zone="Asia/Tokyo")
    await reader.goto(path)
    assert "Times shown in Oslo time (CE" in await reader.locator("#times").inner_text()
    slots = reader.locator("a.slot")
    await reader.locator("your-time:not(:empty)").first.wait_for()
    for text in (await slots.all_inner_texts())[:9]:
        found = re.search(r"(\d\d):(\d\d)\s+(?:(\w{3}) )?(\d\d):\2 your time", text)
        assert found, text
        ahead, is_later_day = (int(found[4]) - int(found[1])) % 24, int(found[4]) < int(found[1])
        assert ahead in {7, 8}
        assert bool(found[3]) is is_later_day, "The day is named where it is another one."
    await reader.locator("a.day").nth(1).click()
    await reader.locator('a.day[aria-current="date"]').first.wait_for()
    assert await reader.locator("your-time:not(:empty)").count() == await slots.count(), "A new part has it too."

    neighbour = await visit.person(zone="Europe/Berlin")
    await neighbour.goto(path)
    await neighbour.wait_for_load_state("networkidle")
    assert await neighbour.locator("your-time:not(:empty)").count() == 0
    assert visit.complaints == []


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without script"])
async def test_a_month_is_chosen(visit: Visit, *, has_script: bool) -> None:
    _, path = await public_provider(visit.market)
    reader = await visit.person(has_script=has_script)
    await reader.goto(path)
    months = await reader.locator("#month option").all()
    assert len(months) >= 12
    month = await months[5].inner_text()
    await reader.select_option("#month", label=month)
    await reader.get_by_role("button", name="Show month").click()
    await reader.locator("#calendar-title", has_text=month).wait_for()
    assert "month=" in reader.url


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without script"])
async def test_hours_of_a_day_are_copied(visit: Visit, *, has_script: bool) -> None:
    await public_provider(visit.market)
    provider = await visit.signed_in("maya@example.org", has_script=has_script)
    await provider.goto("/pro/hours")
    await provider.fill("#start_2_0", "18:00")
    await provider.fill("#end_2_0", "02:00")
    await provider.select_option("#copy_from", label="Wednesday")
    await provider.get_by_role("button", name="To Monday to Friday").click()
    await provider.get_by_text("Hours copied.").wait_for()
    assert await provider.input_value("#start_4_0") == "18:00"
    assert await provider.input_value("#start_5_0") != "18:00"
    await provider.get_by_role("button", name="Save hours").click()
    await provider.get_by_text("Your hours are saved").wait_for()
    assert await provider.get_by_text("next day", exact=True).count() == 5
    assert visit.complaints == []


async def test_enter_in_a_field_of_the_hours_saves_them(visit: Visit) -> None:
    await public_provider(visit.market)
    provider = await visit.signed_in("maya@example.org", has_script=True)
    await provider.goto("/pro/hours")
    await provider.locator("#end_0_0").press("Enter")
    await provider.get_by_text("Your hours are saved").wait_for()


async def test_zone_of_the_browser_is_suggested_for_a_new_profile(visit: Visit) -> None:
    await visit.market.user("nils@example.org", role=Role.PROVIDER, name="Nils")
    provider = await visit.person(zone="America/New_York")
    await sign_in(provider, "nils@example.org")
    await provider.goto("/pro/profile?vertical=tutors")
    assert await provider.input_value("#timezone") == "America/New_York"


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_no_time_is_cut_off(visit: Visit, width: int) -> None:
    await public_provider(visit.market)
    provider = await visit.signed_in("maya@example.org", has_script=True, width=width)
    await provider.goto("/pro/hours")
    narrow = await provider.evaluate(
        "[...document.querySelectorAll('input[type=time]')].filter("
        "(field) => field.scrollWidth > field.clientWidth || field.offsetWidth < 125).length"
    )
    assert narrow == 0
