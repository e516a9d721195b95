"""Invalidation that is not lost: written down with the change, made after its commit, and made up for by a job."""

from collections import OrderedDict
from collections.abc import Collection
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

import structlog

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job
from fairground.platform.cache.levels import LevelUnavailable, SharedLevel
from fairground.platform.cache.stats import CacheStats
from fairground.platform.cache.tags import LocalTags
from fairground.platform.db.database import WriteTx
from fairground.platform.jobs.lifecycle import Retry, current_job

MADE_MAX: Final = 10_000
_WAIT_MAX_SECONDS: Final = 600

log = structlog.get_logger()


class RenewTags(Job):
    """Void what was computed before a change. Only needed where the process that made the change did not do so."""

    topic: ClassVar = "cache.renew_tags.v1"
    max_attempts: ClassVar = 1_000  # ten minutes apart: a week without a shared level
    renewal_id: UUID
    tags: list[str]


class Invalidation:
    """Renews the tags that transactions touch, in this process and in the shared level."""

    def __init__(self, tags: LocalTags, *, level: SharedLevel | None, stats: CacheStats) -> None:
        self._tags = tags
        self._level = level
        self._stats = stats
        self._made: OrderedDict[UUID, None] = OrderedDict()

    async def write_down(self, tx: WriteTx, tags: Collection[str]) -> RenewTags:
        """Write the renewal into the transaction, so that it happens even if this process dies right after it."""
        job = RenewTags(renewal_id=uuid7(), tags=sorted(tags))
        await tx.enqueue(job)
        return job

    async def renew(self, job: RenewTags) -> None:
        """Make a renewal whose transaction has committed, as far as it can be made now; the job does the rest."""
        try:
            await self._renew(job.tags)
        except LevelUnavailable:
            log.info("cache.renewal_put_off", tags=len(job.tags))
            return
        self._made[job.renewal_id] = None
        if len(self._made) > MADE_MAX:
            self._made.popitem(last=False)

    async def on_renew_tags(self, job: RenewTags) -> None:
        """Make a renewal that its own process may not have made; twice does no harm.

        Raises:
            Retry: The shared level cannot be used.
        """
        if job.renewal_id in self._made:
            return
        try:
            await self._renew(job.tags)
        except LevelUnavailable:
            running = current_job()
            seconds = min(_WAIT_MAX_SECONDS, 2 ** min(running.attempt if running else 1, 10))
            reason = "The shared level of the cache cannot be used."
            raise Retry(reason, after=timedelta(seconds=seconds)) from None

    async def _renew(self, tags: Collection[str]) -> None:
        self._stats.renewed_tags += len(tags)
        try:
            if self._level is not None:
                await self._level.renew_tags(tags)
        finally:
            # Last: what is fetched from the shared level from now on is new, or voided here.
            self._tags.renew(tags)
