"""The response cache: serves from memory, from the shared level, or from one computation for all equal requests."""

import math
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from fairground.platform.cache.entry import Entry
from fairground.platform.cache.filler import FAILED, Compute, Filler, FillResult
from fairground.platform.cache.invalidation import LocalTags, TagState
from fairground.platform.cache.memory import MemoryEntry, MemoryLevel
from fairground.platform.cache.policy import CacheRequest, ComputedResponse
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.shared_level import SharedLevel
from fairground.platform.cache.single_flight import SingleFlight
from fairground.platform.cache.stats import CacheStats
from fairground.platform.ttl_map import TTLMap

TRUSTED_SECONDS: Final = 2.0  # how long a copy of an entry of the shared level is served from memory
FAILURE_SECONDS: Final = 1.5  # pause between a failed computation and the next attempt
FAILURES_MAX: Final = 2_000
_EARLY_SHARES: Final = 20.0  # -ln(random()) exceeds it once in 500 million hits


log = structlog.get_logger()


class CacheStatus(StrEnum):
    """The value of X-Cache."""

    HIT = "HIT"
    MISS = "MISS"
    STALE = "STALE"
    BYPASS = "BYPASS"


@dataclass(frozen=True, slots=True)
class CacheResult:
    """The answer to a request: an entry, a response that is not stored, or neither if computing failed."""

    status: CacheStatus
    entry: Entry | None = None
    response: ComputedResponse | None = None
    is_collapsed: bool = False
    """Whether the request waited for another request's computation."""
    is_error: bool = False
    """Whether the entry is an old one because no new response could be computed."""


class ResponseCache:
    """Stores responses where that is safe.

    A process without neighbours keeps an entry in memory until it expires. With a shared level it keeps copies for two
    seconds. With other processes and no shared level it stores nothing, because their invalidations do not reach it;
    only single-flight works then.
    """

    def __init__(
        self,
        settings: CacheSettings,
        *,
        tags: LocalTags,
        stats: CacheStats,
        level: SharedLevel | None,
        is_alone: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`is_alone`: every change of what this process serves is made by it, or by a job that it runs."""
        self.settings = settings
        self.stats = stats
        self.tags = tags
        self.now = now
        self.memory = MemoryLevel(most_bytes=settings.memory_bytes)
        self.level = level
        self._has_memory = is_alone or level is not None
        self._single_flight: SingleFlight[FillResult] = SingleFlight()
        self._filler = Filler(settings, level=level, stats=self.stats, now=now)
        self._failures: TTLMap[FillResult] = TTLMap(most=FAILURES_MAX, now=now)
        if level is not None:
            level.listen(self.tags)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve while the block runs; outside of it `is_running` is False, and every request bypasses the cache."""
        async with AsyncExitStack() as ends:
            if self.level is not None:
                await ends.enter_async_context(self.level.running())
            await ends.enter_async_context(self._single_flight.running())
            # A server that repeats a prepared response asks for nothing but the state of the tags.
            ends.callback(self.tags.invalidate_all)
            yield

    @property
    def is_running(self) -> bool:
        return self._single_flight.is_running

    @property
    def is_storing(self) -> bool:
        """Whether this process stores responses, beside computing equal ones once."""
        return self.is_running and self._has_memory

    def find(self, request: CacheRequest, compute: Compute) -> CacheResult | None:
        """Return the result if memory has the entry, without waiting for anything."""
        stored = self.memory.get(request.key)
        if stored is None:
            return None
        now = self.now()
        if now >= stored.trusted_until or not self._is_valid(stored):
            return None
        return self._serve_entry(request, stored.entry, compute, now=now)

    def unchanged_seconds(self, request: CacheRequest) -> float | None:
        """Return for how long every hit of an entry is the same but for an invalidation; None without a fresh entry.

        That is until its Age changes, or a hit may refresh it.
        """
        stored, now = self.memory.get(request.key), self.now()
        if stored is None or not self.is_running or not self._is_valid(stored):
            return None
        entry = stored.entry
        until = min(
            entry.times.created_at + int(now - entry.times.created_at) + 1,
            entry.times.fresh_until - entry.compute_seconds * _EARLY_SHARES,
            stored.trusted_until,
        )
        return until - now if now < until else None

    async def get(self, request: CacheRequest, compute: Compute) -> CacheResult:
        """Return the result. Computes it if no level has the entry."""
        found = self.find(request, compute)
        if found is not None:
            return found
        state = self.tags.read(request.tags)
        computation = self._single_flight.find(request.key, state=state)
        is_collapsed = computation is not None
        if computation is None:
            failed = self._failures.find(request.key)
            if failed is not None:
                return self._serve_stale_if_error(request, failed)
            work = self._run_fill(request, compute, state=state)
            computation = self._single_flight.start(request.key, work, state=state)
        else:
            self.stats.collapsed[request.route] += 1
        try:
            filled = await computation.wait(timeout_seconds=self.settings.wait_seconds)
        except TimeoutError:
            filled = FAILED
        if filled.is_failure:
            return self._serve_stale_if_error(request, filled)
        if filled.is_from_shared_level and filled.entry is not None:
            result = self._serve_entry(request, filled.entry, compute, now=self.now())
            if result is not None:
                return result
        return CacheResult(CacheStatus.MISS, filled.entry, filled.response, is_collapsed=is_collapsed)

    def update_size(self, request: CacheRequest, entry: Entry) -> None:
        """Count the bytes of an entry again after a variant was added."""
        stored = self.memory.get(request.key)
        if stored is not None and stored.entry is entry:
            self.memory.update_size(stored)

    def _is_valid(self, stored: MemoryEntry) -> bool:
        """Return whether no tag of the entry was invalidated since it was computed or fetched."""
        if stored.checked_at_invalidations != self.tags.invalidations:
            if stored.state != self.tags.read(stored.tags):
                return False
            stored.checked_at_invalidations = self.tags.invalidations
        return True

    def _serve_entry(self, request: CacheRequest, entry: Entry, compute: Compute, *, now: float) -> CacheResult | None:
        """Return a hit or a stale result of a valid entry, refreshing it where that is due; None if it is too old."""
        if now >= entry.times.stale_until:
            return None
        if now >= entry.times.fresh_until:
            self._refresh(request, compute, known=entry, reason="stale")
            return CacheResult(CacheStatus.STALE, entry)
        if _is_due_early(entry, now=now):
            self._refresh(request, compute, known=entry, reason="early")
        return CacheResult(CacheStatus.HIT, entry)

    def _refresh(self, request: CacheRequest, compute: Compute, *, known: Entry, reason: str) -> None:
        """Start a computation in the background, unless one is in progress or has just failed."""
        state = self.tags.read(request.tags)
        if (
            not self.is_running
            or self._single_flight.find(request.key, state=state)
            or self._failures.find(request.key)
        ):
            return
        self.stats.refreshed[request.route, reason] += 1
        work = self._run_fill(request, compute, state=state, known=known)
        self._single_flight.start(request.key, work, state=state)

    async def _run_fill(
        self, request: CacheRequest, compute: Compute, *, state: TagState, known: Entry | None = None
    ) -> FillResult:
        try:
            filled = await self._filler.fill(request, compute, known=known)
        except Exception:
            # A bug in one computation must not end the task group of all computations, and with it the server.
            log.exception("cache.flight_failed", route=request.route)
            return FAILED
        if filled.is_failure:
            self._failures.put(request.key, filled, seconds=FAILURE_SECONDS)
        elif filled.entry is not None and filled.entry is not known:
            self._store_in_memory(request, filled.entry, state=state)
        return filled

    def _store_in_memory(self, request: CacheRequest, entry: Entry, *, state: TagState) -> None:
        # An entry that was invalidated while it was computed must not replace a newer one.
        if not self._has_memory or self.tags.read(request.tags) != state:
            return
        trusted_until = math.inf if self.level is None else self.now() + TRUSTED_SECONDS
        self.memory.put(
            MemoryEntry(key=request.key, entry=entry, tags=request.tags, state=state, trusted_until=trusted_until)
        )

    def _serve_stale_if_error(self, request: CacheRequest, failed: FillResult) -> CacheResult:
        """Return an old entry, even an invalidated one, rather than the error (RFC 5861)."""
        stored = self.memory.get(request.key)
        entry = stored.entry if stored is not None else failed.stale_entry
        if entry is not None and self.now() < entry.times.stale_if_error_until:
            return CacheResult(CacheStatus.STALE, entry, is_error=True)
        return CacheResult(CacheStatus.MISS, response=failed.response)


def _is_due_early(entry: Entry, *, now: float) -> bool:
    """Decide at random whether this hit refreshes the entry: more likely near its end and after a slow computation.

    XFetch with β = 1 (Vattani et al., VLDB 2015): no request has to wait when a popular entry expires.
    """
    left = entry.times.fresh_until - now
    if left > entry.compute_seconds * _EARLY_SHARES:
        return False
    return left <= -entry.compute_seconds * math.log(1.0 - random.random())  # noqa: S311 - not a secret
