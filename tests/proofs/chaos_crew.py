"""Worker processes that are killed, frozen and started again while they work."""

import asyncio
import os
import signal
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from fairground.platform.db.database import Database
from fairground.platform.jobs.tables import JobRow
from tests.proofs import chaos_worker
from tests.support import processes

UNFINISHED: Final = ("ready", "running")


class Crew:
    """So many worker processes on one database."""

    def __init__(self, db: Database, *, url: str, size: int, folder: Path, has_fence: bool = True) -> None:
        self.kills = 0
        self.freezes = 0
        self._db = db
        self._log = folder / "crew.log"
        self._arguments = {"url": url, "has_fence": has_fence, "log": self._log}
        self._workers = [self._spawn() for _ in range(size)]
        self._next = 0

    async def kill_one(self) -> None:
        """Kill a worker in the middle of its work, and start another one."""
        worker = await self._busy_worker()
        worker.kill()
        worker.join()
        self.kills += 1
        self.replace_the_dead()

    async def freeze_one(self) -> None:
        """Stop a worker in the middle of its work until its jobs have been taken over, and let it go on then."""
        worker = await self._busy_worker()
        pid = worker.pid or 0
        os.kill(pid, signal.SIGSTOP)
        self.freezes += 1
        try:
            async with asyncio.timeout(30):
                while await self._jobs_of(worker):
                    await asyncio.sleep(0.1)
                await asyncio.sleep(0.7)  # for another worker to end one of them
        finally:
            os.kill(pid, signal.SIGCONT)

    def replace_the_dead(self) -> int:
        """Start another worker for each that has ended, and return how many those were."""
        dead = [place for place, worker in enumerate(self._workers) if worker.exitcode is not None]
        for place in dead:
            self._workers[place] = self._spawn()
        return len(dead)

    async def until_all_have_ended(self, *, seconds: float) -> None:
        """Wait for the last job, starting workers again that end before it."""
        async with asyncio.timeout(seconds):
            while await self.count_unfinished():
                self.replace_the_dead()
                await asyncio.sleep(0.1)

    def stop(self) -> list[int | None]:
        """Ask all workers to stop, and return their exit codes; None for one that did not."""
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.join(timeout=30)
        return [worker.exitcode for worker in self._workers]

    def close(self) -> None:
        """Leave no process behind, whatever happened."""
        for worker in self._workers:
            worker.kill()
            worker.join()

    def count_in_log(self, line: str) -> int:
        return self._log.read_text().splitlines().count(line)

    async def count_unfinished(self) -> int:
        async with self._db.read() as tx:
            return int(await tx.scalar(select(func.count()).where(JobRow.state.in_(UNFINISHED))))

    async def _busy_worker(self) -> ForkServerProcess:
        """Return the next worker that has jobs; there must be unfinished ones."""
        async with asyncio.timeout(60):
            while True:
                self._next += 1
                worker = self._workers[self._next % len(self._workers)]
                if await self._jobs_of(worker):
                    return worker
                await asyncio.sleep(0.05)

    async def _jobs_of(self, worker: ForkServerProcess) -> int:
        is_his = JobRow.worker.like(f"%:{worker.pid}")
        async with self._db.read() as tx:
            return int(await tx.scalar(select(func.count()).where(JobRow.state == "running", is_his)))

    def _spawn(self) -> ForkServerProcess:
        return processes.start(chaos_worker.run, **self._arguments)
