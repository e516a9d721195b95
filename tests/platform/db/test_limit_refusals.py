"""Refused attempts are counted by limit and key, stored now and then, and deleted after seven days."""

from datetime import timedelta

from fairground.platform.db.common import limit_refusals
from fairground.platform.db.common.limit_refusals import STORED_EVERY_SECONDS, RefusalCounter
from fairground.platform.db.common.rate_limits import Limit, RateLimiter
from fairground.platform.db.database import Database

ONE_A_MINUTE = Limit("sign_in", burst=1, interval=timedelta(minutes=1))


async def stored(db: Database) -> list[tuple[str, int]]:
    async with db.read() as tx:
        return [(each.name, each.refusals) for each in await limit_refusals.list_refusals(tx, limit=10)]


async def test_refused_attempt_is_counted_and_an_admitted_one_is_not(db: Database) -> None:
    limiter = RateLimiter(db)
    assert await limiter.take(ONE_A_MINUTE, key="ada@example.org") == 0
    assert await stored(db) == []
    assert await limiter.take(ONE_A_MINUTE, key="ada@example.org") > 0
    assert await stored(db) == [("sign_in", 1)]
    [measured] = limiter.refusals.measure()
    assert measured.counts == [(("sign_in",), 1.0)]


async def test_flood_of_refusals_is_stored_once_in_ten_seconds_and_whole(db: Database) -> None:
    seconds = 0.0
    counter = RefusalCounter(db, now=lambda: seconds)
    for _ in range(50):
        await counter.add("sign_in", key="198.51.100.7")
    assert await stored(db) == [("sign_in", 1)]
    seconds = STORED_EVERY_SECONDS
    await counter.add("sign_in", key="198.51.100.7")
    assert await stored(db) == [("sign_in", 51)]


async def test_keys_have_hashes_without_being_stored(db: Database) -> None:
    counter = RefusalCounter(db)
    for key in ("ada@example.org", "ben@example.org"):
        await counter.add("sign_in", key=key)
    async with db.read() as tx:
        found = await limit_refusals.list_refusals(tx, limit=10)
        sums = await limit_refusals.sum_refusals(tx, most=10)
    assert len({each.key_hash for each in found}) == 2
    assert not any("@" in each.key_hash for each in found)
    assert sums == {"sign_in": (2, 2)}


async def test_refusals_are_deleted_after_seven_days(db: Database) -> None:
    await RefusalCounter(db).add("sign_in", key="ada@example.org")
    async with db.write() as tx:
        assert await limit_refusals.drop_old(tx) == 0
    db.clock_shift += limit_refusals.KEPT_FOR + timedelta(minutes=1)
    async with db.write() as tx:
        assert await limit_refusals.drop_old(tx) == 1
