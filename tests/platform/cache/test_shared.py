"""The cache with a shared level: two caches on one Redis, like those of two processes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fairground.platform.cache import filler
from fairground.platform.cache.cache import TRUSTED_SECONDS, CacheResult, CacheStatus, ResponseCache
from fairground.platform.cache.entry import META, Entry
from fairground.platform.cache.invalidation import LocalTags
from fairground.platform.cache.policy import CacheRequest
from fairground.platform.cache.redis.connections import Replies, ServerConnection
from fairground.platform.cache.redis.level import RedisLevel
from fairground.platform.cache.redis.protocol import Command
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.shared_level import Lease, LevelUnavailable
from fairground.platform.cache.stats import CacheStats
from tests.platform.cache.redis.rig import Ledger, tokens_of, until_off, until_on
from tests.platform.cache.test_cache import REQUEST, TAG, Kitchen, body
from tests.support.redis import fresh_namespace
from tools.guardian import Server
from tools.redis import OwnedServer

SETTINGS = CacheSettings(wait_seconds=30, stale_while_revalidate_seconds=30, stale_if_error_seconds=600)


@dataclass
class Process:
    cache: ResponseCache
    kitchen: Kitchen
    level: RedisLevel
    clock: list[float]

    async def get(self, request: CacheRequest = REQUEST) -> CacheResult:
        return await self.cache.get(request, self.kitchen.compute)

    async def settle(self) -> None:
        while computation := next(iter(self.cache._single_flight._computations.values()), None):
            await computation.task
            await asyncio.sleep(0)


@asynccontextmanager
async def start(url: str, *, namespace: str, kitchen: Kitchen, ledger: Ledger | None = None) -> AsyncIterator[Process]:
    level = RedisLevel(url, namespace=namespace, backlog=ledger or Ledger())
    cache = ResponseCache(
        SETTINGS, tags=LocalTags(), stats=CacheStats(), level=level, is_alone=False, now=lambda: kitchen.clock[0]
    )
    async with cache.running():
        await until_on(level)
        yield Process(cache, kitchen, level, kitchen.clock)


@asynccontextmanager
async def two(url: str) -> AsyncIterator[tuple[Process, Process]]:
    namespace, kitchen = fresh_namespace(), Kitchen(clock=[1_000.0])
    async with (
        start(url, namespace=namespace, kitchen=kitchen) as here,
        start(url, namespace=namespace, kitchen=kitchen) as there,
    ):
        yield here, there


@pytest.fixture
async def pair(redis_server: Server) -> AsyncIterator[tuple[Process, Process]]:
    async with two(redis_server.url) as processes:
        yield processes


Pair = tuple[Process, Process]


async def test_miss_takes_two_round_trips(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    exchange = ServerConnection.exchange

    async def count(connection: ServerConnection, commands: Sequence[Command]) -> Replies:
        turns.append(" ".join(str(command[0]) for command in commands))
        return await exchange(connection, commands)

    monkeypatch.setattr(ServerConnection, "exchange", count)
    here, there = pair
    await here.get()
    assert turns == ["EVAL", "EVAL EVAL"]
    await there.get()
    assert turns[2:] == ["EVAL"]


async def test_entry_of_one_process_is_a_hit_in_the_other(pair: Pair) -> None:
    here, there = pair
    made, had = await here.get(), await there.get()
    assert [made.status, had.status] == [CacheStatus.MISS, CacheStatus.HIT]
    assert made.entry is not None
    assert had.entry is not None
    for coding in ("identity", "br", "gzip", "zstd"):
        assert made.entry.make_variant(coding).body == had.entry.make_variant(coding).body
        assert made.entry.variants[coding].etag == had.entry.variants[coding].etag
    assert here.kitchen.calls == 1


async def test_copy_in_memory_is_fetched_again_after_two_seconds(pair: Pair) -> None:
    here, _ = pair
    await here.get()
    assert (await here.get()).status is CacheStatus.HIT
    before = here.cache.stats.shared_hits["provider"]
    here.clock[0] += TRUSTED_SECONDS + 0.1
    assert (await here.get()).status is CacheStatus.HIT
    assert here.cache.stats.shared_hits["provider"] == before + 1
    assert here.kitchen.calls == 1


async def test_concurrent_misses_of_two_processes_cost_one_computation(pair: Pair) -> None:
    here, there = pair
    here.kitchen.gate.clear()
    tasks = [asyncio.create_task(each.get()) for each in (here, there) for _ in range(20)]
    await here.kitchen.has_read.wait()
    await asyncio.sleep(0.05)
    here.kitchen.gate.set()
    assert {body(await each) for each in tasks} == {"one"}
    assert here.kitchen.calls == 1


async def test_entry_from_before_an_invalidation_by_another_process_is_never_served(pair: Pair) -> None:
    here, there = pair
    here.kitchen.gate.clear()
    early = asyncio.create_task(here.get())
    await here.kitchen.has_read.wait()
    here.kitchen.value = "two"
    await there.level.invalidate_tags([TAG])
    here.kitchen.gate.set()
    assert body(await early) == "one"
    assert (body(await there.get()), body(await here.get())) == ("two", "two")


async def test_control_with_tokens_read_last_the_late_entry_is_served(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same race, with an entry stored under the tokens of the time of storing."""
    here, there = pair
    to_store = here.cache._filler._store

    async def store_under_new_tokens(lease: Lease, entry: Entry) -> None:
        entry.tokens = await tokens_of(here.level, *REQUEST.tags)
        await to_store(lease, entry)

    monkeypatch.setattr(here.cache._filler, "_store", store_under_new_tokens)
    here.kitchen.gate.clear()
    early = asyncio.create_task(here.get())
    await here.kitchen.has_read.wait()
    here.kitchen.value = "two"
    await there.level.invalidate_tags([TAG])
    here.kitchen.gate.set()
    await early
    assert body(await there.get()) == "one"


async def test_stale_entry_is_refreshed_by_one_process(pair: Pair) -> None:
    here, there = pair
    await here.get()
    here.kitchen.value = "two"
    here.clock[0] += 111
    here.kitchen.gate.clear()
    assert [(await each.get()).status for each in pair] == [CacheStatus.STALE, CacheStatus.STALE]
    here.kitchen.gate.set()
    await here.settle()
    await there.settle()
    assert here.kitchen.calls == 2
    here.clock[0] += TRUSTED_SECONDS
    assert [body(await each.get()) for each in pair] == ["two", "two"]


async def test_stale_entry_of_another_process_is_served_if_the_computation_fails(pair: Pair) -> None:
    here, there = pair
    await here.get()
    here.kitchen.status = 503
    here.clock[0] += 700
    served = await there.get()
    assert (served.status, body(served), served.is_error) == (CacheStatus.STALE, "one", True)


async def test_damaged_entry_is_a_counted_miss(pair: Pair) -> None:
    here, there = pair
    await here.get()
    await here.level.store(REQUEST.key, owner="any", fields={META: b"{", "identity": b"half"}, ttl_seconds=60)
    assert (await there.get()).status is CacheStatus.MISS
    assert (there.cache.stats.damaged >= 1, here.kitchen.calls) == (True, 2)


async def test_without_the_server_each_process_computes_and_no_request_fails() -> None:
    with OwnedServer() as server:
        async with two(server.url) as (here, there):
            await here.get()
            server.kill()
            await until_off(here.level)
            await until_off(there.level)
            here.kitchen.value = "two"
            here.clock[0] += 200
            assert {body(await each.get()) for each in (here, there) for _ in range(5)} == {"two"}
            assert here.kitchen.calls == 3


async def test_entry_from_before_an_outage_is_not_served_after_a_change_during_it() -> None:
    """An entry from before the outage is not read again before the backlog of invalidations is empty."""
    ledger, kitchen = Ledger(), Kitchen(clock=[1_000.0])
    with OwnedServer() as server:
        async with start(server.url, namespace="n", kitchen=kitchen, ledger=ledger) as process:
            await process.get()
            server.freeze()
            await until_off(process.level)
            kitchen.value, ledger.pending = "two", 1
            process.cache.tags.invalidate([TAG])
            assert body(await process.get()) == "two"
            server.thaw()
            process.clock[0] += TRUSTED_SECONDS + 0.1
            for _ in range(20):
                assert body(await process.get()) == "two"
                await asyncio.sleep(0.05)
            await process.level.invalidate_tags([TAG])
            ledger.pending = 0
            await until_on(process.level)
            assert body(await process.get()) == "two"


def make_slow_for_a_moment(process: Process, *, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one call of the level fail."""
    real = getattr(process.level, name)
    failures = [LevelUnavailable("No answer in time")]

    async def fail_once(*positional: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return await real(*positional, **named)

    monkeypatch.setattr(process.level, name, fail_once)


async def miss_while_the_other_computes(pair: Pair) -> list[CacheResult]:
    here, there = pair
    here.kitchen.gate.clear()
    first = asyncio.create_task(here.get())
    await here.kitchen.has_read.wait()
    second = asyncio.create_task(there.get())
    await asyncio.sleep(0.2)
    here.kitchen.gate.set()
    return [await first, await second]


@pytest.mark.parametrize("name", ["look_up", "claim", "store"])
async def test_one_lost_reply_costs_no_second_computation(
    pair: Pair, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = pair[0] if name == "store" else pair[1]
    make_slow_for_a_moment(who, name=name, monkeypatch=monkeypatch)
    assert {body(served) for served in await miss_while_the_other_computes(pair)} == {"one"}
    assert pair[0].kitchen.calls == 1


async def test_control_without_a_retry_a_lost_reply_costs_a_computation(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without a second attempt, the waiting process computes for itself."""

    async def once(attempt: Any) -> Any:
        return await attempt()

    monkeypatch.setattr(filler, "retry_once", once)
    make_slow_for_a_moment(pair[1], name="claim", monkeypatch=monkeypatch)
    await miss_while_the_other_computes(pair)
    assert pair[0].kitchen.calls == 2
