import asyncio
import time

from fairground.platform.cache.redis.level import RedisLevel
from tests.support.waiting import until


async def test_a_lease_has_one_owner(level: RedisLevel) -> None:
    taken = await asyncio.gather(*(level.acquire_lease("list", owner=str(number), seconds=30) for number in range(20)))
    assert sum(taken) == 1


async def test_a_late_release_does_not_free_the_lease_of_another(level: RedisLevel) -> None:
    assert await level.acquire_lease("list", owner="slow", seconds=0.02)
    await until(lambda: level.acquire_lease("list", owner="next", seconds=30))
    await level.release_lease("list", owner="slow")
    assert not await level.renew_lease("list", owner="slow", seconds=30)
    assert not await level.acquire_lease("list", owner="third", seconds=30)
    await level.release_lease("list", owner="next")
    assert await level.acquire_lease("list", owner="third", seconds=30)


async def test_a_renewed_lease_outlives_its_first_time(level: RedisLevel) -> None:
    assert await level.acquire_lease("list", owner="first", seconds=1)
    assert await level.renew_lease("list", owner="first", seconds=30)
    await asyncio.sleep(1.2)
    assert not await level.acquire_lease("list", owner="second", seconds=1)


async def test_a_lease_that_nobody_renews_ends(level: RedisLevel) -> None:
    assert await level.acquire_lease("list", owner="dead", seconds=0.05)
    await until(lambda: level.acquire_lease("list", owner="next", seconds=30))


async def test_waiters_of_every_process_are_woken_by_the_release(level: RedisLevel) -> None:
    await level.acquire_lease("list", owner="first", seconds=30)
    async with level.notices("list") as one, level.notices("list") as two, level.notices("other") as other:
        began_at = time.monotonic()
        waiting = asyncio.gather(*(notice.wait(timeout_seconds=30) for notice in (one, two)))
        await level.release_lease("list", owner="first")
        await waiting
        assert time.monotonic() - began_at < 20
        ended = asyncio.create_task(other.wait(timeout_seconds=30))
        await asyncio.sleep(0.05)
        assert not ended.done()
        ended.cancel()


async def test_a_release_between_opening_and_waiting_is_not_lost(level: RedisLevel) -> None:
    await level.acquire_lease("list", owner="first", seconds=30)
    async with level.notices("list") as notice:
        await level.release_lease("list", owner="first")
        await asyncio.sleep(0.1)
        began_at = time.monotonic()
        await notice.wait(timeout_seconds=30)
        assert time.monotonic() - began_at < 20


async def test_a_notice_that_nobody_rings_ends_in_time(level: RedisLevel) -> None:
    async with level.notices("list") as notice:
        await notice.wait(timeout_seconds=0.01)
