"""Servers that share a cache: one computation for all of them, whoever dies, and no answer older than a change."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.support.databases import migrate
from tests.support.market import open_market
from tests.support.postgres import fresh_database
from tests.support.proofs import IS_FULL, Dose
from tests.support.redis import fresh_namespace
from tests.support.server_process import SlowAnswers
from tests.support.servers import Installation, ServerProcess
from tools.guardian import Server

pytestmark = pytest.mark.timeout(900 if IS_FULL else 180)

LIST = "/api/v1/service-provider-profiles/?limit=12"
LEASE_SECONDS = 2.0
Figures = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Fleet:
    """Servers on one database, each with a client."""

    servers: Sequence[ServerProcess]
    clients: Sequence[httpx.AsyncClient]
    slow: SlowAnswers

    async def rush(self, path: str, *, callers: int) -> list[tuple[Answer | None, float]]:
        """Let callers ask at once, spread over the servers; return what each got, and after how many seconds."""
        servers = [self.servers[number % len(self.servers)] for number in range(callers)]
        return await asyncio.gather(*(_ask(server, path) for server in servers))


async def _ask(server: ServerProcess, path: str) -> tuple[Answer | None, float]:
    """Ask over a connection of one's own, by hand: a thousand real clients would wait for themselves."""
    host, port = server.url.removeprefix("http://").split(":")
    began_at = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    except OSError:
        head, body = b"", b""
    took = time.perf_counter() - began_at
    if not head:
        return None, took  # its server was killed
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(status.split()[1]), headers, body), took


@pytest.fixture(scope="module")
def installation(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with fresh_database(postgres_server) as url:
        migrate(url)
        yield Installation(database_url=url, data_dir=tmp_path_factory.mktemp("data"))


@asynccontextmanager
async def fleet_of(installation: Installation, *, count: int, redis_url: str) -> AsyncIterator[Fleet]:
    shared = Installation(
        database_url=installation.database_url,
        data_dir=installation.data_dir,
        FAIRGROUND_REDIS_URL=redis_url,
        FAIRGROUND_CACHE_NAMESPACE=fresh_namespace(),
        FAIRGROUND_CACHE_WAIT_SECONDS="60",
    )
    slow = SlowAnswers(shared.data_dir)
    slow.begin(seconds=0)
    with ExitStack() as processes:
        servers = [processes.enter_context(shared.serving(slow_answers=slow)) for _ in range(count)]
        async with AsyncExitStack() as connections:
            clients = [
                await connections.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=120))
                for server in servers
            ]
            if redis_url:
                for client in clients:
                    await _until_shared(client, clients[0])
            yield Fleet(servers, clients, slow)


@pytest.fixture(scope="module")
async def fleet(installation: Installation, redis_server: Server, dose: Dose) -> AsyncIterator[Fleet]:
    async with fleet_of(installation, count=dose(small=2, full=4), redis_url=redis_server.url) as fleet:
        yield fleet


async def _until_shared(client: httpx.AsyncClient, maker: httpx.AsyncClient) -> None:
    """Wait until the server has its level: until it is given what another one has made."""
    for number in range(1, 1_000):
        path = f"/api/v1/verticals?utm_id={number}"
        await maker.get(path)
        if client is maker or (await client.get(path)).headers["x-cache"] == "HIT":
            return
        await asyncio.sleep(0.1)
    raise AssertionError("The servers do not share a cache.")


@pytest.mark.parametrize("seconds", [0.2, 1.25 * LEASE_SECONDS], ids=["short", "longer than a lease"])
async def test_a_cold_rush_on_many_servers_is_one_computation(
    fleet: Fleet, seconds: float, dose: Dose, figure: Figures
) -> None:
    callers = dose(small=60, full=1_000)
    fleet.slow.begin(seconds=seconds)
    answers = await fleet.rush(f"{LIST}&minPrice={seconds}", callers=callers)
    assert len(fleet.slow.processes()) == 1
    assert {answer.status for answer, _ in answers if answer} == {200}
    assert len({answer.body for answer, _ in answers if answer}) == 1
    figure(f"slowest of {callers} beyond a computation of {seconds} s", max(took for _, took in answers) - seconds, "s")


async def test_a_change_at_one_server_shows_at_all(fleet: Fleet, installation: Installation, figure: Figures) -> None:
    fleet.slow.begin(seconds=0)
    market = await open_market(installation, customers=0)
    path = f"/api/v1/service-provider-profiles/{market.provider_id}"
    headers = {"authorization": f"Bearer {market.provider_token}"}
    slowest, (here, there) = 0.0, fleet.clients[:2]
    for number in range(10):
        for client in (here, there):
            await client.get(path)
            assert (await client.get(path)).headers["x-cache"] == "HIT"
        await here.patch(path, json={"bio": f"Bio {number}."}, headers=headers)
        began_at = time.perf_counter()
        assert (await here.get(path)).json()["bio"] == f"Bio {number}."
        while (await there.get(path)).json()["bio"] != f"Bio {number}.":
            assert time.perf_counter() < began_at + 20
        slowest = max(slowest, time.perf_counter() - began_at)
    figure("slowest until another server shows a change", slowest, "s")


async def test_a_server_that_is_killed_while_it_computes_holds_nobody_up(
    fleet: Fleet, dose: Dose, figure: Figures
) -> None:
    """The last test of these servers: one of them is gone after it."""
    callers, seconds = dose(small=60, full=1_000), 1.0
    fleet.slow.begin(seconds=seconds)
    rush = asyncio.create_task(fleet.rush(f"{LIST}&page=2", callers=callers))
    while not fleet.slow.processes():
        await asyncio.sleep(0.01)
    (holder,) = fleet.slow.processes()
    next(server for server in fleet.servers if server.pid == holder).kill()
    answers = await rush
    assert len(fleet.slow.processes()) <= 2
    answered = [(answer, took) for answer, took in answers if answer is not None]
    assert len(answered) >= callers / 2 - 1
    assert {answer.status for answer, _ in answered} == {200}
    allowed = LEASE_SECONDS + seconds + 0.5
    figure("slowest answer after the holder was killed", max(took for _, took in answered), f"s ({allowed} allowed)")


async def test_without_a_shared_level_every_server_computes(installation: Installation, dose: Dose) -> None:
    """The control: the servers know nothing of each other, and keep nothing."""
    count = dose(small=2, full=4)
    async with fleet_of(installation, count=count, redis_url="") as strangers:
        strangers.slow.begin(seconds=1)
        await strangers.rush(LIST, callers=40)
        assert len(set(strangers.slow.processes())) == count
        assert {answer.headers["x-cache"] for answer, _ in await strangers.rush(LIST, callers=4) if answer} == {"MISS"}
