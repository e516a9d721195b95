"""The shared level of the response cache on one Redis or Valkey server."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import redis

from fairground.platform.cache.redis.channel import Subscribers, released_message, tags_message
from fairground.platform.cache.redis.connections import Pipelines, Replies, ServerConnection
from fairground.platform.cache.redis.monitor import ServerMonitor
from fairground.platform.cache.redis.protocol import Command
from fairground.platform.cache.shared_level import (
    Backlog,
    ClaimReply,
    LeaseWaiter,
    LevelState,
    LevelUnavailable,
    LookupReply,
    TagListener,
)

ENTRY_MAX_BYTES: Final = 1024 * 1024
FIRST_TTL_SECONDS: Final = 60.0
_ONE_REQUEST_SECONDS: Final = 5.0  # look-ups this close together may belong to one request, which makes several
_KEYS_MAX: Final = 20_000  # about 3 MB
# Longer than any entry is stored; a token that expires costs a miss.
_TOKEN_SECONDS: Final = 7 * 24 * 3600
_TOKEN_BYTES: Final = 9
_RUN_ID_BYTES: Final = 12

# Each of the following scripts is atomic on the server.

# Keys: lease, entry, tags. Arguments: owner, milliseconds, a new token and its seconds, whether to take the lease
# although an entry is stored, then the fields. Returns whether the lease is ours, and the remaining time of another
# owner's. It writes first, which a full server and a replica refuse. A refused claim registers as waiting.
_CLAIM: Final = """
local tokens = {}
if ARGV[5] == '0' and redis.call('EXISTS', KEYS[2]) == 1 then
    for i = 3, #KEYS do tokens[i - 2] = redis.call('GET', KEYS[i]) end
    return {0, -1, redis.call('HMGET', KEYS[2], unpack(ARGV, 6)), tokens}
end
local is_ours, others = 1, -1
if redis.call('HSETNX', KEYS[1], 'owner', ARGV[1]) == 1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
elseif redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
    redis.call('HSET', KEYS[1], 'is_waited_for', 1)
    is_ours, others = 0, redis.call('PTTL', KEYS[1])
end
for i = 3, #KEYS do
    redis.call('SET', KEYS[i], ARGV[3], 'NX', 'EX', ARGV[4])
    tokens[i - 2] = redis.call('GET', KEYS[i])
end
return {is_ours, others, redis.call('HMGET', KEYS[2], unpack(ARGV, 6)), tokens}
"""

# It sets before it deletes, because a full server refuses a script only at its first write.
_REPLACE: Final = """
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
local is_new = {}
for i = 2, #ARGV, 2 do is_new[ARGV[i]] = true end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if not is_new[field] then redis.call('HDEL', KEYS[1], field) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""

_RENEW_LEASE: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# Every process receives every message, so a release without waiting processes is not published.
_RELEASE_LEASE: Final = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
local is_waited_for = redis.call('HEXISTS', KEYS[1], 'is_waited_for')
redis.call('DEL', KEYS[1])
if is_waited_for == 1 then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return 1
"""


class AdmissionFilter:
    """Remembers recent keys, and gives an entry its full time to live from the second request on.

    An entry of a key that was requested once is stored for a minute: long enough for processes that wait for the same
    computation, too short for a million addresses that a scanner requests once each.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[float, bool]] = {}

    def record_lookup(self, key: str) -> None:
        now = self._clock()
        last, _ = self._seen.get(key, (-FIRST_TTL_SECONDS, False))
        apart = now - last
        if apart < _ONE_REQUEST_SECONDS:
            return
        self._seen.pop(key, None)
        self._seen[key] = (now, apart < FIRST_TTL_SECONDS)
        if len(self._seen) > _KEYS_MAX:
            del self._seen[next(iter(self._seen))]

    def limit_ttl(self, key: str, *, ttl_seconds: float) -> float:
        """Return the time to live of an entry: all of `ttl_seconds`, or a minute of it."""
        _, is_known = self._seen.get(key, (0.0, False))
        return ttl_seconds if is_known else min(ttl_seconds, FIRST_TTL_SECONDS)


class RedisLevel:
    """A `SharedLevel`.

    A token contains the run of the server that returned it. A server that comes back with an older copy of itself, or a
    replica that takes over without the last writes, is another run, so entries that were stored before are misses.
    """

    def __init__(self, url: str, *, namespace: str, backlog: Backlog) -> None:
        """Prepare; nothing is connected before `running`.

        Args:
            url: `redis://` or `rediss://`, with redis-py's options in its query, such as `ssl_ca_certs`.
            namespace: Prefix of every key and channel. Processes with the same one share all entries.

        Raises:
            ValueError: The URL cannot be used.
        """
        self._namespace = namespace
        self._subscribers = Subscribers()
        self._admission = AdmissionFilter()

        def connect() -> ServerConnection:
            return ServerConnection(url)

        connect()
        self._pipelines = Pipelines(connect)
        self._monitor = ServerMonitor(
            connect=connect,
            namespace=namespace,
            pipelines=self._pipelines,
            backlog=backlog,
            subscribers=self._subscribers,
        )

    @property
    def state(self) -> LevelState:
        return self._monitor.state

    @property
    def reason(self) -> str:
        """Why it is off, or was off last; empty while it is on."""
        return self._monitor.reason

    def describe(self) -> str:
        return f"off: {self.reason}" if self.state is LevelState.OFF else str(self.state)

    async def look_up(self, key: str, *, fields: Sequence[str], tags: Sequence[str]) -> LookupReply:
        self._admission.record_lookup(key)
        reads: list[Command] = [("HMGET", self._entry(key), *fields)]
        if tags:
            reads.append(("MGET", *map(self._token, tags)))
        replies = await self._execute(*reads)
        stored = replies.values[0]
        tokens = _tokens(replies, replies.values[1]) if tags else ()
        return LookupReply(fields=tuple(stored), tokens=tokens)

    async def claim(
        self, key: str, *, owner: str, seconds: float, fields: Sequence[str], tags: Sequence[str], force: bool
    ) -> ClaimReply:
        self._admission.record_lookup(key)
        keys = [self._lease(key), self._entry(key), *map(self._token, tags)]
        words: Command = (owner, _milliseconds(seconds), os.urandom(_TOKEN_BYTES), _TOKEN_SECONDS, int(force), *fields)
        replies = await self._execute(("EVAL", _CLAIM, len(keys), *keys, *words))
        is_ours, others, stored, tokens = replies.values[0]
        found = LookupReply(fields=tuple(stored), tokens=_tokens(replies, tokens))
        return ClaimReply(found=found, is_ours=bool(is_ours), others_seconds=None if others < 0 else others / 1000)

    async def store(self, key: str, *, owner: str, fields: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Replace an entry. One above 1 MiB is not stored; one whose key was requested once expires early."""
        release = self._release_of(key, owner=owner)
        if sum(len(value) for value in fields.values()) > ENTRY_MAX_BYTES:
            await self._execute(release)
            return
        ttl_seconds = self._admission.limit_ttl(key, ttl_seconds=ttl_seconds)
        words = [word for field in fields.items() for word in field]
        replace: Command = ("EVAL", _REPLACE, 1, self._entry(key), _milliseconds(ttl_seconds), *words)
        await self._execute(replace, release)

    async def invalidate_tags(self, tags: Collection[str]) -> None:
        if not tags:
            return
        # A deleted token differs from every stored one, as a new token would, and a full server still deletes.
        delete: Command = ("DEL", *(self._token(tag) for tag in tags))
        try:
            await self._execute(delete, ("PUBLISH", self._monitor.channel, tags_message(tags)), reads=False)
        except BaseException:
            self._monitor.invalidation_missed()
            raise
        # A look-up that began before now may return an old copy, and our own message may be received after we return.
        self._subscribers.tags_invalidated(tags)

    async def renew_lease(self, key: str, *, owner: str, seconds: float) -> bool:
        renew: Command = ("EVAL", _RENEW_LEASE, 1, self._lease(key), owner, _milliseconds(seconds))
        return bool((await self._execute(renew)).values[0])

    async def release_lease(self, key: str, *, owner: str) -> None:
        await self._execute(self._release_of(key, owner=owner))

    def lease_waiter(self, key: str) -> AbstractAsyncContextManager[LeaseWaiter]:
        return self._subscribers.lease_waiter(key)

    def listen(self, listener: TagListener) -> None:
        self._subscribers.add(listener)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            monitoring = group.create_task(self._monitor.run())
            try:
                yield
            finally:
                monitoring.cancel()
                self._pipelines.reset("The level was closed.")

    async def _execute(self, *commands: Command, reads: bool = True) -> Replies:
        state = self._monitor.state
        if state is LevelState.OFF or (reads and state is not LevelState.ON):
            raise LevelUnavailable(f"The shared level is {state}: {self._monitor.reason}")
        try:
            replies = await self._pipelines.execute(*commands)
        except LevelUnavailable as error:
            self._monitor.record_failure(str(error))
            raise
        self._raise_for_refusal(replies)
        return replies

    def _raise_for_refusal(self, replies: Replies) -> None:
        """Raise LevelUnavailable when a command was refused, or when another server has replied."""
        if replies.run_id != self._monitor.run_id:
            self._monitor.switch_off("another server has answered")
            raise LevelUnavailable(f"The shared level is off: {self._monitor.reason}")
        refusal = next((reply for reply in replies.values if isinstance(reply, redis.ResponseError)), None)
        if refusal is None:
            self._monitor.record_success()
            return
        reason = str(refusal)
        # Before Redis 7 a refusal inside a script is a script error, which contains the cause.
        if reason.startswith("READONLY ") or "-READONLY " in reason:
            # Another server is the primary now; a new connection may reach it.
            self._monitor.switch_off(reason)
        elif not reason.startswith("OOM ") and "-OOM " not in reason:
            self._monitor.record_failure(reason)
        raise LevelUnavailable(reason)

    def _entry(self, key: str) -> str:
        return f"{self._namespace}:entry:{key}"

    def _token(self, tag: str) -> str:
        return f"{self._namespace}:tag:{tag}"

    def _lease(self, key: str) -> str:
        return f"{self._namespace}:lease:{key}"

    def _release_of(self, key: str, *, owner: str) -> Command:
        message = released_message(key)
        return ("EVAL", _RELEASE_LEASE, 1, self._lease(key), owner, self._monitor.channel, message)


def _tokens(replies: Replies, stored: Sequence[bytes | None]) -> tuple[bytes | None, ...]:
    run = replies.run_id[:_RUN_ID_BYTES]
    return tuple(None if token is None else run + token for token in stored)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
