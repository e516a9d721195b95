"""Orphans: stored objects that nothing refers to, which are removed when they are old enough."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

import structlog

from fairground.kernel.errors import Unavailable
from fairground.kernel.messages import Job
from fairground.kernel.zones import Clock
from fairground.platform.module import Referrer
from fairground.platform.storage.keys import Retention
from fairground.platform.storage.store import Store, StoredObject

log = structlog.get_logger()

_BATCH: Final = 500
_FAILURES_MAX: Final = 10  # of single objects; more mean that the store is down, and each failure takes seconds
# Far longer than writing a file takes, and short enough that a folder does not fill up.
_WRITING: Final = timedelta(hours=1)


class CollectOrphans(Job):
    """Remove stored objects that nothing refers to, and uploads that were never completed."""

    topic: ClassVar = "storage.collect_orphans.v1"


@dataclass(frozen=True, slots=True)
class CollectionResult:
    """What a collection removed."""

    objects: int
    size_bytes: int
    unfinished: int
    """Files of writers that died."""


class OrphanCollector:
    """Checks the age first and then the referrers; putting an object once more makes it new again.

    Without a referrer it is unknown which originals and derivatives are needed, so only uploads are checked.
    """

    def __init__(
        self,
        store: Store,
        *,
        referrers: Sequence[Referrer],
        grace_of: Callable[[Retention], timedelta],
        clock: Clock,
    ) -> None:
        self._store = store
        self._referrers = referrers
        self._grace_of = grace_of
        self._clock = clock

    async def find_orphans(self) -> AsyncIterator[StoredObject]:
        """List what `collect` would remove now, without touching it."""
        for retention in self._collected_classes:
            async for orphan in self._orphans_of(retention, stored_before=self._old_before(retention)):
                yield orphan

    async def collect(self) -> CollectionResult:
        """Remove orphans, and unfinished files of writers that died. It may be repeated after a failure.

        Raises:
            Unavailable: The store refuses one object after another, or does not answer.
        """
        objects = size_bytes = failures = 0
        for retention in self._collected_classes:
            stored_before = self._old_before(retention)
            async for orphan in self._orphans_of(retention, stored_before=stored_before):
                try:
                    is_gone = await self._store.discard(orphan.key, stored_before=stored_before)
                except Unavailable:
                    # One object that cannot be removed must not stop the collection of all others, for ever.
                    log.exception("storage.not_collected", key=orphan.key)
                    failures += 1
                    if failures == _FAILURES_MAX:
                        raise
                    continue
                if is_gone:
                    objects, size_bytes = objects + 1, size_bytes + orphan.size_bytes
        unfinished = await self._store.drop_unfinished(begun_before=self._clock.now() - _WRITING)
        log.info("storage.collected", objects=objects, size_bytes=size_bytes, unfinished=unfinished)
        return CollectionResult(objects=objects, size_bytes=size_bytes, unfinished=unfinished)

    async def on_collect_orphans(self, _job: CollectOrphans) -> None:
        await self.collect()

    @property
    def _collected_classes(self) -> Sequence[Retention]:
        return list(Retention) if self._referrers else [Retention.UPLOAD]

    def _old_before(self, retention: Retention) -> datetime:
        return self._clock.now() - self._grace_of(retention)

    async def _orphans_of(self, retention: Retention, *, stored_before: datetime) -> AsyncIterator[StoredObject]:
        old: list[StoredObject] = []
        async for stored in self._store.list_objects(retention):
            if stored.stored_at < stored_before:
                old.append(stored)
            if len(old) == _BATCH:
                for orphan in await self._not_referred(old):
                    yield orphan
                old = []
        for orphan in await self._not_referred(old):
            yield orphan

    async def _not_referred(self, old: Sequence[StoredObject]) -> list[StoredObject]:
        keys = [stored.key for stored in old]
        referred: set[str] = set()
        for referrer in self._referrers if keys else ():
            referred.update(await referrer.find_referred(keys))
        return [stored for stored in old if stored.key not in referred]
