"""During an outage of the database servers serve stale entries, and answer 503 at once to all other requests."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from tests.platform.jobs.outage import outage
from tests.support.databases import migrate
from tests.support.market import open_market
from tests.support.postgres import fresh_database
from tests.support.proofs import IS_FULL, Dose
from tests.support.redis import fresh_namespace
from tests.support.server_process import SlowAnswers
from tests.support.servers import Installation
from tools.guardian import Server

pytestmark = pytest.mark.timeout(600 if IS_FULL else 180)

Figures = Callable[[str, float, str], None]
FRESH_SECONDS: Final = (0.9, 1.1)  # of a second, spread by a tenth
LIST: Final = "/api/v1/service-provider-profiles/?limit=12"
COLD: Final = f"{LIST}&minPrice=1"
PAUSE_SECONDS: Final = 0.02


@dataclass(frozen=True)
class Look:
    path: str
    began_at: float
    took_seconds: float
    answer: httpx.Response

    @property
    def status(self) -> int:
        return self.answer.status_code


@dataclass(frozen=True)
class Warmed:
    """What one server has been asked for just before, and when."""

    first: httpx.Response
    began_at: float
    ended_at: float


@dataclass
class Site:
    """Servers that share a cache. The first has made all answers; the others have not been asked yet."""

    clients: Sequence[httpx.AsyncClient]
    slow: SlowAnswers

    async def warm(self, paths: Sequence[str]) -> dict[str, Warmed]:
        warmed = {}
        for path in paths:
            began_at = time.monotonic()
            first = await self.clients[0].get(path)
            assert (first.status_code, first.headers["x-cache"]) == (200, "MISS")
            warmed[path] = Warmed(first, began_at, time.monotonic())
        return warmed

    async def look(self, paths: Sequence[str], *, seconds: float) -> list[Look]:
        """Ask every server for every path, over and over."""
        until = time.monotonic() + seconds
        looks: list[Look] = []

        async def keep_asking(client: httpx.AsyncClient, path: str) -> None:
            while time.monotonic() < until:
                began_at = time.monotonic()
                answer = await client.get(path)
                looks.append(Look(path, began_at, time.monotonic() - began_at, answer))
                await asyncio.sleep(PAUSE_SECONDS)

        await asyncio.gather(*(keep_asking(client, path) for client in self.clients for path in paths))
        return looks


@pytest.fixture
def installation(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with fresh_database(postgres_server) as url:
        migrate(url)
        yield Installation(database_url=url, data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture
def spare_seconds(dose: Dose) -> float:
    return dose(small=2, full=60)


@pytest.fixture
async def sites(
    installation: Installation, redis_server: Server, dose: Dose, spare_seconds: float
) -> AsyncIterator[tuple[Site, Site]]:
    """Give a site as it is, and the control: one that has nothing to spare for errors."""
    async with AsyncExitStack() as ends:
        processes = ends.enter_context(ExitStack())

        async def start(name: str, *, count: int, seconds: float) -> Site:
            own = Installation(
                database_url=installation.database_url,
                data_dir=installation.data_dir / name,
                FAIRGROUND_REDIS_URL=redis_server.url,
                FAIRGROUND_CACHE_NAMESPACE=fresh_namespace(),
                FAIRGROUND_CACHE_LISTS_SECONDS="1",
                FAIRGROUND_CACHE_DETAILS_SECONDS="1",
                FAIRGROUND_CACHE_STALE_WHILE_REVALIDATE_SECONDS="0",
                FAIRGROUND_CACHE_STALE_IF_ERROR_SECONDS=str(seconds),
            )
            slow = SlowAnswers(own.data_dir)
            slow.begin(seconds=0)
            servers = [processes.enter_context(own.serving(slow_answers=slow)) for _ in range(count)]
            clients = [
                await ends.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=60)) for server in servers
            ]
            for client in clients:
                while (await client.get("/readyz")).json()["shared_cache"] != "on":
                    await asyncio.sleep(0.05)
            return Site(clients, slow)

        yield (
            await start("usual", count=dose(small=1, full=3), seconds=spare_seconds),
            await start("strict", count=1, seconds=0),
        )


async def test_stale_entries_are_served_during_an_outage_and_then_a_503(
    installation: Installation, sites: tuple[Site, Site], spare_seconds: float, figure: Figures
) -> None:
    market = await open_market(installation, customers=0)
    warm = [LIST, f"/api/v1/service-provider-profiles/{market.provider_id}"]
    usual, strict = sites
    warmed = await usual.warm(warm)
    await strict.warm(warm)
    away_seconds = FRESH_SECONDS[1] + spare_seconds + 0.7
    with outage(installation.database_url):
        usual.slow.begin(seconds=0)
        looks, control = await asyncio.gather(
            usual.look([*warm, COLD], seconds=away_seconds), strict.look(warm, seconds=FRESH_SECONDS[1] + 0.5)
        )
        attempts = len(usual.slow.processes())
    for look in looks:
        judge(look, warmed.get(look.path), spare_seconds=spare_seconds)
    assert 503 in {look.status for look in control}
    keys = (len(warm) + 1) * len(usual.clients)
    assert attempts <= keys * (1 + away_seconds)
    spared = [look for look in looks if look.answer.headers["x-cache"] == "STALE"]
    figure("answers of before while the database was away", len(spared), f"of {len(looks)}")
    figure("attempts to make an answer, per second, server and key", attempts / keys / away_seconds, "")
    taken = sorted(look.took_seconds for look in looks)
    figure("99% of the answers took at most", taken[int(0.99 * len(taken))], "s")
    for client in usual.clients:
        while (await client.get(COLD)).status_code != 200:
            await asyncio.sleep(0.05)


def judge(look: Look, warmed: Warmed | None, *, spare_seconds: float) -> None:
    """Assert what an answer must be, given when the one before it was made."""
    if warmed is None:
        assert look.status == 503, look
        assert look.answer.headers["retry-after"]
        return
    shortest, longest = FRESH_SECONDS
    if look.began_at + look.took_seconds < warmed.began_at + shortest + spare_seconds:
        assert (look.status, look.answer.content) == (200, warmed.first.content), look
        assert look.answer.headers["etag"] == warmed.first.headers["etag"]
        if look.began_at > warmed.ended_at + longest:
            assert look.answer.headers["x-cache"] == "STALE"
            assert look.answer.headers["cache-status"].endswith("detail=failed")
            assert int(look.answer.headers["age"]) >= int(look.began_at - warmed.ended_at)
    elif look.began_at > warmed.ended_at + longest + spare_seconds:
        assert look.status == 503, look
