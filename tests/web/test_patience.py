"""What a reader sees of a server that is away for a moment, in a real browser."""

import pytest
from playwright.async_api import Page

from fairground.contracts.imports import ImportedProvider, Imports
from tests.support.lists import fill_lists
from tests.support.visits import Visit

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("dialect", ["sqlite"])]

_PART = "/_f/c/artists"


async def _before_a_list(visit: Visit) -> Page:
    row = ImportedProvider(
        external_id="1",
        business_name="Løkka Trio",
        location="Oslo, Norway",
        timezone="Europe/Oslo",
        categories=["pianist"],
    )
    imports = visit.market.program.links.of(Imports)
    await imports.import_providers(vertical="artists", source="test", providers=[row])
    await fill_lists(visit.market.program)
    reader = await visit.person()
    await reader.goto("/c/artists")
    return reader


async def _look_in(reader: Page, place: str) -> None:
    await reader.fill("#location", place)
    await reader.keyboard.press("Tab")


async def test_a_server_that_is_away_for_a_moment_is_asked_again(visit: Visit) -> None:
    reader = await _before_a_list(visit)
    await _see_three_tries_and_then_a_notice(visit, reader)
    await _see_waits_kept(visit, reader)


async def _see_three_tries_and_then_a_notice(visit: Visit, reader: Page) -> None:
    notice, retry = reader.get_by_role("alert"), reader.get_by_role("button", name="Try again")

    visit.outage.begin(_PART, failures=2)
    await _look_in(reader, "Nowhere")
    await reader.get_by_text("0 results").wait_for()
    assert len(visit.outage.asked_at) == 3
    assert await notice.count() == 0

    visit.outage.begin(_PART, failures=3)
    await _look_in(reader, "Oslo")
    await retry.wait_for()
    assert len(visit.outage.asked_at) == 3
    assert "We couldn’t load this." in await notice.inner_text()
    assert await reader.get_by_text("0 results").count() == 1, "what was there stays"
    await retry.click()
    await reader.get_by_text("1 result").wait_for()
    assert await notice.count() == 0

    visit.outage.begin(_PART, failures=1)
    await reader.evaluate(f"htmx.ajax('POST', '{_PART}', {{target: '#results', swap: 'none'}})")
    assert len(visit.outage.asked_at) == 1, "what changes something is never sent twice"


async def _see_waits_kept(visit: Visit, reader: Page) -> None:
    retry = reader.get_by_role("button", name="Try again")

    visit.outage.begin(_PART, failures=1, retry_after="1")
    await _look_in(reader, "Nowhere")
    await reader.get_by_text("0 results").wait_for()
    first, second = visit.outage.asked_at
    assert second - first >= 1

    visit.outage.begin(_PART, failures=1, retry_after="3600")
    await _look_in(reader, "Oslo")
    await retry.wait_for()
    assert len(visit.outage.asked_at) == 1, "a Retry-After of an hour is not waited for"

    await reader.context.set_offline(True)
    await retry.click()
    await retry.wait_for()
    await reader.context.set_offline(False)
    await retry.click()
    await reader.get_by_text("1 result").wait_for()
