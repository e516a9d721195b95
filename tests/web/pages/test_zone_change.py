"""A provider who changes zone: the answer, the page, and what is offered from then on."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import Bookings, BookingView
from fairground.contracts.providers import ProviderDetail, Providers
from fairground.kernel.zones import get_zone
from tests.support.addresses import HOME
from tests.support.marketplace import PASSWORD, Market, public_provider

pytestmark = pytest.mark.anyio

OSLO, TOKYO = "Europe/Oslo", "Asia/Tokyo"
PROFILES = "/api/v1/service-provider-profiles"


async def day_of(market: Market) -> date:
    async with market.program.db.read() as tx:
        return (await tx.current_time()).date() + timedelta(days=4)


async def hold_at_ten(market: Market, provider: ProviderDetail) -> BookingView:
    customer = await market.program.links.of(Accounts).create_user(
        email="kim@example.org", password=PASSWORD, name="Kim", role=Role.CUSTOMER
    )
    starts_at = datetime.combine(await day_of(market), time(10), tzinfo=get_zone(OSLO))
    return await market.program.links.of(Bookings).hold(
        customer_id=customer.id, service_id=provider.services[0].id, starts_at=starts_at, place="customer", address=HOME
    )


async def first_slot(client: AsyncClient, provider: ProviderDetail, day: date) -> tuple[str, datetime]:
    answer = (await client.get(f"{PROFILES}/{provider.slug}/availability?from={day}&to={day}")).json()
    return answer["timezone"], datetime.fromisoformat(answer["slots"][0]["starts_at"])


async def test_page_lists_bookings_at_another_time_and_hours_follow_the_profile(market: Market) -> None:
    desk, page = await public_provider(market)
    provider = await market.program.links.of(Providers).get_provider(id_or_slug=page.removeprefix("/p/"))
    held = await hold_at_ten(market, provider)
    await desk.open("/pro/profile")
    await desk.send("Save", timezone=TOKYO)
    assert desk.path == "/pro/profile?saved=yes"
    assert f'href="/me/bookings/{held.id}"' in desk.answer.text
    assert f"{held.starts_at.astimezone(get_zone(TOKYO)):%H:%M} (Tokyo)" in desk.text
    assert "10:00 (Oslo)" in desk.text
    await desk.open("/pro/hours")
    assert "Asia/Tokyo" in desk.text
    assert 'href="/pro/profile#timezone"' in desk.answer.text
    assert 'name="timezone"' not in desk.answer.text
    await desk.open("/pro/profile")
    await desk.send("Save", timezone=OSLO)
    assert "another time zone" not in desk.text, "In the old zone, nothing is at another time."


async def test_answer_lists_bookings_at_another_time_and_free_times_have_moved(market: Market) -> None:
    _, page = await public_provider(market)
    provider = await market.program.links.of(Providers).get_provider(id_or_slug=page.removeprefix("/p/"))
    held, day = await hold_at_ten(market, provider), await day_of(market) + timedelta(days=1)
    accounts = market.program.links.of(Accounts)
    [owner] = await accounts.list_users(role=Role.PROVIDER, limit=2)
    token = await accounts.create_token(user_id=owner.id, name="test")
    async with AsyncClient(transport=ASGITransport(app=market.app), base_url="https://127.0.0.1:8000") as client:
        for _ in range(2):  # the second answer is from the cache
            assert await first_slot(client, provider, day) == (OSLO, datetime.combine(day, time(10), get_zone(OSLO)))
        own = {"Authorization": f"Bearer {token.secret}"}
        path = f"{PROFILES}/{provider.id}"
        changed = (await client.patch(path, json={"timezone": TOKYO}, headers=own)).json()
        assert await first_slot(client, provider, day) == (TOKYO, datetime.combine(day, time(10), get_zone(TOKYO)))
        assert _without_instants(changed["bookings_at_other_times"]) == [
            {
                "booking_id": str(held.id),
                "service_name": held.service_name,
                "timezone": OSLO,
                "wall_time": f"{held.starts_at.astimezone(get_zone(OSLO)):%Y-%m-%dT10:00}",
                "new_timezone": TOKYO,
                "new_wall_time": f"{held.starts_at.astimezone(get_zone(TOKYO)):%Y-%m-%dT%H:%M}",
            }
        ]
        repeated = (await client.patch(path, json={"timezone": TOKYO}, headers=own)).json()
        assert repeated["bookings_at_other_times"] == changed["bookings_at_other_times"]
        hours = (await client.get(f"{path}/availability-rules", headers=own)).json()
        assert hours["timezone"] == TOKYO
        assert (await client.put(f"{path}/availability-rules", json=hours, headers=own)).status_code == 200
        refused = await client.put(f"{path}/availability-rules", json={**hours, "timezone": OSLO}, headers=own)
        assert (refused.status_code, refused.json()["code"]) == (422, "booking.rules_invalid")
        assert f"PATCH {path}" in refused.json()["hint"]


def _without_instants(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.items() if key not in {"starts_at", "ends_at"}} for each in listed]
