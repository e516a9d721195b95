"""The shared level: what the response cache requires of a store that several processes share, and its leases."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeVar

LEASE_SECONDS: Final = 2.0

_Result = TypeVar("_Result")


class LevelUnavailable(Exception):
    """The shared level cannot be used now: it does not answer, it refuses, or its entries may be out of date.

    Raised at once while the level is known to be unavailable. The caller continues without the level.
    """


class LevelState(StrEnum):
    OFF = "off"
    """The server does not answer, or the circuit breaker is open."""
    SETTLING = "settling"
    """It answers, but nothing is read until every invalidation that it may have missed has been applied."""
    ON = "on"


@dataclass(frozen=True, slots=True)
class LookupReply:
    """The reply to `look_up`, in the order of its arguments."""

    fields: tuple[bytes | None, ...]
    """None for each field that is not stored; all None where there is no entry."""
    tokens: tuple[bytes | None, ...]
    """None for each tag without a token; no stored entry is valid under None."""


@dataclass(frozen=True, slots=True)
class ClaimReply:
    """The reply to `claim`."""

    found: LookupReply
    """What was stored at the time of the claim; if the lease was requested, every tag has a token."""
    is_ours: bool
    others_seconds: float | None
    """Time until the lease of another owner ends, unless it is renewed; None if it is ours or was not requested."""


class LeaseWaiter(Protocol):
    async def wait(self, *, timeout_seconds: float) -> None:
        """Return as soon as the lease is released, or after the timeout. Releases since the last return count.

        Early returns are harmless, because the caller looks up the entry again. A release can be lost with its
        connection.
        """
        ...


class TagListener(Protocol):
    """Keeps copies of entries of the level. Called on the event loop; returns at once and never raises."""

    def tags_invalidated(self, tags: Collection[str]) -> None:
        """Called when any process, this one included, has invalidated these tags."""
        ...

    def disconnected(self) -> None:
        """Called when invalidations can be missed until `connected`, as they can before the first connection."""
        ...

    def connected(self) -> None:
        """Called when every invalidation is received from now on."""
        ...


class SharedLevel(Protocol):
    """Entries are named fields of bytes under a key, with a time to live; tags are names with a random token each.

    Keys, field names and tags are short ASCII. Each method has a short time limit, and makes no second attempt. The
    level neither reads entries nor compares tokens.

    Raises:
        LevelUnavailable: From every coroutine below.
    """

    @property
    def state(self) -> LevelState: ...

    async def look_up(self, key: str, *, fields: Sequence[str], tags: Sequence[str]) -> LookupReply:
        """Read fields of an entry and the tokens of the tags, in one round trip."""
        ...

    async def claim(
        self, key: str, *, owner: str, seconds: float, fields: Sequence[str], tags: Sequence[str], force: bool
    ) -> ClaimReply:
        """Take the lease of the key, unless another owner has it, and look up the entry, in one round trip.

        Tags that have no token get random ones. A repeated claim, after a lost reply, succeeds for the same owner.

        Args:
            force: Whether to take the lease although an entry is stored. Otherwise a stored entry is only looked up.
        """
        ...

    async def store(self, key: str, *, owner: str, fields: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Replace an entry with its time to live, atomically, and release the lease like `release_lease`.

        That is one round trip. The lease is released even if there is no room for the entry.
        """
        ...

    async def invalidate_tags(self, tags: Collection[str]) -> None:
        """Give each tag a new random token, which invalidates the entries under the old one, and publish the tags.

        When it returns, every later `look_up` of any process sees the new tokens.
        """
        ...

    async def renew_lease(self, key: str, *, owner: str, seconds: float) -> bool:
        """Extend a lease to so many seconds from now. Return False if the owner has lost it."""
        ...

    async def release_lease(self, key: str, *, owner: str) -> None:
        """Release a lease, if the owner still has it, and publish the release to waiting processes."""
        ...

    def lease_waiter(self, key: str) -> AbstractAsyncContextManager[LeaseWaiter]:
        """Receive the releases of leases of the key by any process, while the block runs.

        The block is entered before the claim, so that no release is missed between a refused claim and the wait.
        """
        ...

    def listen(self, listener: TagListener) -> None:
        """Call a listener for every invalidation from `running` on. Called once, before `running`."""
        ...

    def describe(self) -> str:
        """Return the state in a few words: `on`, `settling`, or `off` with the reason."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Hold the level's connections while the block runs. It is entered whether or not the level can be reached."""
        ...


class Backlog(Protocol):
    """The invalidations that are committed in the database and not yet known to have reached the shared level."""

    async def is_applied(self) -> bool:
        """Return whether every invalidation that was committed before this call has been applied in the shared level.

        After an outage nothing is read from the level until then, because an entry may be older than a change whose
        invalidation the level missed.

        Raises:
            DatabaseUnavailable: The database is not available.
        """
        ...


async def retry_once(attempt: Callable[[], Awaitable[_Result]]) -> _Result:
    """Repeat a call that got no answer, because a short delay must not cost a computation in every process.

    A level that is known to be unavailable refuses both attempts at once.
    """
    try:
        return await attempt()
    except LevelUnavailable:
        return await attempt()


class Lease:
    """The right of this process to compute the entry of a key, until it is released."""

    def __init__(self, level: SharedLevel, key: str, *, owner: str) -> None:
        self._level = level
        self._key = key
        self._owner = owner
        self.is_held = True

    async def store(self, *, fields: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Store the entry and release the lease.

        Raises:
            LevelUnavailable: It is unknown whether either was done.
        """
        await self._level.store(self._key, owner=self._owner, fields=fields, ttl_seconds=ttl_seconds)
        self.is_held = False

    async def renew(self) -> None:
        """Renew the lease until it is lost or the level is unavailable."""
        with suppress(LevelUnavailable):
            is_ours = True
            while is_ours:
                await asyncio.sleep(LEASE_SECONDS / 3)
                is_ours = await self._level.renew_lease(self._key, owner=self._owner, seconds=LEASE_SECONDS)

    async def release(self) -> None:
        if self.is_held:
            with suppress(LevelUnavailable):
                await retry_once(lambda: self._level.release_lease(self._key, owner=self._owner))


@asynccontextmanager
async def held_lease(level: SharedLevel, key: str, *, owner: str) -> AsyncIterator[Lease]:
    """Renew a lease while the block runs, and release it afterwards."""
    lease = Lease(level, key, owner=owner)
    try:
        async with asyncio.TaskGroup() as group:
            renewal = group.create_task(lease.renew())
            try:
                yield lease
            finally:
                renewal.cancel()
                await lease.release()
    except ExceptionGroup as failures:
        # The group exists for the renewal only, so the caller gets the block's exception itself.
        raise failures.exceptions[0] from None
