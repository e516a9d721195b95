"""Why SQLite is used as it is: commits shared by a group, and long reads that leave the loop (ADR-0002)."""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Integer, Text, column, func, insert, select, table, text

from benchmarks.measuring import ROUNDS, Meter, Rounds
from benchmarks.results import Recorder
from fairground.platform.db.database import Database
from tests.support.outbox import RecordingOutbox

pytestmark = pytest.mark.anyio

SECTION = "Transactions on SQLite"
WRITES = 400
READS = 400
SCAN_ROWS = 400_000

note = table("note", column("id", Integer), column("body", Text))


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bench.db'}", outbox=RecordingOutbox())
    engine = database.backend.migration_engine()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)"))
        connection.execute(insert(note), [{"body": f"note {number}"} for number in range(SCAN_ROWS)])
    engine.dispose()
    yield database
    await database.close()


Work = Callable[[], Awaitable[object]]


async def compare(works: Mapping[str, Work], *, units: int) -> Rounds:
    """Measure works of this process, which is all of SQLite too."""
    rounds = Rounds()
    for name in rounds.turns(*works):
        meter = Meter(os.getpid())
        await works[name]()
        rounds.add(name, meter.cost(units=units))
    return rounds


async def write(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(insert(note).values(body="x"))


async def test_commits_of_a_rush_are_shared(db: Database, record: Recorder) -> None:
    async def one_by_one() -> None:
        for _ in range(WRITES):
            await write(db)

    async def in_a_rush() -> None:
        await asyncio.gather(*(write(db) for _ in range(WRITES)))

    rounds = await compare({"ours": in_a_rush, "theirs": one_by_one}, units=WRITES)
    record.compare(SECTION, f"a write among {WRITES} at once", "one after the other", rounds, unit="write")


async def longest_stall(work: Work) -> float:
    """Return the longest time, in seconds, for which `work` blocked the event loop."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - before)

    ticking = asyncio.ensure_future(tick())
    await asyncio.sleep(0)
    await work()
    ticking.cancel()
    return longest


async def test_a_scan_leaves_the_loop(db: Database, record: Recorder) -> None:
    scan = select(func.count()).where(note.c.body.like("%9999%"))

    async def by_a_reader() -> None:
        async with db.read() as tx:
            await tx.scalar(scan)

    async def on_the_loop() -> None:
        async with db.write() as tx:
            await tx.scalar(scan)

    stalls = [(await longest_stall(on_the_loop), await longest_stall(by_a_reader)) for _ in range(ROUNDS)]
    ratio = statistics.median(on_loop / by_reader for on_loop, by_reader in stalls)
    record.note(SECTION, "longest stall by a scan on the event loop against one by a reader", ratio, "×")


async def test_what_a_reader_costs_a_small_read(db: Database, record: Recorder) -> None:
    small = select(note.c.body).where(note.c.id == 77)

    async def by_a_reader() -> None:
        for _ in range(READS):
            async with db.read() as tx:
                await tx.scalar(small)

    async def on_the_loop() -> None:
        async with db.write() as tx:
            for _ in range(READS):
                await tx.scalar(small)

    rounds = await compare({"ours": by_a_reader, "theirs": on_the_loop}, units=READS)
    record.compare(SECTION, "a small read by a reader", "the same in an open transaction", rounds, unit="read")
