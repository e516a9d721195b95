"""The lease of who computes for all: kept while the computation goes on, given back with what it has made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

from fairground.platform.cache.levels import LevelUnavailable, SharedLevel

LEASE_SECONDS: Final = 2.0

_Result = TypeVar("_Result")


async def twice(ask: Callable[[], Awaitable[_Result]]) -> _Result:
    """Ask once more when there was no answer: a moment's slowness must not cost a computation on every server.

    A level that is known to be away refuses at once, both times.
    """
    try:
        return await ask()
    except LevelUnavailable:
        return await ask()


class Lease:
    """A lease that is ours, until it is given back."""

    def __init__(self, level: SharedLevel, key: str, *, owner: str) -> None:
        self._level = level
        self._key = key
        self._owner = owner
        self.is_held = True

    async def store(self, *, fields: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Store the entry and give the lease back.

        Raises:
            LevelUnavailable: Whether either was done is not known.
        """
        await self._level.store(self._key, owner=self._owner, fields=fields, ttl_seconds=ttl_seconds)
        self.is_held = False

    async def keep(self) -> None:
        with suppress(LevelUnavailable):
            is_ours = True
            while is_ours:
                await asyncio.sleep(LEASE_SECONDS / 3)
                is_ours = await self._level.renew_lease(self._key, owner=self._owner, seconds=LEASE_SECONDS)

    async def give_back(self) -> None:
        if self.is_held:
            with suppress(LevelUnavailable):
                await twice(lambda: self._level.release_lease(self._key, owner=self._owner))


@asynccontextmanager
async def holding(level: SharedLevel, key: str, *, owner: str) -> AsyncIterator[Lease]:
    """Keep a lease for as long as the block runs, and give it back."""
    lease = Lease(level, key, owner=owner)
    try:
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(lease.keep())
            try:
                yield lease
            finally:
                keeper.cancel()
                await lease.give_back()
    except ExceptionGroup as failures:
        # The group is the keeper's; what went wrong in the block is told as it was.
        raise failures.exceptions[0] from None
