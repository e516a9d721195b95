"""What the shared level may have missed: the renewals whose jobs are not done."""

import asyncio
from typing import Final
from uuid import UUID

from fairground.platform.db.database import Database
from fairground.platform.jobs import store

PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.1


class JobBacklog:
    """The `Backlog` of a level: the jobs of one kind, which workers do as soon as the level takes them."""

    def __init__(self, db: Database, *, kind: str) -> None:
        self._db = db
        self._kind = kind

    async def is_settled(self) -> bool:
        """Wait for what is unfinished now, not for what comes: under constant change there is always something."""
        missing = await self._find_unfinished()
        if missing:
            # During a long outage their retries are far apart.
            async with self._db.write() as tx:
                await store.prioritise(tx, job_ids=missing)
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while missing and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_PAUSE_SECONDS)
            missing &= await self._find_unfinished()
        return not missing

    async def _find_unfinished(self) -> set[UUID]:
        async with self._db.read() as tx:
            return await store.find_unfinished(tx, kind=self._kind)
