"""How an answer comes about: found in the shared level, waited for while another process makes it, or computed here."""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import structlog

from fairground.platform.cache.entry import (
    STORED_FIELDS,
    Answer,
    Entry,
    Times,
    from_fields,
    make_entry,
    make_times,
    to_fields,
)
from fairground.platform.cache.key import Wanted
from fairground.platform.cache.leases import LEASE_SECONDS, Lease, holding, twice
from fairground.platform.cache.levels import Found, LevelUnavailable, Notice, SharedLevel
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.stats import CacheStats

COMPUTE_SECONDS: Final = 60.0  # beyond that a computation counts as hung
LOOK_AGAIN_SECONDS: Final = (0.3, 0.6)  # for those who wait, in case a notice was lost
_APART_SHARE: Final = 0.05  # 15 to 30 ms

Compute = Callable[[Wanted], Awaitable[Answer]]
log = structlog.get_logger()


class Origin(StrEnum):
    COMPUTED = "computed"
    SHARED = "shared"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Filled:
    """An entry that may be given to all; or an answer for those alone who waited for it; or neither: a failure."""

    origin: Origin
    entry: Entry | None = None
    answer: Answer | None = None
    spare: Entry | None = None
    """What the shared level still had, for use when nothing better can be had."""

    @property
    def is_failure(self) -> bool:
        if self.answer is None:
            return self.entry is None
        return self.answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR


FAILED: Final = Filled(Origin.COMPUTED)


class Filler:
    """Obtains answers. One call of `fill` is one flight of this process."""

    def __init__(
        self, settings: CacheSettings, *, level: SharedLevel | None, stats: CacheStats, now: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._level = level
        self._stats = stats
        self._now = now
        self._bulkhead = asyncio.Semaphore(settings.computations_max)

    async def fill(self, wanted: Wanted, compute: Compute, *, known: Entry | None) -> Filled:
        """Return the answer, never raising.

        Args:
            known: The entry that is to be replaced; it is returned when another process is about to do so.
        """
        if self._level is None:
            return await self._compute(wanted, compute, tokens=())
        try:
            return await self._fill_shared(self._level, wanted, compute, known=known)
        except LevelUnavailable:
            self._stats.shared_failures += 1
            return await self._compute(wanted, compute, tokens=())

    async def _fill_shared(
        self, level: SharedLevel, wanted: Wanted, compute: Compute, *, known: Entry | None
    ) -> Filled:
        owner = secrets.token_hex(8)
        async with level.notices(wanted.key) as notice:
            claim = await twice(lambda: self._claim(level, wanted, owner=owner, known=known, anyhow=False))
            if claim.is_for_nothing:
                claim = await twice(lambda: self._claim(level, wanted, owner=owner, known=known, anyhow=True))
            if not claim.is_ours:
                if claim.look.entry is not None:
                    return Filled(Origin.SHARED, entry=claim.look.entry)
                if known is not None:
                    return Filled(Origin.KEPT, entry=known)
                claim = await self._wait(level, wanted, notice, claim, owner=owner)
                if not claim.is_ours:
                    return Filled(Origin.COMPUTED, entry=claim.look.entry)
        async with holding(level, wanted.key, owner=owner) as lease:
            # Its last holder may have stored the answer between our look and our claim.
            if claim.look.entry is not None:
                return Filled(Origin.SHARED, entry=claim.look.entry)
            filled = await self._compute(wanted, compute, tokens=claim.look.tokens, spare=claim.look.spare)
            if filled.entry is not None:
                await self._store(lease, filled.entry)
            return filled

    async def _wait(
        self, level: SharedLevel, wanted: Wanted, notice: Notice, claim: "_Claimed", *, owner: str
    ) -> "_Claimed":
        """Wait until another process has stored the answer, or the lease is ours instead.

        Raises:
            LevelUnavailable: Nothing could be learnt for as long as a lease lasts.
        """
        clock = asyncio.get_running_loop().time
        learnt_at, lasts_seconds = clock(), claim.others_seconds or 0.0
        while not claim.is_ours and claim.look.entry is None:
            await notice.wait(timeout_seconds=_pause_seconds(lasts_seconds))
            try:
                # Only looked at first: to claim what has been stored would hold up the next one.
                look = await self._look(level, wanted, known=None)
                if look.entry is not None:
                    return _Claimed(look=look, is_ours=False)
                claim = await self._claim(level, wanted, owner=owner, known=None, anyhow=True)
                learnt_at, lasts_seconds = clock(), claim.others_seconds or 0.0
            except LevelUnavailable:
                # Who computes may do so without the level for a moment, and so may who waits.
                if clock() - learnt_at > LEASE_SECONDS:
                    raise
                lasts_seconds = LEASE_SECONDS
        return claim

    async def _claim(
        self, level: SharedLevel, wanted: Wanted, *, owner: str, known: Entry | None, anyhow: bool
    ) -> "_Claimed":
        claim = await level.claim(
            wanted.key, owner=owner, seconds=LEASE_SECONDS, fields=STORED_FIELDS, tags=wanted.tags, anyhow=anyhow
        )
        look = self._judge(claim.found, wanted, known=known)
        return _Claimed(look=look, is_ours=claim.is_ours, others_seconds=claim.others_seconds)

    async def _look(self, level: SharedLevel, wanted: Wanted, *, known: Entry | None) -> "_Look":
        found = await level.look_up(wanted.key, fields=STORED_FIELDS, tags=wanted.tags)
        return self._judge(found, wanted, known=known)

    def _judge(self, found: Found, wanted: Wanted, *, known: Entry | None) -> "_Look":
        entry = self._read(found)
        tokens = tuple(token for token in found.tokens if token is not None)
        is_whole = len(tokens) == len(found.tokens)
        if entry is None:
            return _Look(tokens=tokens if is_whole else ())
        is_wanted = self._now() < entry.times.stale_until and (
            known is None or entry.times.created_at > known.times.created_at
        )
        if is_whole and entry.tokens == tokens and is_wanted:
            self._stats.shared_hits[wanted.route] += 1
            return _Look(entry=entry)
        return _Look(tokens=tokens if is_whole else (), spare=entry)

    def _read(self, found: Found) -> Entry | None:
        try:
            return from_fields(found.fields)
        except ValueError as error:
            self._stats.damaged += 1
            log.warning("cache.entry_damaged", error=str(error))
            return None

    async def _store(self, lease: Lease, entry: Entry) -> None:
        fields, ttl_seconds = to_fields(entry), max(1.0, entry.times.dead_at - self._now())
        with suppress(LevelUnavailable):
            await twice(lambda: lease.store(fields=fields, ttl_seconds=ttl_seconds))

    async def _compute(
        self, wanted: Wanted, compute: Compute, *, tokens: tuple[bytes, ...], spare: Entry | None = None
    ) -> Filled:
        try:
            async with self._bulkhead, asyncio.timeout(COMPUTE_SECONDS):
                began_at = self._now()
                answer = await compute(wanted)
        except Exception:
            log.exception("cache.computation_failed", route=wanted.route)
            self._stats.failed[wanted.route] += 1
            return Filled(Origin.COMPUTED, spare=spare)
        self._stats.computed[wanted.route] += 1
        if not answer.is_storable:
            self._stats.failed[wanted.route] += answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            return Filled(Origin.COMPUTED, answer=answer, spare=spare)
        seconds = self._now() - began_at
        entry = make_entry(answer, times=self._times(wanted, answer), compute_seconds=seconds, tokens=tokens)
        return Filled(Origin.COMPUTED, entry=entry)

    def _times(self, wanted: Wanted, answer: Answer) -> Times:
        settings = self._settings
        if answer.status == HTTPStatus.NOT_FOUND or wanted.is_unknown:
            return make_times(
                now=self._now(), fresh_seconds=settings.negative_seconds, stale_seconds=0, error_seconds=0
            )
        return make_times(
            now=self._now(),
            fresh_seconds=wanted.fresh_seconds,
            stale_seconds=settings.stale_while_revalidate_seconds,
            error_seconds=settings.stale_if_error_seconds,
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """What the shared level had: an entry to give; else the tokens to compute under, when all are there."""

    entry: Entry | None = None
    tokens: tuple[bytes, ...] = ()
    spare: Entry | None = None


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What came of claiming the lease."""

    look: _Look
    is_ours: bool
    others_seconds: float | None = None
    """How long another process has it yet, unless it keeps it."""

    @property
    def is_for_nothing(self) -> bool:
        """Whether the lease was not asked for because of an entry that cannot be given."""
        return not self.is_ours and self.others_seconds is None and self.look.entry is None


def _pause_seconds(lasts_seconds: float) -> float:
    """Return when to look again without notice: as soon as a lease ends that nobody keeps, but not all together."""
    pause = random.uniform(*LOOK_AGAIN_SECONDS)  # noqa: S311 - not a secret
    return min(pause, lasts_seconds + pause * _APART_SHARE)
