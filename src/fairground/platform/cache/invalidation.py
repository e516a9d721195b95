"""Invalidation of tags: a job in the transaction of the change, applied right after its commit."""

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

APPLIED_MAX: Final = 10_000
_WAIT_MAX_SECONDS: Final = 600

log = structlog.get_logger()


class InvalidateTags(Job):
    """Invalidate what was computed before a change, where the process that made the change could not."""

    topic: ClassVar = "cache.invalidate_tags.v1"
    max_attempts: ClassVar = 1_000  # ten minutes apart: a week without a shared level
    invalidation_id: UUID
    tags: list[str]


class Invalidation:
    """Invalidates the tags that transactions name, in this process and in the shared level."""

    def __init__(self, tags: LocalTags, *, level: SharedLevel | None, stats: CacheStats) -> None:
        self._tags = tags
        self._level = level
        self._stats = stats
        self._applied: OrderedDict[UUID, None] = OrderedDict()

    async def enqueue(self, tx: WriteTx, tags: Collection[str]) -> InvalidateTags:
        """Enqueue the invalidation, so that it happens even if this process dies right after the commit."""
        job = InvalidateTags(invalidation_id=uuid7(), tags=sorted(tags))
        await tx.enqueue(job)
        return job

    async def apply(self, job: InvalidateTags) -> None:
        """Invalidate the tags of a job whose transaction has committed; if the shared level fails, the job retries."""
        try:
            await self._invalidate(job.tags)
        except LevelUnavailable:
            log.info("cache.invalidation_postponed", tags=len(job.tags))
            return
        self._applied[job.invalidation_id] = None
        if len(self._applied) > APPLIED_MAX:
            self._applied.popitem(last=False)

    async def on_invalidate_tags(self, job: InvalidateTags) -> None:
        """Invalidate tags that the process of the change may not have invalidated; twice does no harm.

        Raises:
            Retry: The shared level cannot be used.
        """
        if job.invalidation_id in self._applied:
            return
        try:
            await self._invalidate(job.tags)
        except LevelUnavailable:
            running = current_job()
            seconds = min(_WAIT_MAX_SECONDS, 2 ** min(running.attempt if running else 1, 10))
            reason = "The shared level of the cache cannot be used."
            raise Retry(reason, after=timedelta(seconds=seconds)) from None

    async def _invalidate(self, tags: Collection[str]) -> None:
        self._stats.renewed_tags += len(tags)
        try:
            if self._level is not None:
                await self._level.invalidate_tags(tags)
        finally:
            # Last: what is fetched from the shared level from now on is current, or is invalidated here.
            self._tags.invalidate(tags)
