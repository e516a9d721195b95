"""Changes of services: what follows them, and concurrent ones."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import pytest

from fairground.contracts.discovery import ProviderQuery, SearchQuery
from fairground.contracts.providers import (
    OwnProvider,
    ProfileChanges,
    Service,
    ServiceChanges,
    ServiceInvalid,
    ServicesChanged,
)
from fairground.kernel.addresses import Address
from fairground.modules.providers.store import profiles
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, a_service, owner_of
from tests.support.rushes import rush

ROUNDS: Final = 5
CONTROL_ROUNDS_MAX: Final = 60
ADDRESS: Final = Address(street="Storgata 1", city="Oslo", country="NO")


async def offered(catalog: Directory, provider: OwnProvider) -> list[Service]:
    return await catalog.list_services(provider_id=provider.id, viewer_id=owner_of(provider))


async def card_price(catalog: Directory) -> int | None:
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    return card.price_from_minor


async def test_card_shows_the_lowest_total_of_what_is_not_paused(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    hourly = {"price_model": "hour", "price_minor": 8_000, "duration_minutes": 90, "max_duration_minutes": 180}
    whole, hours = [await desk.offer(provider, **terms) for terms in ({"price_minor": 20_000}, hourly)]
    assert await card_price(catalog) == 12_000
    of_hours = {"owner_id": owner_of(provider), "provider_id": provider.id, "service_id": hours}
    await catalog.pause_service(**of_hours)
    assert await card_price(catalog) == 20_000
    await catalog.resume_service(**of_hours)
    await catalog.change_service(**of_hours, changes=ServiceChanges(duration_minutes=60))
    assert await card_price(catalog) == 8_000
    await catalog.withdraw_service(owner_id=owner_of(provider), service_id=whole)
    await catalog.pause_service(**of_hours)
    assert await card_price(catalog) is None


async def test_paused_service_is_not_found_by_its_name(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved(business_name="Maya")
    service_id = await desk.offer(provider, name="Zimbelstern")
    of_service = {"owner_id": owner_of(provider), "provider_id": provider.id, "service_id": service_id}

    async def found() -> int:
        return len((await catalog.search(query=SearchQuery(q="Zimbelstern"))).data)

    assert await found() == 1
    await catalog.pause_service(**of_service)
    assert await found() == 0
    await catalog.resume_service(**of_service)
    assert await found() == 1


async def test_paused_service_keeps_its_terms_and_cannot_be_booked(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    service_id = await desk.offer(provider)
    await catalog.pause_service(owner_id=owner_of(provider), provider_id=provider.id, service_id=service_id)
    offer = await catalog.get_offer(service_id=service_id)
    assert (offer.is_bookable, offer.price_minor) == (False, 45_000)
    own = await catalog.get_own_provider(owner_id=owner_of(provider))
    assert "has_service" in own.missing
    assert [service.is_paused for service in own.services] == [True]


async def test_change_of_what_can_be_booked_is_announced_and_a_new_order_is_not(
    desk: Desk, catalog: Directory, outbox: RecordingOutbox
) -> None:
    provider = await desk.approved()
    first, second = [await desk.offer(provider, name=name) for name in "ab"]
    own = {"owner_id": owner_of(provider), "provider_id": provider.id}

    def count() -> int:
        return sum(isinstance(event, ServicesChanged) for event in outbox.events)

    for change, events in (
        (lambda: catalog.order_services(**own, service_ids=[second, first]), 0),
        (lambda: catalog.change_service(**own, service_id=first, changes=ServiceChanges(name="c")), 1),
        (lambda: catalog.pause_service(**own, service_id=first), 1),
        (lambda: catalog.pause_service(**own, service_id=first), 0),
        (lambda: catalog.resume_service(**own, service_id=first), 1),
        (lambda: catalog.duplicate_service(**own, service_id=first), 1),
    ):
        before = count()
        await change()
        assert count() - before == events


async def test_copy_of_a_service_that_is_refused_today_is_refused(desk: Desk, catalog: Directory) -> None:
    provider = await desk.draft()
    service_id = await desk.offer(provider)
    own = {"owner_id": owner_of(provider), "provider_id": provider.id}
    await catalog.change_provider(**own, changes=ProfileChanges(categories=["band"]))
    with pytest.raises(ServiceInvalid, match="not among the acts of the profile"):
        await catalog.duplicate_service(**own, service_id=service_id)


@pytest.fixture
def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the provider instead of locking it before a change of its services."""
    monkeypatch.setattr(profiles, "lock_provider", profiles.find_ref)


class Shop:
    """The services of one provider, changed concurrently."""

    def __init__(self, desk: Desk, catalog: Directory, provider: OwnProvider) -> None:
        self.desk, self.catalog, self.provider = desk, catalog, provider
        self.own = {"owner_id": owner_of(provider), "provider_id": provider.id}

    async def empty(self) -> None:
        for service in await offered(self.catalog, self.provider):
            await self.catalog.withdraw_service(owner_id=owner_of(self.provider), service_id=service.id)

    async def add(self, **terms: Any) -> UUID:
        return await self.desk.offer(self.provider, **terms)

    def change(self, service_id: UUID, **changes: Any) -> Awaitable[Service]:
        return self.catalog.change_service(**self.own, service_id=service_id, changes=ServiceChanges(**changes))


@pytest.fixture
async def shop(desk: Desk, catalog: Directory) -> Shop:
    return Shop(desk, catalog, await desk.approved())


async def edit_at_once(shop: Shop) -> bool:
    """Raise the fewest people and lower the most at once; return whether one of the two was refused."""
    await shop.empty()
    service_id = await shop.add(min_people=2, max_people=8)
    outcome = await rush([shop.change(service_id, min_people=6), shop.change(service_id, max_people=4)])
    [service] = await offered(shop.catalog, shop.provider)
    return outcome.won == 1 and service.min_people <= (service.max_people or 0)


async def order_while(shop: Shop, change: Callable[[UUID], Awaitable[object]], *, expected: list[str]) -> bool:
    """Swap two services during another change; return whether the result is that of a sequence."""
    outcomes = []
    for is_order_first in (True, False):
        await shop.empty()
        first, second = [await shop.add(name=name) for name in ("first", "second")]
        calls = [shop.catalog.order_services(**shop.own, service_ids=[second, first]), change(first)]
        outcome = await rush(calls if is_order_first else calls[::-1])
        names = [service.name for service in await offered(shop.catalog, shop.provider)]
        if outcome.won == 2:
            outcomes.append(names == expected)
        else:
            outcomes.append(outcome.refused == {"ServiceListChanged": 1} and names.index("first") == 0)
    return all(outcomes)


async def order_while_adding(shop: Shop) -> bool:
    return await order_while(shop, lambda _: shop.add(name="third"), expected=["second", "first", "third"])


async def order_while_duplicating(shop: Shop) -> bool:
    def duplicate(first: UUID) -> Awaitable[object]:
        return shop.catalog.duplicate_service(**shop.own, service_id=first)

    return await order_while(shop, duplicate, expected=["second", "first", "first (copy)"])


@pytest.mark.parametrize("attempt", [edit_at_once, order_while_adding, order_while_duplicating])
async def test_concurrent_changes_of_services_are_serialised(
    shop: Shop, attempt: Callable[[Shop], Awaitable[bool]]
) -> None:
    assert [await attempt(shop) for _ in range(ROUNDS)] == [True] * ROUNDS


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # one writer at a time needs no lock on a row
@pytest.mark.parametrize("attempt", [edit_at_once, order_while_duplicating])
@pytest.mark.usefixtures("without_lock")
async def test_control_without_the_lock_changes_contradict_each_other(
    shop: Shop, attempt: Callable[[Shop], Awaitable[bool]]
) -> None:
    for _ in range(CONTROL_ROUNDS_MAX):
        if not await attempt(shop):
            return
    raise AssertionError("without the lock every attempt went well")


async def test_address_is_removed_or_a_service_is_added_there_but_not_both(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved(address=ADDRESS)
    own = {"owner_id": owner_of(provider), "provider_id": provider.id}
    service = a_service(places=["provider"])
    for _ in range(ROUNDS):
        await catalog.change_provider(**own, changes=ProfileChanges(address=ADDRESS))
        outcome = await rush(
            [
                catalog.change_provider(**own, changes=ProfileChanges(address=None)),
                catalog.add_service(**own, service=service),
            ]
        )
        assert outcome.won == 1
        for each in await offered(catalog, provider):
            await catalog.withdraw_service(owner_id=owner_of(provider), service_id=each.id)
