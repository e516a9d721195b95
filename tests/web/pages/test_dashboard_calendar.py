"""Time off, the pause and the calendar of a provider, as their pages show them without script."""

import asyncio
from datetime import date, datetime, time, timedelta

import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import Bookings, BookingView
from fairground.contracts.providers import Providers
from fairground.kernel.zones import get_zone
from tests.support.addresses import HOME
from tests.support.marketplace import PASSWORD, Market, public_provider

pytestmark = pytest.mark.anyio

OSLO = "Europe/Oslo"


async def request(market: Market, page: str) -> BookingView:
    """Return a request at ten in four days."""
    links = market.program.links
    provider = await links.of(Providers).get_provider(id_or_slug=page.removeprefix("/p/"))
    customer = await links.of(Accounts).create_user(
        email="kim@example.org", password=PASSWORD, name="Kim Lund", role=Role.CUSTOMER
    )
    async with market.program.db.read() as tx:
        day = (await tx.current_time()).date() + timedelta(days=4)
    held = await links.of(Bookings).hold(
        customer_id=customer.id,
        service_id=provider.services[0].id,
        starts_at=datetime.combine(day, time(10), tzinfo=get_zone(OSLO)),
        place="customer",
        address=HOME,
    )
    return await links.of(Bookings).pay(customer_id=customer.id, booking_id=held.id, payment_method="pm_card_visa")


def day_of(booking: BookingView) -> date:
    return booking.starts_at.astimezone(get_zone(OSLO)).date()


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_time_off_is_added_and_removed_and_names_the_bookings_in_it(market: Market) -> None:
    desk, page = await public_provider(market)
    booking = await request(market, page)
    on = day_of(booking)
    await desk.open("/pro/hours")
    await desk.send("Add time off", off_from=str(on), off_to=str(on + timedelta(days=13)), off_note="Skiing")
    assert "1 booking is in this time; it stays:" in desk.text
    assert f'href="/me/bookings/{booking.id}"' in desk.answer.text
    assert "Kim Lund" in desk.text
    reader = await market.reader().open(f"{page}?date={on + timedelta(days=1)}")
    assert "No free times on this day." in reader.text

    await desk.send("Add time off", off_from=str(on + timedelta(days=20)), off_to=str(on + timedelta(days=19)))
    assert (desk.status, "ends before it begins" in desk.text) == (422, True)
    await desk.send("Add time off", off_from="2020-02-01", off_to="2020-02-02")
    assert (desk.status, "has passed" in desk.text) == (422, True)

    await desk.send("Save the hours")
    assert "Skiing" in desk.text, "The form of the weekly hours leaves time off as it is."
    await desk.send("Remove")
    assert "Skiing" not in desk.text
    reader = await market.reader().open(f"{page}?date={on + timedelta(days=1)}")
    assert "Morning" in reader.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_paused_provider_says_until_when_and_is_in_no_list_of_a_date(market: Market) -> None:
    desk, page = await public_provider(market)
    reader = market.reader()
    day = day_of(await request(market, page)) + timedelta(days=1)
    listed = f"/c/artists?when={day}"
    assert page in (await reader.open(listed)).answer.text
    until = day + timedelta(days=30)
    await desk.open("/pro/hours")
    await desk.send("Pause bookings", pause_until=str(until))
    assert "You are not taking bookings until" in desk.text
    assert f"Not taking bookings until {until.day} {until:%B %Y}." in (await reader.open(page)).text
    # A job updates the lists, a moment later.
    while page in (await reader.open(listed)).answer.text:
        await asyncio.sleep(0.02)
    await desk.send("Take bookings again")
    assert "Not taking bookings" not in (await reader.open(page)).text
    while page not in (await reader.open(listed)).answer.text:
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_calendar_shows_bookings_in_words_among_hours_and_days_off(market: Market) -> None:
    desk, page = await public_provider(market)
    booking = await request(market, page)
    on = day_of(booking)
    for view in ("week", "month"):
        await desk.open(f"/pro/calendar?view={view}&date={on}")
        assert f'href="/me/bookings/{booking.id}"' in desk.answer.text
        assert "Kim Lund" in desk.text
        assert "To answer" in desk.text
        assert "10:00" in desk.text
        assert "1 booking" in desk.text
    assert f'href="/pro/hours?from={on}#time-off"' in (await desk.open(f"/pro/calendar?date={on}")).answer.text
    await desk.open(f"/pro/hours?from={on}")
    assert f'id="off_from" name="off_from" type="date" value="{on}"' in desk.answer.text
    await desk.send("Add time off", off_note="Skiing")
    await desk.open(f"/pro/calendar?date={on}")
    assert "Time off: Skiing" in desk.text
    await desk.open(f"/pro/calendar?date={on + timedelta(days=28)}")
    assert "0 bookings" in desk.text


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("query", ["", "?view=year&date=tomorrow", "?date=0001-01-01", "?view=month&date=9999-12-31"])
async def test_calendar_of_a_mistyped_address_is_that_of_today(market: Market, query: str) -> None:
    desk, _ = await public_provider(market)
    await desk.open(f"/pro/calendar{query}")
    assert desk.status == 200
    assert 'aria-current="date"' in desk.answer.text


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_hours_are_copied_without_script_and_kept_when_they_are_saved(market: Market) -> None:
    desk, _ = await public_provider(market)
    await desk.open("/pro/hours")
    await desk.send("Save the hours", start_0_0="18:00", end_0_0="02:00", copy="all", copy_from="0")
    assert "The hours are copied." in desk.text
    assert desk.answer.text.count("next day</small>") == 7
    await desk.send("Save the hours")
    assert "Your hours are saved" in desk.text
    assert desk.answer.text.count("next day</small>") == 7
