"""pgqueuer's worker with jobs that do nothing: the counterpart of `benchmarks.job_worker`, in its own environment.

It runs as its own command does: on uvloop, with one asyncpg connection, and otherwise its defaults. Its batch is the
number of jobs that it claims, and whose ends it stores, by one statement.
"""

import asyncio
import json
import sys
import time

import asyncpg  # type: ignore[import-not-found]  # we do not depend on it
import uvloop
from pgqueuer import PgQueuer  # type: ignore[import-not-found]
from pgqueuer.types import QueueExecutionMode  # type: ignore[import-not-found]

WARM_UP_JOBS = 200
BATCH = 500


async def enqueue(connection: asyncpg.Connection, count: int) -> None:
    queries = PgQueuer.from_asyncpg_connection(connection).qm.queries
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        await queries.enqueue(["no_operation"] * size, [None] * size, [0] * size)


async def run(connection: asyncpg.Connection, batch: int) -> int:
    """Run jobs until the queue is empty, and return how many ran."""
    program = PgQueuer.from_asyncpg_connection(connection)
    ran = 0

    async def no_operation(_job: object) -> None:
        nonlocal ran
        ran += 1

    program.entrypoint("no_operation")(no_operation)
    await program.qm.run(batch_size=batch, mode=QueueExecutionMode.drain)
    return ran


async def main(database_url: str, jobs: int, batch: int) -> None:
    connection = await asyncpg.connect(database_url)
    queries = PgQueuer.from_asyncpg_connection(connection).qm.queries
    await queries.install()
    await enqueue(connection, WARM_UP_JOBS)
    await run(connection, batch)
    await enqueue(connection, jobs)
    print("ready", flush=True)
    sys.stdin.readline()
    began_at, used = time.perf_counter(), time.process_time()
    ran = await run(connection, batch)
    cpu_seconds, seconds = time.process_time() - used, time.perf_counter() - began_at
    if ran != jobs:
        raise SystemExit(f"{ran} of {jobs} jobs ran.")
    print(json.dumps({"cpu_seconds": cpu_seconds, "seconds": seconds}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await connection.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
