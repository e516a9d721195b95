"""The map of a list, in a real browser: loaded by a click, used by keyboard, and without requests to other servers."""

import pytest
from playwright.async_api import Locator, Page

from fairground.contracts.imports import ImportedProvider, Imports
from tests.support.lists import fill_lists
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]

PLACES = {"Oslo": (59.913, 10.752), "Oslo East": (59.914, 10.753), "Lima": (-12.05, -77.04), "Nowhere": (None, None)}


async def _provide(visit: Visit) -> None:
    rows = [
        ImportedProvider(
            external_id=town,
            business_name=f"Trio of {town}",
            location=f"{town}, Somewhere",
            lat=lat,
            lng=lng,
            timezone="Europe/Oslo",
            categories=["pianist"],
            price_minor=10_000 if town == "Lima" else None,
        )
        for town, (lat, lng) in PLACES.items()
    ]
    imports = visit.market.program.links.of(Imports)
    await imports.import_providers(vertical="artists", source="test", providers=rows)
    await fill_lists(visit.market.program)


async def _said(pin: Locator) -> tuple[str, set[str]]:
    """Return what a pin shows, and whom it names."""
    shown, _, names = (await pin.get_attribute("aria-label") or "").partition(": ")
    return shown, set(names.split(", "))


async def _open_and_close(reader: Page, pin: Locator, *, key: str) -> None:
    await pin.focus()
    await reader.keyboard.press(key)
    await reader.locator(".leaflet-popup a:focus").wait_for()
    await reader.keyboard.press("Escape")
    assert await pin.evaluate("pin => pin === document.activeElement")


async def test_a_map_is_loaded_by_a_click_and_walked_through_by_keyboard(visit: Visit) -> None:
    await _provide(visit)
    reader = await visit.person()
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    await reader.goto("/c/artists")
    assert not [url for url in asked if "leaflet" in url or "map" in url]

    await reader.locator("summary", has_text="Show map").focus()
    await reader.keyboard.press("Enter")
    await reader.locator("path.map-land").wait_for(state="attached")
    assert await reader.get_by_text("1 result on this page has no location.").count() == 1
    pins = reader.locator(".map-pin")
    one, two = pins.filter(has_text="€100"), pins.filter(has_text="2")
    assert await _said(one) == ("€100", {"Trio of Lima"})
    assert await _said(two) == ("2", {"Trio of Oslo", "Trio of Oslo East"})
    await _open_and_close(reader, one, key="Enter")
    await _open_and_close(reader, two, key=" ")

    # A map that still slides takes the click for the end of a drag.
    await reader.locator(".leaflet-pan-anim, .leaflet-popup").first.wait_for(state="detached")
    await one.click()
    await reader.locator(".leaflet-popup").get_by_role("link", name="Trio of Lima").click()
    assert reader.url == f"{visit.address}/p/trio-of-lima"
    assert {url for url in asked if not url.startswith(visit.address)} == set()
    assert visit.complaints == []

    without_script = await visit.person(has_script=False)
    await without_script.goto("/c/artists")
    assert await without_script.get_by_role("link", name="Trio of Lima").count() == 1
    assert not await without_script.get_by_text("Show map").is_visible()
