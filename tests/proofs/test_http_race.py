"""Of 64 customers who hold overlapping times over HTTP one gets the time, and the others are refused without effect."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from fairground.contracts.providers import BookingMode
from tests.support.databases import migrate
from tests.support.market import Market, open_market, post, start_of, visiting
from tests.support.proofs import IS_FULL, Dose
from tests.support.rushes import EQUAL, UNEQUAL, count_double_bookings, drop_guard
from tests.support.servers import Installation, ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1800 if IS_FULL else 180)]

CALLERS = 64
Figures = Callable[[str, float, str], None]
Shapes = Sequence[tuple[int, int]]


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    migrate(database_url)
    return Installation(database_url=database_url, data_dir=tmp_path / "data")


class Crowd:
    """Customers at several servers. A winner does not ask again: the number of holds per customer is limited."""

    def __init__(self, market: Market, clients: Sequence[httpx.AsyncClient]) -> None:
        self._market = market
        self._clients = clients
        self._tokens = list(market.customer_tokens)
        self._round = 0

    async def rush(self, shapes: Shapes) -> Counter[str]:
        """Let all ask at once for times that contain one instant, and return how often each answer was given."""
        contested = start_of(self._round)
        self._round += 1
        calls = []
        for number, token in enumerate(self._tokens[:CALLERS]):
            minutes, shift = shapes[number % len(shapes)]
            body = {
                "service_id": str(self._market.services[BookingMode.REQUEST, minutes]),
                "starts_at": (contested + timedelta(minutes=shift)).isoformat(),
            }
            client = self._clients[number % len(self._clients)]
            calls.append(post(client, "/bookings", token=token, body=body))
        answers = await asyncio.gather(*calls)
        won = [token for token, answer in zip(self._tokens, answers, strict=False) if answer.status_code == 201]
        self._tokens = [token for token in self._tokens if token not in won]
        return Counter(_name(answer) for answer in answers)


def _name(answer: httpx.Response) -> str:
    return str(answer.status_code) if answer.status_code < 300 else f"{answer.status_code} {answer.json()['code']}"


async def crowd_at(stack: AsyncExitStack, servers: Sequence[ServerProcess], market: Market) -> Crowd:
    limits = httpx.Limits(max_connections=CALLERS)
    clients = [httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) for server in servers]
    return Crowd(market, [await stack.enter_async_context(client) for client in clients])


async def doubles(installation: Installation) -> int:
    async with visiting(installation) as program:
        return await count_double_bookings(program.db)


async def test_one_of_64_customers_gets_the_time_over_http(
    installation: Installation, dialect: str, dose: Dose, figure: Figures
) -> None:
    rounds = dose(small=1, full=50)
    market = await open_market(installation, customers=CALLERS + 2 * rounds, minutes=(30, 60, 90, 120))
    async with AsyncExitStack() as stack:
        processes = 2 if dialect == "postgres" else 1
        servers = [stack.enter_context(installation.serving()) for _ in range(processes)]
        crowd = await crowd_at(stack, servers, market)
        outcomes = [await crowd.rush(shapes) for shapes in [EQUAL] * rounds + [UNEQUAL] * rounds]
        # The statistics of a server process are complete when its connections have ended.
        assert [server.stop() for server in servers] == [0] * processes
    assert outcomes == [Counter({"201": 1, "409 booking.slot_taken": CALLERS - 1})] * (2 * rounds)
    assert await doubles(installation) == 0
    figure(f"rounds of 64 at {processes} server process(es) won by one, half of them unequal", len(outcomes), "rounds")
    if dialect == "postgres":
        assert deadlocks(installation) == 0
        figure("deadlocks", 0, "deadlocks")


def deadlocks(installation: Installation) -> int:
    with psycopg.connect(installation.database_url) as connection:
        found = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (count,) = found.fetchone() or (-1,)
    return int(count)


async def test_control_without_constraint_and_check_times_are_taken_twice_over_http(
    installation: Installation, dose: Dose, figure: Figures
) -> None:
    rounds = dose(small=1, full=5)
    market = await open_market(installation, customers=CALLERS * rounds, minutes=(30, 60, 90, 120))
    async with AsyncExitStack() as stack:
        server = stack.enter_context(installation.serving(has_question=False))
        # By hand while it runs: no server starts without the constraint.
        drop_guard(installation.database_url)
        crowd = await crowd_at(stack, [server], market)
        outcomes = [await crowd.rush(UNEQUAL) for _ in range(rounds)]
    pairs = await doubles(installation)
    assert pairs > 0
    assert sum(outcome["201"] for outcome in outcomes) > rounds
    figure("double bookings over HTTP with constraint and question off", pairs, "pairs")
