"""A list of a date follows a booking within two seconds, through the jobs and past the cache of a real server."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path

import httpx
import pytest

from fairground.contracts.booking import AvailabilityRules, Bookings, WeeklyHours
from fairground.contracts.providers import BookingMode, Providers
from fairground.kernel.ids import uuid7
from fairground.platform.cache.invalidation import InvalidateTags
from fairground.platform.jobs.queues import measure_queues
from tests.support.databases import migrate
from tests.support.market import Market, open_market, post, visiting
from tests.support.proofs import Dose
from tests.support.servers import Installation
from tests.support.waiting import LIMIT_SECONDS

pytestmark = pytest.mark.anyio

ONE_HOUR_A_DAY = [WeeklyHours(weekday=day, start=clock(10), end=clock(11)) for day in range(7)]


async def _open_an_hour_a_day(installation: Installation, market: Market) -> None:
    async with visiting(installation) as program:
        provider = await program.links.of(Providers).get_provider_ref(provider_id=market.provider_id)
        assert provider.owner_id
        rules = AvailabilityRules(timezone="UTC", weekly=ONE_HOUR_A_DAY)
        bookings = program.links.of(Bookings)
        await bookings.set_rules(owner_id=provider.owner_id, provider_id=provider.id, rules=rules)


async def _seconds_until(client: httpx.AsyncClient, day: date, *, shown: int) -> float:
    """Return how long it takes until so many are in the list of the day."""
    started = time.monotonic()
    while True:
        answer = await client.get("/api/v1/service-provider-profiles/", params={"when": day.isoformat()})
        assert answer.status_code == 200
        if answer.json()["total"] == shown:
            return time.monotonic() - started
        assert time.monotonic() < started + LIMIT_SECONDS, f"{day} still shows {answer.json()['total']}."
        await asyncio.sleep(0.02)


async def _queue_up(installation: Installation, *, jobs: int) -> None:
    async with visiting(installation) as program, program.db.write() as tx:
        for _ in range(jobs):
            await tx.enqueue(InvalidateTags(invalidation_id=uuid7(), tags=["unused"]))


async def _count_waiting(installation: Installation) -> int:
    async with visiting(installation) as program:
        return (await measure_queues(program.db)).due


async def test_a_list_of_a_date_does_not_wait_for_a_long_queue(
    database_url: str, tmp_path: Path, dialect: str, dose: Dose, figure: Callable[[str, float, str], None]
) -> None:
    migrate(database_url)
    installation = Installation(database_url=database_url, data_dir=tmp_path / "data")
    market = await open_market(installation, customers=1)
    await _open_an_hour_a_day(installation, market)
    day = datetime.now(UTC).date() + timedelta(days=5)
    with installation.serving() as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            await _seconds_until(client, day, shown=1)
            await _queue_up(installation, jobs=dose(small=2_000, full=20_000))
            starts_at = datetime.combine(day, clock(10), tzinfo=UTC).isoformat()
            wanted = {"service_id": str(market.services[BookingMode.REQUEST, 60]), "starts_at": starts_at}
            await post(client, "/bookings", token=market.customer_tokens[0], body=wanted)
            took_seconds = await _seconds_until(client, day, shown=0)
    assert await _count_waiting(installation) > 0
    figure(f"{dialect}: wait behind a long queue until a list of a date follows a booking", took_seconds, "s")


async def test_booked_out_provider_leaves_the_list_and_returns(
    database_url: str, tmp_path: Path, dialect: str, dose: Dose, figure: Callable[[str, float, str], None]
) -> None:
    migrate(database_url)
    installation = Installation(database_url=database_url, data_dir=tmp_path / "data")
    rounds = dose(small=3, full=40)
    market = await open_market(installation, customers=rounds)
    await _open_an_hour_a_day(installation, market)
    waits = []
    with installation.serving() as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            first = datetime.now(UTC).date() + timedelta(days=5)
            assert market.customer_tokens
            for number, token in enumerate(market.customer_tokens):
                day = first + timedelta(days=number % 30)
                await _seconds_until(client, day, shown=1)
                starts_at = datetime.combine(day, clock(10), tzinfo=UTC).isoformat()
                wanted = {"service_id": str(market.services[BookingMode.REQUEST, 60]), "starts_at": starts_at}
                held = (await post(client, "/bookings", token=token, body=wanted)).json()
                waits.append(await _seconds_until(client, day, shown=0))
                assert await _seconds_until(client, day + timedelta(days=1), shown=1) < LIMIT_SECONDS
                await post(client, f"/bookings/{held['id']}/cancel", token=token)
                waits.append(await _seconds_until(client, day, shown=1))
    figure(f"{dialect}: longest wait until a list of a date follows a booking", max(waits), "s")
