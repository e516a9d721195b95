"""How an answer comes about: found in the shared level, waited for while another process makes it, or computed here."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final, TypeVar

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
from fairground.platform.cache.levels import Found, LevelUnavailable, SharedLevel
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.stats import CacheStats

LEASE_SECONDS: Final = 2.0
COMPUTE_SECONDS: Final = 60.0  # beyond that a computation counts as hung
LOOK_AGAIN_SECONDS: Final = (0.3, 0.6)  # for those who wait, in case a notice was lost

_Result = TypeVar("_Result")
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
        look = await _twice(lambda: self._look(level, wanted, known=known))
        if look.entry is not None:
            return Filled(Origin.SHARED, entry=look.entry)
        if not await _twice(lambda: _acquire(level, wanted.key, owner=owner)):
            if known is not None:
                return Filled(Origin.KEPT, entry=known)
            found = await self._wait(level, wanted, owner=owner)
            if found is not None:
                return Filled(Origin.COMPUTED, entry=found)
        async with _holding(level, wanted.key, owner=owner):
            # Looked up once more: its last holder may have stored the answer between our look and our lease.
            look = await _twice(lambda: self._look(level, wanted, known=known))
            if look.entry is not None:
                return Filled(Origin.SHARED, entry=look.entry)
            tokens = look.tokens or await _twice(lambda: level.read_tokens(wanted.tags))
            filled = await self._compute(wanted, compute, tokens=tokens, spare=look.spare)
            if filled.entry is not None:
                await self._store(level, wanted, filled.entry)
            return filled

    async def _wait(self, level: SharedLevel, wanted: Wanted, *, owner: str) -> Entry | None:
        """Wait until another process has stored the answer; None once the lease is ours instead.

        Raises:
            LevelUnavailable: Nothing could be learnt for as long as a lease lasts.
        """
        clock = asyncio.get_running_loop().time
        learnt_at = clock()
        async with level.notices(wanted.key) as notice:
            while True:
                try:
                    look = await self._look(level, wanted, known=None)
                    if look.entry is not None:
                        return look.entry
                    if await _acquire(level, wanted.key, owner=owner):
                        return None
                    learnt_at = clock()
                except LevelUnavailable:
                    # Who computes may do so without the level for a moment, and so may who waits.
                    if clock() - learnt_at > LEASE_SECONDS:
                        raise
                pause = random.uniform(*LOOK_AGAIN_SECONDS)  # noqa: S311 - not a secret
                await notice.wait(timeout_seconds=pause)

    async def _look(self, level: SharedLevel, wanted: Wanted, *, known: Entry | None) -> "_Look":
        found = await level.look_up(wanted.key, fields=STORED_FIELDS, tags=wanted.tags)
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

    async def _store(self, level: SharedLevel, wanted: Wanted, entry: Entry) -> None:
        fields, ttl_seconds = to_fields(entry), max(1.0, entry.times.dead_at - self._now())
        with suppress(LevelUnavailable):
            await _twice(lambda: level.store(wanted.key, fields=fields, ttl_seconds=ttl_seconds))

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
        if answer.status == HTTPStatus.NOT_FOUND:
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


async def _twice(ask: Callable[[], Awaitable[_Result]]) -> _Result:
    """Ask once more when there was no answer: a moment's slowness must not cost a computation on every server.

    A level that is known to be away refuses at once, both times.
    """
    try:
        return await ask()
    except LevelUnavailable:
        return await ask()


async def _acquire(level: SharedLevel, key: str, *, owner: str) -> bool:
    """Take the lease; one that we took without hearing so is ours too."""
    is_ours = await level.acquire_lease(key, owner=owner, seconds=LEASE_SECONDS)
    return is_ours or await level.renew_lease(key, owner=owner, seconds=LEASE_SECONDS)


@asynccontextmanager
async def _holding(level: SharedLevel, key: str, *, owner: str) -> AsyncIterator[None]:
    """Keep a lease for as long as the block runs, and give it back."""

    async def keep() -> None:
        with suppress(LevelUnavailable):
            is_ours = True
            while is_ours:
                await asyncio.sleep(LEASE_SECONDS / 3)
                is_ours = await level.renew_lease(key, owner=owner, seconds=LEASE_SECONDS)

    try:
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(keep())
            try:
                yield
            finally:
                keeper.cancel()
                with suppress(LevelUnavailable):
                    await _twice(lambda: level.release_lease(key, owner=owner))
    except ExceptionGroup as failures:
        # The group is the keeper's; what went wrong in the block is told as it was.
        raise failures.exceptions[0] from None
