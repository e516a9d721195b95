"""Invalidation: the versions of tags in this process, and the job that invalidates tags after a transaction.

Invalidating a tag makes every entry stale that was computed under an older version of it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

import structlog

from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job
from fairground.platform.cache.shared_level import LevelUnavailable, SharedLevel
from fairground.platform.cache.stats import CacheStats
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.jobs import store
from fairground.platform.jobs.lifecycle import Retry, current_job

TAGS_MAX: Final = 200_000  # some 30 MB; beyond that all tags are invalidated once, and their versions are dropped
APPLIED_MAX: Final = 10_000
BACKLOG_WAIT_SECONDS: Final = 5.0
_RETRY_MAX_SECONDS: Final = 600
_POLL_SECONDS: Final = 0.1

TagState = tuple[int, ...]

log = structlog.get_logger()


class LocalTags:
    """The version of every tag as this process knows it. Reading is cheap, so every hit of the memory level checks it.

    A state is read before the response is computed, and stored with it: a computation that began before an
    invalidation stores its entry under a state that no later request has.
    """

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._epoch = 0
        self.invalidations = 0
        """Grows with every invalidation; while it is unchanged no state has changed."""

    def read(self, tags: Sequence[str]) -> TagState:
        versions = self._versions
        return (self._epoch, *(versions.get(tag, 0) for tag in tags))

    def invalidate(self, tags: Collection[str]) -> None:
        self.invalidations += 1
        for tag in tags:
            self._versions[tag] = self.invalidations
        if len(self._versions) > TAGS_MAX:
            self._versions.clear()
            self._epoch = self.invalidations

    def invalidate_all(self) -> None:
        self.invalidations += 1
        self._versions.clear()
        self._epoch = self.invalidations

    # The following methods make it a `TagListener` of the shared level.

    def tags_invalidated(self, tags: Collection[str]) -> None:
        self.invalidate(tags)

    def disconnected(self) -> None:
        self.invalidate_all()

    def connected(self) -> None:
        self.invalidate_all()


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
            seconds = min(_RETRY_MAX_SECONDS, 2 ** min(running.attempt if running else 1, 10))
            reason = "The shared level of the cache cannot be used."
            raise Retry(reason, after=timedelta(seconds=seconds)) from None

    async def _invalidate(self, tags: Collection[str]) -> None:
        self._stats.invalidated_tags += len(tags)
        try:
            if self._level is not None:
                await self._level.invalidate_tags(tags)
        finally:
            # Last: an entry that is fetched from the shared level from now on is current, or is invalidated here.
            self._tags.invalidate(tags)


class JobBacklog:
    """The `Backlog` of a shared level: the unfinished jobs of one kind, which workers run once the level takes them."""

    def __init__(self, db: Database, *, kind: str) -> None:
        self._db = db
        self._kind = kind

    async def is_applied(self) -> bool:
        """Wait for the jobs that are unfinished now, but not for later ones: frequent changes always add some."""
        missing = await self._find_unfinished()
        if missing:
            # During a long outage their retries are far apart.
            async with self._db.write() as tx:
                await store.prioritise(tx, job_ids=missing)
        deadline = asyncio.get_running_loop().time() + BACKLOG_WAIT_SECONDS
        while missing and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            missing &= await self._find_unfinished()
        return not missing

    async def _find_unfinished(self) -> set[UUID]:
        async with self._db.read() as tx:
            return await store.find_unfinished(tx, kind=self._kind)
