import asyncio
import time

from fairground.platform.cache.redis.level import ENTRY_MAX_BYTES, RedisLevel
from tests.platform.cache.redis.rig import take
from tests.support.waiting import until


async def test_lease_has_one_owner(level: RedisLevel) -> None:
    taken = await asyncio.gather(*(take(level, "list", owner=str(number)) for number in range(20)))
    assert sum(taken) == 1


async def test_late_release_does_not_end_the_lease_of_another(level: RedisLevel) -> None:
    assert await take(level, "list", owner="slow", seconds=0.02)
    await until(lambda: take(level, "list", owner="next"))
    await level.release_lease("list", owner="slow")
    assert not await level.renew_lease("list", owner="slow", seconds=30)
    assert not await take(level, "list", owner="third")
    await level.release_lease("list", owner="next")
    assert await take(level, "list", owner="third")


async def test_repeated_claim_of_the_owner_succeeds(level: RedisLevel) -> None:
    assert await take(level, "list", owner="first")
    assert await take(level, "list", owner="first")
    assert not await take(level, "list", owner="second")


async def test_store_releases_the_lease(level: RedisLevel) -> None:
    await take(level, "list", owner="first")
    async with level.lease_waiter("list") as waiter:
        await level.store("list", owner="second", fields={"m": b"late"}, ttl_seconds=60)
        assert not await take(level, "list", owner="third")
        await level.store("list", owner="first", fields={"m": b"made"}, ttl_seconds=60)
        await waiter.wait(timeout_seconds=30)
        claim = await level.claim("list", owner="third", seconds=30, fields=["m"], tags=[], force=True)
    assert (claim.is_ours, claim.found.fields) == (True, (b"made",))


async def test_store_of_a_too_large_entry_releases_the_lease(level: RedisLevel) -> None:
    await take(level, "list", owner="first")
    await level.store("list", owner="first", fields={"m": b"x" * (ENTRY_MAX_BYTES + 1)}, ttl_seconds=60)
    assert await take(level, "list", owner="second")


async def test_renewed_lease_outlives_its_first_time(level: RedisLevel) -> None:
    assert await take(level, "list", owner="first", seconds=1)
    assert await level.renew_lease("list", owner="first", seconds=30)
    await asyncio.sleep(1.2)
    assert not await take(level, "list", owner="second", seconds=1)


async def test_lease_without_renewal_ends(level: RedisLevel) -> None:
    assert await take(level, "list", owner="dead", seconds=0.05)
    await until(lambda: take(level, "list", owner="next"))


async def test_release_wakes_the_waiters_of_its_key_alone(level: RedisLevel) -> None:
    await take(level, "list", owner="first")
    await take(level, "list", owner="second")
    async with (
        level.lease_waiter("list") as one,
        level.lease_waiter("list") as two,
        level.lease_waiter("other") as other,
    ):
        began_at = time.monotonic()
        waiting = asyncio.gather(*(waiter.wait(timeout_seconds=30) for waiter in (one, two)))
        await level.release_lease("list", owner="first")
        await waiting
        assert time.monotonic() - began_at < 20
        ended = asyncio.create_task(other.wait(timeout_seconds=30))
        await asyncio.sleep(0.05)
        assert not ended.done()
        ended.cancel()


async def test_release_without_waiting_claims_is_not_published(level: RedisLevel) -> None:
    await take(level, "list", owner="first")
    async with level.lease_waiter("list") as waiter:
        await level.release_lease("list", owner="first")
        # A release with a waiter, published on the same channel.
        await take(level, "other", owner="first")
        async with level.lease_waiter("other") as other:
            await take(level, "other", owner="second")
            await level.release_lease("other", owner="first")
            await other.wait(timeout_seconds=30)
        unreleased = asyncio.create_task(waiter.wait(timeout_seconds=30))
        await asyncio.sleep(0.05)
        assert not unreleased.done()
        unreleased.cancel()


async def test_release_before_the_wait_is_not_lost(level: RedisLevel) -> None:
    await take(level, "list", owner="first")
    async with level.lease_waiter("list") as waiter:
        await take(level, "list", owner="second")
        await level.release_lease("list", owner="first")
        await asyncio.sleep(0.1)
        began_at = time.monotonic()
        await waiter.wait(timeout_seconds=30)
        assert time.monotonic() - began_at < 20


async def test_wait_ends_with_its_timeout(level: RedisLevel) -> None:
    async with level.lease_waiter("list") as waiter:
        await waiter.wait(timeout_seconds=0.01)
