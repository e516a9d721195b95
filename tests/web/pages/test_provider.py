"""The page of a provider shows the service that its reader can be after."""

import re

import pytest

from tests.support.browsing import Reader
from tests.support.marketplace import Market, public_provider


async def services_with_times(reader: Reader, path: str) -> set[str]:
    await reader.open(path)
    return set(re.findall(r"/book/[^?]+\?service=([0-9a-f-]+)", reader.answer.text))


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_date_is_shown_for_the_shortest_service_and_no_date_for_the_cheapest(market: Market) -> None:
    provider, page = await public_provider(market)
    stranger = market.reader()
    shortest = await services_with_times(stranger, page)
    [day] = re.findall(r"starts_at=(\d{4}-\d\d-\d\d)", stranger.answer.text)[:1]
    await provider.open("/pro/services")
    await provider.send(
        "Add it", name="Whole day", category="pianist", price="1.50", duration_minutes="600", booking_mode="request"
    )
    assert await services_with_times(stranger, page) != shortest
    assert await services_with_times(stranger, f"{page}?date={day}") == shortest
