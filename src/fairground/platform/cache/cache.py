"""The response cache: gives an answer from memory, from the shared level, or from one computation for all who ask."""

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
from fairground.platform.cache.filling import FAILED, Compute, Filled, Filler, Origin
from fairground.platform.cache.flights import Flights
from fairground.platform.cache.key import Wanted
from fairground.platform.cache.levels import SharedLevel
from fairground.platform.cache.memory import Kept, MemoryLevel
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.stats import CacheStats
from fairground.platform.cache.tags import LocalTags, State
from fairground.platform.ttl_map import TTLMap

TRUSTED_SECONDS: Final = 2.0  # a copy of what the shared level holds is believed for so long
FAILURE_SECONDS: Final = 1.5  # after a failed computation nobody tries again for so long
FAILURES_MAX: Final = 2_000
_EARLY_SHARES: Final = 20.0  # -ln(random()) exceeds it once in 500 million hits


log = structlog.get_logger()


class Serving(StrEnum):
    """What X-Cache says."""

    HIT = "HIT"
    MISS = "MISS"
    STALE = "STALE"
    BYPASS = "BYPASS"


@dataclass(frozen=True, slots=True)
class Served:
    """What a request gets: an entry, or the answer of the route that nobody else may be given."""

    filled: Filled
    how: Serving
    is_collapsed: bool = False
    """The request waited for the computation of another one."""
    is_error: bool = False
    """No new answer could be made, so that an old one is given."""


class ResponseCache:
    """Keeps answers where it may.

    In a process that is alone, memory keeps an answer as long as it lives. Beside a shared level it keeps copies for
    moments. With other processes and no shared level it keeps nothing, for nobody would hear of their changes; what
    remains is that requests for the same answer share one computation.
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
        """`is_alone`: no other process changes what this one answers, but by a job that this one does."""
        self.settings = settings
        self.stats = stats
        self.tags = tags
        self.now = now
        self.memory = MemoryLevel(most_bytes=settings.memory_bytes)
        self.level = level
        self._keeps = is_alone or level is not None
        self._flights: Flights[Filled] = Flights()
        self._filler = Filler(settings, level=level, stats=self.stats, now=now)
        self._failures: TTLMap[Filled] = TTLMap(most=FAILURES_MAX, now=now)
        if level is not None:
            level.listen(self.tags)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer while the block runs; outside of it `is_running` is False, and every request bypasses the cache."""
        async with AsyncExitStack() as ends:
            if self.level is not None:
                await ends.enter_async_context(self.level.running())
            await ends.enter_async_context(self._flights.running())
            yield

    @property
    def is_running(self) -> bool:
        return self._flights.is_running

    def find(self, wanted: Wanted, compute: Compute) -> Served | None:
        """Return the answer if memory has it, without waiting for anything."""
        kept = self.memory.get(wanted.key)
        if kept is None:
            return None
        now = self.now()
        if now >= kept.trusted_until or not self._holds(kept):
            return None
        return self._judge(wanted, Filled(entry=kept.entry, origin=Origin.KEPT), compute, now=now)

    async def answer(self, wanted: Wanted, compute: Compute) -> Served:
        """Return the answer, having it computed when nobody has it."""
        found = self.find(wanted, compute)
        if found is not None:
            return found
        state = self.tags.read(wanted.tags)
        flight = self._flights.find(wanted.key, state=state)
        is_collapsed = flight is not None
        if flight is None:
            failed = self._failures.find(wanted.key)
            if failed is not None:
                return self._serve_spare(wanted, failed)
            flight = self._flights.start(wanted.key, self._fly(wanted, compute, state=state), state=state)
        else:
            self.stats.collapsed[wanted.route] += 1
        try:
            filled = await flight.landing(timeout_seconds=self.settings.wait_seconds)
        except TimeoutError:
            filled = FAILED
        if filled.is_failure:
            return self._serve_spare(wanted, filled)
        if filled.origin is Origin.SHARED:
            served = self._judge(wanted, filled, compute, now=self.now())
            if served is not None:
                return served
        return Served(filled, Serving.MISS, is_collapsed=is_collapsed)

    def weigh(self, wanted: Wanted, entry: Entry) -> None:
        """Count the bytes of an entry anew that has been asked for in a further coding."""
        kept = self.memory.get(wanted.key)
        if kept is not None and kept.entry is entry:
            self.memory.weigh(kept)

    def _holds(self, kept: Kept) -> bool:
        """Return whether none of the entry's tags was renewed since it was computed or fetched."""
        if kept.checked_at_invalidations != self.tags.invalidations:
            if kept.state != self.tags.read(kept.tags):
                return False
            kept.checked_at_invalidations = self.tags.invalidations
        return True

    def _judge(self, wanted: Wanted, filled: Filled, compute: Compute, *, now: float) -> Served | None:
        """Return how an entry may be given that its tags allow; None when it is too old."""
        entry = filled.entry
        if entry is None or now >= entry.times.stale_until:
            return None
        if now >= entry.times.fresh_until:
            self._refresh(wanted, compute, known=entry, reason="stale")
            return Served(filled, Serving.STALE)
        if _is_due_early(entry, now=now):
            self._refresh(wanted, compute, known=entry, reason="early")
        return Served(filled, Serving.HIT)

    def _refresh(self, wanted: Wanted, compute: Compute, *, known: Entry, reason: str) -> None:
        """Have a new answer made in the background, unless somebody does so or has just failed to."""
        state = self.tags.read(wanted.tags)
        if not self.is_running or self._flights.find(wanted.key, state=state) or self._failures.find(wanted.key):
            return
        self.stats.refreshed[wanted.route, reason] += 1
        self._flights.start(wanted.key, self._fly(wanted, compute, state=state, known=known), state=state)

    async def _fly(self, wanted: Wanted, compute: Compute, *, state: State, known: Entry | None = None) -> Filled:
        try:
            filled = await self._filler.fill(wanted, compute, known=known)
        except Exception:
            # A mistake of ours in one flight must not end the group that all flights are in, and the server with it.
            log.exception("cache.flight_failed", route=wanted.route)
            return FAILED
        if filled.is_failure:
            self._failures.put(wanted.key, filled, seconds=FAILURE_SECONDS)
        elif filled.entry is not None and filled.entry is not known:
            self._keep(wanted, filled.entry, state=state)
        return filled

    def _keep(self, wanted: Wanted, entry: Entry, *, state: State) -> None:
        # What was renewed meanwhile must not push out what has been computed since.
        if not self._keeps or self.tags.read(wanted.tags) != state:
            return
        trusted_until = math.inf if self.level is None else self.now() + TRUSTED_SECONDS
        self.memory.put(Kept(key=wanted.key, entry=entry, tags=wanted.tags, state=state, trusted_until=trusted_until))

    def _serve_spare(self, wanted: Wanted, failed: Filled) -> Served:
        """Give an old answer, voided or not, rather than an error."""
        kept = self.memory.get(wanted.key)
        spare = kept.entry if kept is not None else failed.spare
        if spare is not None and self.now() < spare.times.dead_at:
            return Served(Filled(entry=spare, origin=Origin.KEPT), Serving.STALE, is_error=True)
        return Served(failed, Serving.MISS)


def _is_due_early(entry: Entry, *, now: float) -> bool:
    """Decide by lot whether this hit renews the entry: the likelier, the nearer its end and the longer it takes.

    XFetch with β = 1 (Vattani et al., VLDB 2015): nobody has to wait when a much-wanted answer ends.
    """
    left = entry.times.fresh_until - now
    if left > entry.compute_seconds * _EARLY_SHARES:
        return False
    return left <= -entry.compute_seconds * math.log(1.0 - random.random())  # noqa: S311 - not a secret
