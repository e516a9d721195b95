"""The shared level of the response cache on one Redis or Valkey server."""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import redis

from fairground.platform.cache.levels import Backlog, Found, LevelState, LevelUnavailable, Notice, TagListener
from fairground.platform.cache.redis.audience import Audience
from fairground.platform.cache.redis.connection import Command, ServerConnection
from fairground.platform.cache.redis.doorkeeper import Doorkeeper
from fairground.platform.cache.redis.lanes import Answer, Lanes
from fairground.platform.cache.redis.session import Session
from fairground.platform.cache.redis.subscription import released_message, tags_message

ENTRY_MAX_BYTES: Final = 1024 * 1024
# Longer than any entry stays; a token that is gone costs a miss.
_TOKEN_DAYS: Final = 7
_TOKEN_BYTES: Final = 9
_RUN_ID_BYTES: Final = 12

# It sets before it deletes, because a full server refuses only what a script writes first.
_REPLACE: Final = """
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
local is_new = {}
for i = 2, #ARGV, 2 do is_new[ARGV[i]] = true end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if not is_new[field] then redis.call('HDEL', KEYS[1], field) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
_RENEW: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
"""


class RedisLevel:
    """A `SharedLevel`.

    A token that is told bears the run of the server that told it. One that comes back with an older copy of itself, or
    a replica that takes over without the last writes, is another run, so nothing that was stored before is believed.
    """

    def __init__(self, url: str, *, namespace: str, backlog: Backlog) -> None:
        """Prepare; nothing is connected before `running`.

        Args:
            url: `redis://` or `rediss://`, with what redis-py takes in its query, such as `ssl_ca_certs`.
            namespace: Before every key and channel: who shares it, shares everything.

        Raises:
            ValueError: The URL cannot be used.
        """
        self._namespace = namespace
        self._audience = Audience()
        self._doorkeeper = Doorkeeper()

        def connect() -> ServerConnection:
            return ServerConnection(url)

        connect()
        self._lanes = Lanes(connect)
        self._session = Session(
            connect=connect, namespace=namespace, lanes=self._lanes, backlog=backlog, audience=self._audience
        )

    @property
    def state(self) -> LevelState:
        return self._session.state

    @property
    def reason(self) -> str:
        """Why it is off, or was off last; nothing when all is well."""
        return self._session.reason

    def describe(self) -> str:
        return f"off: {self.reason}" if self.state is LevelState.OFF else str(self.state)

    async def look_up(self, key: str, *, fields: Sequence[str], tags: Sequence[str]) -> Found:
        self._doorkeeper.saw(key)
        reads: list[Command] = [("HMGET", self._entry(key), *fields)]
        if tags:
            reads.append(self._read_of(tags))
        answer = await self._ask(*reads)
        stored = answer.replies[0]
        tokens = _tokens(answer, answer.replies[1]) if tags else ()
        return Found(fields=tuple(stored), tokens=tokens)

    async def store(self, key: str, *, fields: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Replace an entry. One above 1 MiB is not kept; one that was asked for once only is not kept for long."""
        if sum(len(value) for value in fields.values()) > ENTRY_MAX_BYTES:
            return
        stay_seconds = self._doorkeeper.stay_seconds(key, ttl_seconds=ttl_seconds)
        words = [word for field in fields.items() for word in field]
        await self._ask(("EVAL", _REPLACE, 1, self._entry(key), _milliseconds(stay_seconds), *words))

    async def read_tokens(self, tags: Sequence[str]) -> tuple[bytes, ...]:
        if not tags:
            return ()
        made: list[Command] = [
            ("SET", self._token(tag), os.urandom(_TOKEN_BYTES), "NX", "EX", _TOKEN_DAYS * 24 * 3600) for tag in tags
        ]
        answer = await self._ask(*made, self._read_of(tags))
        tokens = _tokens(answer, answer.replies[-1])
        if None in tokens:
            raise LevelUnavailable("A token was evicted at once: the server has no room.")
        return tuple(token for token in tokens if token is not None)

    async def renew_tags(self, tags: Collection[str]) -> None:
        if not tags:
            return
        # No token at all is as new as another one, and a server without room still deletes.
        forget: Command = ("DEL", *(self._token(tag) for tag in tags))
        try:
            await self._ask(forget, ("PUBLISH", self._session.channel, tags_message(tags)), reads=False)
        except BaseException:
            self._session.doubt()
            raise
        # A copy whose reading began before now may be old, and the message that says so may be heard after we return.
        self._audience.tags_renewed(tags)

    async def acquire_lease(self, key: str, *, owner: str, seconds: float) -> bool:
        answer = await self._ask(("SET", self._lease(key), owner, "NX", "PX", _milliseconds(seconds)))
        return answer.replies[0] is not None

    async def renew_lease(self, key: str, *, owner: str, seconds: float) -> bool:
        answer = await self._ask(("EVAL", _RENEW, 1, self._lease(key), owner, _milliseconds(seconds)))
        return bool(answer.replies[0])

    async def release_lease(self, key: str, *, owner: str) -> None:
        await self._ask(("EVAL", _RELEASE, 1, self._lease(key), owner, self._session.channel, released_message(key)))

    def notices(self, key: str) -> AbstractAsyncContextManager[Notice]:
        return self._audience.notice(key)

    def listen(self, listener: TagListener) -> None:
        self._audience.add(listener)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._lanes.run()), group.create_task(self._session.run())]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def _ask(self, *commands: Command, reads: bool = True) -> Answer:
        state = self._session.state
        if state is LevelState.OFF or (reads and state is not LevelState.ON):
            raise LevelUnavailable(f"The shared level is {state}: {self._session.reason}")
        try:
            answer = await self._lanes.ask(*commands)
        except LevelUnavailable as error:
            self._session.failed(str(error))
            raise
        self._judge(answer)
        return answer

    def _judge(self, answer: Answer) -> None:
        """Raise LevelUnavailable when a command was refused, or when another server has answered."""
        if answer.run_id != self._session.run_id:
            self._session.give_up("another server has answered")
            raise LevelUnavailable(f"The shared level is off: {self._session.reason}")
        refusal = next((reply for reply in answer.replies if isinstance(reply, redis.ResponseError)), None)
        if refusal is None:
            self._session.succeeded()
            return
        if isinstance(refusal, redis.ReadOnlyError):
            # Somebody else is the primary now; a new connection may find it.
            self._session.give_up(str(refusal))
        elif not isinstance(refusal, redis.OutOfMemoryError):
            self._session.failed(str(refusal))
        raise LevelUnavailable(str(refusal))

    def _entry(self, key: str) -> str:
        return f"{self._namespace}:entry:{key}"

    def _token(self, tag: str) -> str:
        return f"{self._namespace}:tag:{tag}"

    def _lease(self, key: str) -> str:
        return f"{self._namespace}:lease:{key}"

    def _read_of(self, tags: Sequence[str]) -> Command:
        return ("MGET", *(self._token(tag) for tag in tags))


def _tokens(answer: Answer, stored: Sequence[bytes | None]) -> tuple[bytes | None, ...]:
    run = answer.run_id[:_RUN_ID_BYTES]
    return tuple(None if token is None else run + token for token in stored)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
