"""Rushes for one time: the requests, their outcomes, and whether a time was taken twice."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from fairground.modules.booking.time.store.allocations import PERSON
from fairground.modules.booking.time.tables import ALLOCATION_GUARD, AllocationRow
from fairground.platform.db.database import Database
from fairground.platform.db.dialect import open_backend

# Lengths and starts, in minutes from the contested instant: equal times, and unequal ones that all contain it.
EQUAL: Final = ((60, 0),)
UNEQUAL: Final = ((30, 0), (60, 0), (60, -30), (90, -60), (90, -30), (120, -60))


@dataclass
class Rush:
    """The outcomes of concurrent requests."""

    won: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """How many were refused, by the name of the error."""
    slowest_seconds: float = 0.0

    def add(self, other: "Rush") -> None:
        self.won += other.won
        self.refused += other.refused
        self.slowest_seconds = max(self.slowest_seconds, other.slowest_seconds)


async def rush(calls: Iterable[Awaitable[object]]) -> Rush:
    """Make all the calls at once."""
    outcome = Rush()

    async def make(call: Awaitable[object]) -> None:
        started = time.perf_counter()
        try:
            await call
            outcome.won += 1
        except Exception as error:  # noqa: BLE001 - every kind of refusal is counted, and judged by the caller
            outcome.refused[type(error).__name__] += 1
        outcome.slowest_seconds = max(outcome.slowest_seconds, time.perf_counter() - started)

    await asyncio.gather(*(make(call) for call in calls))
    return outcome


async def count_double_bookings(db: Database) -> int:
    """Return how many pairs of live allocations of one provider overlap."""
    table = AllocationRow.__tablename__
    live = "IN ('held', 'confirmed')"
    async with db.read() as tx:
        count: int = await tx.scalar(
            text(
                f"SELECT count(*) FROM {table} a JOIN {table} b ON a.resource_id = b.resource_id AND a.id < b.id"
                f" AND a.unit = {PERSON} AND b.unit = {PERSON} AND a.state {live} AND b.state {live}"
                " AND a.blocked_from < b.blocked_until AND b.blocked_from < a.blocked_until"
            )
        )
    return count


def drop_guard(url: str) -> None:
    """Drop the guard of a test database, as an operator could by hand."""
    engine = open_backend(url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        ALLOCATION_GUARD.drop(connection)
    engine.dispose()
