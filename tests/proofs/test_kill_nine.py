"""A server that is killed while it books, takes payment and accepts loses nothing and leaves nothing behind.

Acknowledged bookings exist, no allocation exists without a booking, and no money is authorised or captured without
one: soon after the restart, and also days later, when every open request has lapsed.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
import pytest

from fairground.contracts.booking import BookingStatus
from fairground.contracts.providers import BookingMode
from tests.proofs.aftermath import Aftermath, recover
from tests.proofs.kill_points import POINTS
from tests.support.databases import migrate
from tests.support.market import GOOD_CARD, Market, open_market, post, start_of, visiting
from tests.support.proofs import IS_FULL, Dose
from tests.support.server_process import FailPoint
from tests.support.servers import Installation, ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800 if IS_FULL else 180)]

Figures = Callable[[str, float, str], None]
SOON: Final = timedelta(minutes=2)  # the safety nets of payments are 30 s wide
DAYS_LATER: Final = timedelta(days=6)  # no request is open for longer than 5
AT_ONCE: Final = 3
STEPS: Final = 3  # of a journey


@dataclass
class Journey:
    """One customer's way to a confirmed booking, as far as it was acknowledged."""

    number: int
    booking_id: UUID | None = None
    status: BookingStatus | None = None
    answers: int = 0

    async def travel(self, server: ServerProcess, market: Market) -> None:
        """Book, pay and be accepted, until the connection breaks."""
        customer = market.customer_tokens[self.number]
        body = {
            "service_id": str(market.services[BookingMode.REQUEST, 60]),
            "starts_at": start_of(self.number).isoformat(),
        }
        card = {"payment_method": GOOD_CARD}
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            try:
                self._note(await post(client, "/bookings", token=customer, body=body))
                path = f"/bookings/{self.booking_id}"
                self._note(await post(client, f"{path}/pay", token=customer, body=card))
                self._note(await post(client, f"{path}/accept", token=market.provider_token))
            except httpx.TransportError:
                return

    def _note(self, answer: httpx.Response) -> None:
        assert answer.is_success, answer.text
        self.booking_id = UUID(answer.json()["id"])
        self.status = BookingStatus(answer.json()["status"])
        self.answers += 1


class Voyages:
    """All the journeys of a test, each to a time of its own."""

    def __init__(self, installation: Installation, market: Market) -> None:
        self.journeys: list[Journey] = []
        self._installation = installation
        self._market = market

    def set_out(self) -> Journey:
        self.journeys.append(Journey(len(self.journeys)))
        return self.journeys[-1]

    async def die_at(self, point: FailPoint) -> None:
        with self._installation.serving(fail_point=point) as server:
            await self.set_out().travel(server, self._market)
            assert server.was_killed(), f"The server was not killed where {point.name}."

    async def die_at_random(self, times: int) -> None:
        """Die while several customers travel at once."""
        for _ in range(times):
            with self._installation.serving() as server:
                journeys = [self.set_out() for _ in range(AT_ONCE)]
                async with asyncio.TaskGroup() as travellers:
                    for journey in journeys:
                        travellers.create_task(journey.travel(server, self._market))
                    enough = random.randrange(AT_ONCE * STEPS)
                    while sum(journey.answers for journey in journeys) < enough:
                        await asyncio.sleep(0.001)
                    await asyncio.sleep(random.uniform(0, 0.02))
                    server.kill()


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    migrate(database_url)
    return Installation(database_url=database_url, data_dir=tmp_path / "data", FAIRGROUND_JOBS_LEASE_SECONDS="1")


async def test_nothing_is_lost_or_left_over_when_the_server_is_killed(
    installation: Installation, dose: Dose, figure: Figures
) -> None:
    points, times = dose(small=(5, 1), full=(len(POINTS), 40))
    market = await open_market(installation, customers=points + AT_ONCE * times)
    voyages = Voyages(installation, market)
    # Evenly chosen; each start cleans up after the death before it.
    for point in POINTS[:: len(POINTS) // points][:points]:
        await voyages.die_at(point)
    await voyages.die_at_random(times)
    acknowledged = {
        journey.booking_id: journey.status for journey in voyages.journeys if journey.booking_id and journey.status
    }
    await recover(installation, after=SOON)
    async with visiting(installation) as program:
        soon = await Aftermath.look(program, installation)
    soon.check_nothing_was_lost(acknowledged)
    soon.check_times()
    soon.check_money()
    await recover(installation, after=DAYS_LATER)
    async with visiting(installation) as program:
        later = await Aftermath.look(program, installation)
    later.check_times()
    later.check_money()
    later.check_everything_has_ended()
    figure("named points of booking, paying and accepting at which the server was killed", points, "points")
    figure("kills at random among customers", times, "times")
    figure("acknowledged bookings, all of them there", len(acknowledged), "bookings")
    figure("jobs dead after it", later.dead_jobs, "jobs")


async def test_before_a_restart_money_is_out_of_line_with_its_booking(installation: Installation) -> None:
    """The control: what the proof looks for is there as long as nothing has mended it."""
    voyages = Voyages(installation, await open_market(installation, customers=1))
    (point,) = (point for point in POINTS if point.name == "the processor captured, we do not know it")
    await voyages.die_at(point)
    async with visiting(installation) as program:
        aftermath = await Aftermath.look(program, installation)
    with pytest.raises(AssertionError, match="Money was taken for a booking that is requested"):
        aftermath.check_money()
