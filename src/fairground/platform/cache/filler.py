"""Fills the cache: fetches an entry from the shared level, waits for another process to compute it, or computes it."""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog

from fairground.platform.cache.entry import (
    STORED_FIELDS,
    Entry,
    Times,
    from_fields,
    make_entry,
    make_times,
    to_fields,
)
from fairground.platform.cache.policy import CacheRequest, ComputedResponse
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.shared_level import (
    LEASE_SECONDS,
    Lease,
    LeaseWaiter,
    LevelUnavailable,
    LookupReply,
    SharedLevel,
    held_lease,
    retry_once,
)
from fairground.platform.cache.stats import CacheStats

COMPUTE_SECONDS: Final = 60.0  # after which a computation is given up as hung
LOOK_AGAIN_SECONDS: Final = (0.3, 0.6)  # between look-ups while waiting, because the release message can be lost
_APART_SHARE: Final = 0.05  # 15 to 30 ms

Compute = Callable[[CacheRequest], Awaitable[ComputedResponse]]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FillResult:
    """An entry for all requests; or a response for the waiting requests alone; or neither, if computing failed."""

    entry: Entry | None = None
    response: ComputedResponse | None = None
    stale_entry: Entry | None = None
    """An invalidated or old entry of the shared level, to be served if the computation failed."""
    is_from_shared_level: bool = False

    @property
    def is_failure(self) -> bool:
        if self.response is None:
            return self.entry is None
        return self.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR


FAILED: Final = FillResult()


class Filler:
    """Obtains entries. Each call of `fill` is one single-flight computation."""

    def __init__(
        self, settings: CacheSettings, *, level: SharedLevel | None, stats: CacheStats, now: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._level = level
        self._stats = stats
        self._now = now
        self._bulkhead = asyncio.Semaphore(settings.computations_max)

    async def fill(self, request: CacheRequest, compute: Compute, *, known: Entry | None) -> FillResult:
        """Return an entry or a response. Never raises.

        Args:
            known: The entry to replace; returned if another process is already replacing it.
        """
        if self._level is None:
            return await self._compute(request, compute, tokens=())
        try:
            return await self._fill_shared(self._level, request, compute, known=known)
        except LevelUnavailable:
            self._stats.shared_failures += 1
            return await self._compute(request, compute, tokens=())

    async def _fill_shared(
        self, level: SharedLevel, request: CacheRequest, compute: Compute, *, known: Entry | None
    ) -> FillResult:
        owner = secrets.token_hex(8)
        async with level.lease_waiter(request.key) as waiter:
            attempt = await retry_once(lambda: self._claim(level, request, owner=owner, known=known, force=False))
            if attempt.needs_force:
                attempt = await retry_once(lambda: self._claim(level, request, owner=owner, known=known, force=True))
            if not attempt.is_ours:
                if attempt.lookup.entry is not None:
                    return FillResult(attempt.lookup.entry, is_from_shared_level=True)
                if known is not None:
                    return FillResult(known)
                attempt = await self._wait(level, request, waiter, attempt, owner=owner)
                if not attempt.is_ours:
                    return FillResult(attempt.lookup.entry)
        async with held_lease(level, request.key, owner=owner) as lease:
            # The last owner may have stored the entry between our look-up and our claim.
            if attempt.lookup.entry is not None:
                return FillResult(attempt.lookup.entry, is_from_shared_level=True)
            filled = await self._compute(
                request, compute, tokens=attempt.lookup.tokens, stale_entry=attempt.lookup.stale_entry
            )
            if filled.entry is not None:
                await self._store(lease, filled.entry)
            return filled

    async def _wait(
        self, level: SharedLevel, request: CacheRequest, waiter: LeaseWaiter, attempt: "_LeaseAttempt", *, owner: str
    ) -> "_LeaseAttempt":
        """Wait until another process has stored the entry, or the lease is ours.

        Raises:
            LevelUnavailable: The level did not answer for as long as a lease lasts.
        """
        clock = asyncio.get_running_loop().time
        answered_at, lasts_seconds = clock(), attempt.others_seconds or 0.0
        while not attempt.is_ours and attempt.lookup.entry is None:
            await waiter.wait(timeout_seconds=_pause_seconds(lasts_seconds))
            try:
                # A look-up comes first: a claim of a stored entry would make the next waiter wait for its release.
                lookup = await self._look_up(level, request, known=None)
                if lookup.entry is not None:
                    return _LeaseAttempt(lookup=lookup, is_ours=False)
                attempt = await self._claim(level, request, owner=owner, known=None, force=True)
                answered_at, lasts_seconds = clock(), attempt.others_seconds or 0.0
            except LevelUnavailable:
                # The owner may still be computing although the level does not answer, so keep waiting.
                if clock() - answered_at > LEASE_SECONDS:
                    raise
                lasts_seconds = LEASE_SECONDS
        return attempt

    async def _claim(
        self, level: SharedLevel, request: CacheRequest, *, owner: str, known: Entry | None, force: bool
    ) -> "_LeaseAttempt":
        reply = await level.claim(
            request.key, owner=owner, seconds=LEASE_SECONDS, fields=STORED_FIELDS, tags=request.tags, force=force
        )
        lookup = self._evaluate_lookup(reply.found, request, known=known)
        return _LeaseAttempt(lookup=lookup, is_ours=reply.is_ours, others_seconds=reply.others_seconds)

    async def _look_up(self, level: SharedLevel, request: CacheRequest, *, known: Entry | None) -> "_LookupResult":
        reply = await level.look_up(request.key, fields=STORED_FIELDS, tags=request.tags)
        return self._evaluate_lookup(reply, request, known=known)

    def _evaluate_lookup(self, reply: LookupReply, request: CacheRequest, *, known: Entry | None) -> "_LookupResult":
        """Return the stored entry as one to serve, if it is valid, new enough and newer than the known one."""
        entry = self._decode_entry(reply)
        tokens = tuple(token for token in reply.tokens if token is not None)
        is_complete = len(tokens) == len(reply.tokens)
        if entry is None:
            return _LookupResult(tokens=tokens if is_complete else ())
        is_usable = self._now() < entry.times.stale_until and (
            known is None or entry.times.created_at > known.times.created_at
        )
        if is_complete and entry.tokens == tokens and is_usable:
            self._stats.shared_hits[request.route] += 1
            return _LookupResult(entry=entry)
        return _LookupResult(tokens=tokens if is_complete else (), stale_entry=entry)

    def _decode_entry(self, reply: LookupReply) -> Entry | None:
        try:
            return from_fields(reply.fields)
        except ValueError as error:
            self._stats.damaged += 1
            log.warning("cache.entry_damaged", error=str(error))
            return None

    async def _store(self, lease: Lease, entry: Entry) -> None:
        fields, ttl_seconds = to_fields(entry), max(1.0, entry.times.stale_if_error_until - self._now())
        with suppress(LevelUnavailable):
            await retry_once(lambda: lease.store(fields=fields, ttl_seconds=ttl_seconds))

    async def _compute(
        self, request: CacheRequest, compute: Compute, *, tokens: tuple[bytes, ...], stale_entry: Entry | None = None
    ) -> FillResult:
        try:
            async with self._bulkhead, asyncio.timeout(COMPUTE_SECONDS):
                began_at = self._now()
                response = await compute(request)
        except Exception:
            log.exception("cache.computation_failed", route=request.route)
            self._stats.failed[request.route] += 1
            return FillResult(stale_entry=stale_entry)
        self._stats.computed[request.route] += 1
        if not response.is_storable:
            self._stats.failed[request.route] += response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            return FillResult(response=response, stale_entry=stale_entry)
        seconds = self._now() - began_at
        entry = make_entry(response, times=self._times(request, response), compute_seconds=seconds, tokens=tokens)
        return FillResult(entry)

    def _times(self, request: CacheRequest, response: ComputedResponse) -> Times:
        settings = self._settings
        if response.status == HTTPStatus.NOT_FOUND or request.is_unknown:
            return make_times(
                now=self._now(), fresh_seconds=settings.negative_seconds, stale_seconds=0, error_seconds=0
            )
        return make_times(
            now=self._now(),
            fresh_seconds=request.fresh_seconds,
            stale_seconds=settings.stale_while_revalidate_seconds,
            error_seconds=settings.stale_if_error_seconds,
        )


@dataclass(frozen=True, slots=True)
class _LookupResult:
    """An entry of the shared level that can be served; otherwise the tokens of its tags.

    A new entry is computed under the tokens. There are none if a tag has none.
    """

    entry: Entry | None = None
    tokens: tuple[bytes, ...] = ()
    stale_entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class _LeaseAttempt:
    """The outcome of a claim."""

    lookup: _LookupResult
    is_ours: bool
    others_seconds: float | None = None
    """Time until the lease of another process ends, unless it is renewed."""

    @property
    def needs_force(self) -> bool:
        """Whether the level refused the lease because an entry is stored, although it cannot be served."""
        return not self.is_ours and self.others_seconds is None and self.lookup.entry is None


def _pause_seconds(lasts_seconds: float) -> float:
    """Return how many seconds to wait for a message before looking again.

    That is soon after the lease ends, at a different time in each process.
    """
    pause = random.uniform(*LOOK_AGAIN_SECONDS)  # noqa: S311 - not a secret
    return min(pause, lasts_seconds + pause * _APART_SHARE)
