import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from fairground.platform.db.common import rate_limits
from fairground.platform.db.common.rate_limits import Limit, RateLimiter
from fairground.platform.db.common.tables import LimitRow
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.db.dialect.base import DatabaseUnavailable
from tests.support.outbox import RecordingOutbox
from tests.support.proofs import Dose

FIVE_IN_A_QUARTER = Limit("test", burst=5, interval=timedelta(minutes=15))


@pytest.fixture
def limiter(db: Database) -> RateLimiter:
    return RateLimiter(db)


async def takes(limiter: RateLimiter, limit: Limit, *, times: int, key: str = "ada") -> list[int]:
    return [await limiter.take(limit, key=key) for _ in range(times)]


async def test_attempt_after_the_burst_is_refused_with_its_wait(limiter: RateLimiter) -> None:
    waits = await takes(limiter, FIVE_IN_A_QUARTER, times=7)

    assert waits[:5] == [0] * 5
    assert all(14 * 60 < wait <= 15 * 60 for wait in waits[5:])


async def test_refused_attempt_does_not_prolong_the_wait(db: Database, limiter: RateLimiter) -> None:
    await takes(limiter, FIVE_IN_A_QUARTER, times=50)
    db.clock_shift = timedelta(minutes=15)

    assert await takes(limiter, FIVE_IN_A_QUARTER, times=1) == [0]


async def test_one_attempt_comes_back_after_each_interval_up_to_the_burst(db: Database, limiter: RateLimiter) -> None:
    await takes(limiter, FIVE_IN_A_QUARTER, times=5)

    db.clock_shift = timedelta(minutes=31)
    assert (await takes(limiter, FIVE_IN_A_QUARTER, times=5)).count(0) == 2
    db.clock_shift = timedelta(days=1)
    assert (await takes(limiter, FIVE_IN_A_QUARTER, times=9)).count(0) == 5


async def test_keys_and_limits_are_counted_separately(limiter: RateLimiter) -> None:
    other = Limit("other", burst=1, interval=timedelta(minutes=1))
    await takes(limiter, FIVE_IN_A_QUARTER, times=5)

    assert await limiter.take(FIVE_IN_A_QUARTER, key="bob") == 0
    assert await limiter.take(other, key="ada") == 0


async def test_attempt_that_is_given_back_can_be_made_again(limiter: RateLimiter) -> None:
    await takes(limiter, FIVE_IN_A_QUARTER, times=5)
    await limiter.give_back(FIVE_IN_A_QUARTER, key="ada")

    assert (await takes(limiter, FIVE_IN_A_QUARTER, times=2)).count(0) == 1


async def test_forgotten_key_has_its_whole_burst_again(limiter: RateLimiter) -> None:
    await takes(limiter, FIVE_IN_A_QUARTER, times=6)
    await limiter.forget(FIVE_IN_A_QUARTER, key="ada")

    assert (await takes(limiter, FIVE_IN_A_QUARTER, times=6)).count(0) == 5


async def test_clock_that_is_set_back_admits_no_more_attempts(db: Database, limiter: RateLimiter) -> None:
    await takes(limiter, FIVE_IN_A_QUARTER, times=5)
    db.clock_shift = timedelta(hours=-1)

    assert await limiter.take(FIVE_IN_A_QUARTER, key="ada") > 0


async def test_clock_that_ran_ahead_makes_no_caller_wait_longer_than_one_interval(
    db: Database, limiter: RateLimiter
) -> None:
    interval = FIVE_IN_A_QUARTER.interval
    db.clock_shift = timedelta(hours=3)
    await takes(limiter, FIVE_IN_A_QUARTER, times=1)
    db.clock_shift = timedelta(0)
    (wait,) = await takes(limiter, FIVE_IN_A_QUARTER, times=1)
    assert 0 < wait <= interval.total_seconds()

    # The time that was stored is corrected, so the wait gets shorter like every other one.
    db.clock_shift = interval / 2
    (later,) = await takes(limiter, FIVE_IN_A_QUARTER, times=1)
    assert 0 < later <= interval.total_seconds() / 2
    db.clock_shift = interval + timedelta(seconds=1)
    assert await takes(limiter, FIVE_IN_A_QUARTER, times=1) == [0]


async def test_expired_counts_are_deleted_and_others_stay(db: Database, limiter: RateLimiter) -> None:
    await limiter.take(FIVE_IN_A_QUARTER, key="early")
    db.clock_shift = timedelta(minutes=10)
    await limiter.take(FIVE_IN_A_QUARTER, key="late")
    db.clock_shift = timedelta(minutes=20)

    async with db.write() as tx:
        assert await rate_limits.drop_lapsed(tx) == 1
        assert await tx.scalars(select(LimitRow.key)) == ["test:late"]


async def test_attempts_are_refused_while_the_database_does_not_answer() -> None:
    db = Database("postgresql://user@127.0.0.1:1/nothing", outbox=RecordingOutbox())

    with pytest.raises(DatabaseUnavailable):
        await RateLimiter(db).take(FIVE_IN_A_QUARTER, key="ada")
    await db.close()


async def read_then_write(tx: WriteTx, *, key: str, burst: int, interval: timedelta) -> bool:
    """The control: the same rule, decided by the caller between a read and a write."""
    now = await tx.current_time()
    free_at = await tx.scalar(select(LimitRow.free_at).where(LimitRow.key == key)) or now
    await asyncio.sleep(0)
    if free_at > now + interval * (burst - 1):
        return False
    row = {"key": key, "free_at": max(free_at, now) + interval}
    await tx.upsert(LimitRow, [row], key=("key",), update=("free_at",))
    return True


async def rush(db: Database, count_attempt: Callable[..., Any], *, callers: int, burst: int) -> int:
    """Let many callers try at once, over several connections, and return how many were admitted."""

    async def attempt() -> bool:
        async with db.write() as tx:
            admitted: bool = await count_attempt(tx, key="rush", burst=burst, interval=timedelta(hours=1))
            return admitted

    return sum(await asyncio.gather(*(attempt() for _ in range(callers))))


@pytest.mark.usefixtures("patience")
async def test_concurrent_attempts_are_admitted_exactly_up_to_the_limit(db: Database, dose: Dose) -> None:
    admitted = await rush(db, rate_limits.count_attempt, callers=dose(small=200, full=2_000), burst=20)

    assert admitted == 20
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(LimitRow)) == 1


async def test_limiter_admits_concurrent_attempts_exactly_up_to_the_limit(
    limiter: RateLimiter,
) -> None:
    waits = await asyncio.gather(*(limiter.take(FIVE_IN_A_QUARTER, key="rush") for _ in range(60)))

    assert waits.count(0) == 5


@pytest.mark.parametrize("dialect", ["postgres"])
@pytest.mark.usefixtures("patience")
async def test_control_reading_before_writing_admits_too_many(db: Database) -> None:
    assert await rush(db, read_then_write, callers=200, burst=20) > 20


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_control_reading_in_another_transaction_admits_too_many(db: Database) -> None:
    """SQLite has one writer, so the control must read before it takes its turn, as a careless service would."""

    async def attempt() -> bool:
        async with db.read() as tx:
            free_at = await tx.scalar(select(LimitRow.free_at)) or await tx.current_time()
            is_free = free_at <= await tx.current_time() + timedelta(hours=19)
        async with db.write() as writing:
            await rate_limits.count_attempt(writing, key="rush", burst=1_000_000, interval=timedelta(hours=1))
        return is_free

    assert sum(await asyncio.gather(*(attempt() for _ in range(200)))) > 20
