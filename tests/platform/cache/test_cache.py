"""The cache in one process, without a shared level."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from fairground.platform.cache import filler
from fairground.platform.cache.cache import FAILURE_SECONDS, CacheResult, CacheStatus, ResponseCache
from fairground.platform.cache.invalidation import LocalTags
from fairground.platform.cache.policy import CacheRequest, ComputedResponse, NoParameters
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.stats import CacheStats

TAG = "provider:maya"
REQUEST = CacheRequest(
    key="k",
    route="provider",
    tags=("everything", TAG),
    path="/p",
    query_string=b"",
    fresh_seconds=100,
    query=NoParameters(),
)
SETTINGS = CacheSettings(wait_seconds=5, stale_while_revalidate_seconds=30, stale_if_error_seconds=600)


@dataclass
class Kitchen:
    """Computes responses from a value that tests change, and waits while its gate is closed."""

    value: str = "one"
    status: int = 200
    calls: int = 0
    clock: list[float] = field(default_factory=lambda: [0.0])
    takes_seconds: float = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    has_read: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def compute(self, _request: CacheRequest) -> ComputedResponse:
        self.calls += 1
        read = self.value
        self.has_read.set()
        await self.gate.wait()
        self.clock[0] += self.takes_seconds
        if self.status == 0:
            raise RuntimeError("power cut")
        return ComputedResponse(self.status, ((b"content-type", b"text/plain"),), read.encode())


@dataclass
class Shop:
    cache: ResponseCache
    kitchen: Kitchen
    clock: list[float]

    async def get(self, request: CacheRequest = REQUEST) -> CacheResult:
        return await self.cache.get(request, self.kitchen.compute)

    async def settle(self) -> None:
        """Wait for the computations in the background."""
        while computation := next(iter(self.cache._single_flight._computations.values()), None):
            await computation.task
            await asyncio.sleep(0)

    def change(self, value: str) -> None:
        self.kitchen.value = value
        self.cache.tags.invalidate([TAG])


def is_failure(result: CacheResult) -> bool:
    return result.entry is None and (result.response is None or result.response.status >= 500)


def body(result: CacheResult) -> str:
    if result.entry is not None:
        return result.entry.body("identity").decode()
    assert result.response is not None
    return result.response.body.decode()


async def open_shop(*, is_alone: bool = True, clock: list[float] | None = None) -> AsyncIterator[Shop]:
    clock = clock or [1_000.0]
    cache = ResponseCache(
        SETTINGS, tags=LocalTags(), stats=CacheStats(), level=None, is_alone=is_alone, now=lambda: clock[0]
    )
    async with cache.running():
        yield Shop(cache, Kitchen(clock=clock), clock)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async for each in open_shop():
        yield each


@pytest.fixture
async def crowded_shop() -> AsyncIterator[Shop]:
    """One of several processes without a shared level."""
    async for each in open_shop(is_alone=False):
        yield each


async def test_second_request_is_a_hit(shop: Shop) -> None:
    assert [(await shop.get()).status, (await shop.get()).status] == [CacheStatus.MISS, CacheStatus.HIT]
    assert shop.kitchen.calls == 1


async def test_without_a_shared_level_only_concurrent_requests_share_a_computation(crowded_shop: Shop) -> None:
    crowded_shop.kitchen.gate.clear()
    tasks = [asyncio.create_task(crowded_shop.get()) for _ in range(20)]
    await crowded_shop.kitchen.has_read.wait()
    crowded_shop.kitchen.gate.set()
    assert {(await each).status for each in tasks} == {CacheStatus.MISS}
    assert crowded_shop.kitchen.calls == 1
    await crowded_shop.get()
    assert crowded_shop.kitchen.calls == 2


async def test_thousand_concurrent_requests_cost_one_computation(shop: Shop) -> None:
    served = await asyncio.gather(*(shop.get() for _ in range(1_000)))
    assert shop.kitchen.calls == 1
    assert sum(each.is_collapsed for each in served) == 999 == shop.cache.stats.collapsed["provider"]


async def test_cancelled_waiter_leaves_the_computation_to_the_others(shop: Shop) -> None:
    shop.kitchen.gate.clear()
    first, second = asyncio.create_task(shop.get()), asyncio.create_task(shop.get())
    await shop.kitchen.has_read.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    shop.kitchen.gate.set()
    assert body(await second) == "one"
    assert shop.kitchen.calls == 1


async def test_control_without_the_shield_a_cancelled_waiter_cancels_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "shield", lambda task: task)
    shop.kitchen.gate.clear()
    first, second = asyncio.create_task(shop.get()), asyncio.create_task(shop.get())
    await shop.kitchen.has_read.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_invalidated_tag_makes_its_entries_misses(shop: Shop) -> None:
    await shop.get()
    shop.change("two")
    served = await shop.get()
    assert (served.status, body(served)) == (CacheStatus.MISS, "two")
    shop.cache.tags.invalidate(["provider:other"])
    assert (await shop.get()).status is CacheStatus.HIT


async def test_entry_computed_from_before_an_invalidation_is_never_served(shop: Shop) -> None:
    shop.kitchen.gate.clear()
    early = asyncio.create_task(shop.get())
    await shop.kitchen.has_read.wait()
    shop.change("two")
    shop.kitchen.gate.set()
    assert body(await early) == "one"
    assert body(await shop.get()) == "two"


async def test_control_without_the_state_read_first_the_late_entry_is_served(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with the state read when the entry is stored, the old one would be served until it expires."""
    monkeypatch.setattr(type(shop.cache.tags), "read", lambda _self, _tags: (0,))
    shop.kitchen.gate.clear()
    early = asyncio.create_task(shop.get())
    await shop.kitchen.has_read.wait()
    shop.change("two")
    shop.kitchen.gate.set()
    await early
    assert body(await shop.get()) == "one"


async def test_request_after_an_invalidation_joins_no_older_computation(shop: Shop) -> None:
    shop.kitchen.gate.clear()
    early = asyncio.create_task(shop.get())
    await shop.kitchen.has_read.wait()
    shop.change("two")
    late = asyncio.create_task(shop.get())
    await asyncio.sleep(0)
    shop.kitchen.gate.set()
    assert (body(await early), body(await late)) == ("one", "two")
    assert body(await shop.get()) == "two"


async def test_late_entry_does_not_replace_a_newer_one(shop: Shop) -> None:
    gate = shop.kitchen.gate = asyncio.Event()
    early = asyncio.create_task(shop.get())
    await shop.kitchen.has_read.wait()
    shop.change("two")
    shop.kitchen.gate = asyncio.Event()
    shop.kitchen.gate.set()
    assert body(await shop.get()) == "two"
    gate.set()
    await early
    served = await shop.get()
    assert (served.status, body(served), shop.kitchen.calls) == (CacheStatus.HIT, "two", 2)


async def test_stale_entry_is_served_while_one_computation_refreshes_it(shop: Shop) -> None:
    await shop.get()
    shop.kitchen.value = "two"
    shop.clock[0] += 111
    served = [await shop.get() for _ in range(3)]
    assert {(each.status, body(each), each.is_error) for each in served} == {(CacheStatus.STALE, "one", False)}
    await shop.settle()
    after = await shop.get()
    assert (after.status, body(after), shop.kitchen.calls) == (CacheStatus.HIT, "two", 2)


async def test_entry_past_its_stale_time_is_computed_again(shop: Shop) -> None:
    await shop.get()
    shop.kitchen.value = "two"
    shop.clock[0] += 141
    assert body(await shop.get()) == "two"


@pytest.mark.parametrize("status", [0, 500, 503])
async def test_stale_entry_is_served_if_the_computation_fails(shop: Shop, status: int) -> None:
    await shop.get()
    shop.kitchen.status = status
    shop.clock[0] += 700
    served = await shop.get()
    assert (served.status, body(served), served.is_error) == (CacheStatus.STALE, "one", True)
    shop.clock[0] += 50
    assert is_failure(await shop.get())


async def test_failed_computation_is_not_repeated_for_moments(shop: Shop) -> None:
    shop.kitchen.status = 503
    assert [is_failure(await shop.get()) for _ in range(5)] == [True] * 5
    assert shop.kitchen.calls == 1
    shop.clock[0] += FAILURE_SECONDS + 0.1
    shop.kitchen.status = 200
    assert (await shop.get()).status is CacheStatus.MISS


async def test_expired_failures_are_dropped(shop: Shop) -> None:
    shop.kitchen.status = 0
    for number in range(20):
        await shop.get(replace(REQUEST, key=f"k{number}"))
    shop.kitchen.status = 200
    shop.clock[0] += FAILURE_SECONDS
    await shop.get()
    assert len(shop.cache._failures) == 0


async def test_slow_computation_fails_its_waiter_and_is_stored_for_the_next_request(shop: Shop) -> None:
    shop.cache.settings = SETTINGS.model_copy(update={"wait_seconds": 0.01})
    shop.kitchen.gate.clear()
    assert is_failure(await shop.get())
    shop.kitchen.gate.set()
    await shop.settle()
    assert (await shop.get()).status is CacheStatus.HIT
    assert shop.kitchen.calls == 1


async def test_not_found_is_stored_for_a_short_time(shop: Shop) -> None:
    shop.kitchen.status = 404
    assert [(await shop.get()).status for _ in range(2)] == [CacheStatus.MISS, CacheStatus.HIT]
    shop.clock[0] += SETTINGS.negative_seconds * 1.1 + 0.1
    assert (await shop.get()).status is CacheStatus.MISS


async def test_stored_not_found_is_invalidated_by_its_tag(shop: Shop) -> None:
    shop.kitchen.status = 404
    await shop.get()
    shop.kitchen.status = 200
    shop.change("made")
    assert body(await shop.get()) == "made"


@pytest.mark.parametrize("status", [301, 401, 403, 422, 429])
async def test_redirects_and_refusals_are_not_stored(shop: Shop, status: int) -> None:
    shop.kitchen.status = status
    assert [(await shop.get()).status for _ in range(2)] == [CacheStatus.MISS] * 2
    assert shop.kitchen.calls == 2


async def test_popular_entry_is_refreshed_before_it_expires(shop: Shop) -> None:
    shop.kitchen.takes_seconds = 0.5
    await shop.get()
    began_at = shop.clock[0]
    while shop.clock[0] < began_at + 10 * REQUEST.fresh_seconds:
        shop.clock[0] += 0.02
        assert (await shop.get()).status is CacheStatus.HIT
        await shop.settle()
    assert 9 <= shop.cache.stats.refreshed["provider", "early"] <= 13


async def test_error_in_one_computation_fails_that_one_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(filler, "make_entry", lambda *_, **__: 1 / 0)
        assert is_failure(await shop.get())
    shop.clock[0] += FAILURE_SECONDS + 0.1
    assert body(await shop.get()) == "one"


async def test_refresh_in_the_background_does_not_delay_shutdown() -> None:
    kitchen = Kitchen(clock=[1_000.0])
    async for shop in open_shop(clock=kitchen.clock):
        await shop.get()
        shop.clock[0] += 111
        shop.kitchen.gate.clear()
        assert (await shop.get()).status is CacheStatus.STALE


async def test_number_of_concurrent_computations_is_limited(shop: Shop) -> None:
    shop.kitchen.gate.clear()
    requests = [
        CacheRequest(str(number), "provider", (), "/", b"", 100, NoParameters())
        for number in range(SETTINGS.computations_max * 2)
    ]
    tasks = [asyncio.create_task(shop.get(each)) for each in requests]
    for _ in range(10):
        await asyncio.sleep(0)
    assert shop.kitchen.calls == SETTINGS.computations_max
    shop.kitchen.gate.set()
    await asyncio.gather(*tasks)
    assert shop.kitchen.calls == len(requests)


async def test_too_many_tags_invalidate_everything_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairground.platform.cache.invalidation.TAGS_MAX", 100)
    await shop.get()
    shop.cache.tags.invalidate([str(number) for number in range(101)])
    assert (await shop.get()).status is CacheStatus.MISS
    assert (await shop.get()).status is CacheStatus.HIT


async def test_cache_that_is_not_running_refuses_requests() -> None:
    cache = ResponseCache(SETTINGS, tags=LocalTags(), stats=CacheStats(), level=None, is_alone=True)
    assert not cache.is_running
    with pytest.raises(RuntimeError, match="not running"):
        await cache.get(REQUEST, Kitchen().compute)
