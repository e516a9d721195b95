"""Our worker with jobs that do nothing, in a process of its own, which prints the CPU that they took.

    python benchmarks/job_worker.py DATABASE_URL JOBS CONCURRENCY

It imports the program and nothing else, so that it runs in the environment of any checkout. The database has its
tables. After a warm-up all jobs are enqueued; it prints `ready`, waits for a line, and runs them until none is left.
"""

import asyncio
import json
import sys
import time
from typing import ClassVar, Final

import uvloop
from sqlalchemy import func, select

from fairground.kernel.messages import Job
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.tables import JobRow
from fairground.platform.jobs.worker import Worker

WARM_UP_JOBS: Final = 200
BATCH: Final = 500


class NoOperation(Job):
    topic: ClassVar = "benchmark.no_operation.v1"
    number: int


class Bench:
    """A database, and a worker that stops when it has run so many jobs."""

    def __init__(self, database_url: str, *, concurrency: int) -> None:
        routes = Routes()
        routes.add("benchmark", handlers={NoOperation: self._count})
        self._outbox = JobOutbox(routes)
        self._settings = JobSettings(concurrency=concurrency)
        self._db = Database(database_url, outbox=self._outbox)
        self._left = 0
        self._worker: Worker | None = None

    async def _count(self, _job: NoOperation) -> None:
        self._left -= 1
        if self._left == 0 and self._worker is not None:
            self._worker.stop()

    async def enqueue(self, count: int) -> None:
        for start in range(0, count, BATCH):
            async with self._db.write() as tx:
                for number in range(start, min(start + BATCH, count)):
                    await tx.enqueue(NoOperation(number=number))
        self._left = count

    async def run(self) -> None:
        """Run all jobs, and check that the end of each is stored."""
        self._worker = Worker(db=self._db, outbox=self._outbox, schedules=[], settings=self._settings)
        await self._worker.run()
        is_ours = JobRow.kind == f"benchmark:{NoOperation.topic}"
        async with self._db.read() as tx:
            unfinished = await tx.scalar(select(func.count()).where(is_ours, JobRow.state != "done"))
        if unfinished:
            raise SystemExit(f"{unfinished} jobs did not end.")

    async def close(self) -> None:
        await self._db.close()


async def main(database_url: str, jobs: int, concurrency: int) -> None:
    bench = Bench(database_url, concurrency=concurrency)
    await bench.enqueue(WARM_UP_JOBS)
    await bench.run()
    await bench.enqueue(jobs)
    print("ready", flush=True)
    sys.stdin.readline()
    began_at, used = time.perf_counter(), time.process_time()
    await bench.run()
    cpu_seconds, seconds = time.process_time() - used, time.perf_counter() - began_at
    print(json.dumps({"cpu_seconds": cpu_seconds, "seconds": seconds}), flush=True)
    # The caller reads the CPU of the database before our connections end.
    await asyncio.to_thread(sys.stdin.readline)
    await bench.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
