from datetime import timedelta

from sqlalchemy import func, select

from fairground.kernel.ids import uuid7
from fairground.platform import shared_tables
from fairground.platform.db.common.tables import IdempotencyRow, LimitRow
from fairground.platform.db.database import Database
from fairground.platform.shared_tables import DeleteExpiredRows


async def count_rows(db: Database) -> tuple[int, int]:
    async with db.read() as tx:
        requests = await tx.scalar(select(func.count()).select_from(IdempotencyRow))
        limits = await tx.scalar(select(func.count()).select_from(LimitRow))
    return requests, limits


async def test_expired_keys_and_limits_are_deleted_every_hour_and_live_ones_stay(db: Database) -> None:
    module = shared_tables.build_common(db)
    (schedule,) = module.schedules
    assert (schedule.job, schedule.every) == (DeleteExpiredRows(), timedelta(hours=1))
    async with db.write() as tx:
        now = await tx.current_time()
        requests = [
            {
                "actor_id": uuid7(),
                "key": "k",
                "request_hash": "h",
                "claim_id": uuid7(),
                "state": "answered",
                "started_at": now - age,
                "status": 200,
                "body": b"{}",
            }
            for age in (timedelta(hours=25), timedelta(hours=23))
        ]
        await tx.insert_many(IdempotencyRow, requests)
        ahead = [{"key": f"k{minutes}", "free_at": now + timedelta(minutes=minutes)} for minutes in (-5, 5)]
        await tx.insert_many(LimitRow, ahead)
    await module.handlers[DeleteExpiredRows](DeleteExpiredRows())
    assert await count_rows(db) == (1, 1)
