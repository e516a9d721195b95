import asyncio

import pytest

from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.providers import BookingMode, ServiceInvalid, ServiceNotFound
from fairground.modules.providers.service import profiles
from tests.support.directory import Directory
from tests.support.providers import Desk, a_service, owner_of


async def test_the_card_shows_the_lowest_price_that_is_offered(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    assert await _card_price(catalog) == (None, None)
    dear, cheap = [await desk.offer(provider, price_minor=price) for price in (45_000, 30_000)]
    assert await _card_price(catalog) == (30_000, "EUR")
    await catalog.withdraw_service(owner_id=owner_of(provider), service_id=cheap)
    assert await _card_price(catalog) == (45_000, "EUR")
    await catalog.withdraw_service(owner_id=owner_of(provider), service_id=dear)
    assert await _card_price(catalog) == (None, None)


async def _card_price(catalog: Directory) -> tuple[int | None, str | None]:
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    return card.price_from_minor, card.currency


async def test_the_price_is_right_after_withdrawals_at_once(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    offered = [await desk.offer(provider, price_minor=10_000 + number) for number in range(6)]
    tries = [
        catalog.withdraw_service(owner_id=owner_of(provider), service_id=each) for each in (*offered[:5], offered[0])
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, ServiceNotFound) for result in results) == 1
    assert await _card_price(catalog) == (10_005, "EUR")


async def test_an_offer_holds_the_terms_of_a_booking(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    service_id = await desk.offer(provider, booking_mode=BookingMode.INSTANT)
    offer = await catalog.get_offer(service_id=service_id)
    assert offer.is_bookable
    assert (offer.provider_id, offer.owner_id, offer.timezone) == (provider.id, provider.owner_id, "Europe/Oslo")
    assert (offer.price_minor, offer.currency, offer.duration_minutes) == (45_000, "EUR", 90)
    assert offer.booking_mode is BookingMode.INSTANT


async def test_a_withdrawn_service_keeps_its_terms_and_cannot_be_booked(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    service_id = await desk.offer(provider)
    await catalog.withdraw_service(owner_id=owner_of(provider), service_id=service_id)
    offer = await catalog.get_offer(service_id=service_id)
    assert (offer.is_bookable, offer.price_minor) == (False, 45_000)


async def test_a_service_of_a_draft_cannot_be_booked(desk: Desk, catalog: Directory) -> None:
    service_id = await desk.offer(await desk.draft())
    assert not (await catalog.get_offer(service_id=service_id)).is_bookable


async def test_the_number_of_services_is_bounded(
    desk: Desk, catalog: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "SERVICES_MAX", 2)
    provider = await desk.draft()
    for _ in range(2):
        await desk.offer(provider)
    with pytest.raises(ServiceInvalid, match="at most 2"):
        await catalog.add_service(owner_id=owner_of(provider), provider_id=provider.id, service=a_service())
