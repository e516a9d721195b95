"""Levels on real servers, their listeners, and a backlog that a test settles by hand."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fairground.platform.cache.redis.level import RedisLevel
from fairground.platform.cache.shared_level import LevelState, LevelUnavailable
from fairground.platform.db.dialect.base import DatabaseUnavailable
from tests.support.waiting import until


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Ledger:
    """A backlog: the number of invalidations that the database has and the level does not."""

    def __init__(self) -> None:
        self.pending = 0
        self.is_reachable = True

    async def is_applied(self) -> bool:
        if not self.is_reachable:
            raise DatabaseUnavailable("The database is away.")
        return self.pending == 0


class Listener:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.events: list[str] = []

    def tags_invalidated(self, tags: Collection[str]) -> None:
        self.heard += tags

    def disconnected(self) -> None:
        self.events.append("disconnected")

    def connected(self) -> None:
        self.events.append("connected")


@asynccontextmanager
async def level_at(
    url: str, *, namespace: str, ledger: Ledger | None = None, listener: Listener | None = None
) -> AsyncIterator[RedisLevel]:
    """Return a level that is on, like that of one process."""
    level = RedisLevel(url, namespace=namespace, backlog=ledger or Ledger())
    level.listen(listener or Listener())
    async with level.running():
        await until_on(level)
        yield level


async def until_on(level: RedisLevel) -> None:
    await until(lambda: level.state is LevelState.ON)


async def until_off(level: RedisLevel) -> None:
    """Send look-ups, as requests do, until the circuit breaker is open."""

    async def is_off() -> bool:
        await is_refused(level)
        return level.state is LevelState.OFF

    await until(is_off)


async def tokens_of(level: RedisLevel, *tags: str) -> tuple[bytes, ...]:
    """Return the tokens of tags that a computation gets, and release the lease."""
    claim = await level.claim("tokens", owner="any", seconds=30, fields=["m"], tags=tags, force=True)
    await level.release_lease("tokens", owner="any")
    return tuple(token for token in claim.found.tokens if token is not None)


async def take(level: RedisLevel, key: str, *, owner: str, seconds: float = 30) -> bool:
    """Claim a lease, and return whether it is the owner's."""
    return (await level.claim(key, owner=owner, seconds=seconds, fields=["m"], tags=[], force=True)).is_ours


async def is_refused(level: RedisLevel) -> bool:
    """Return whether a look-up fails."""
    try:
        await level.look_up("any", fields=["body"], tags=["any"])
    except LevelUnavailable:
        return True
    return False
