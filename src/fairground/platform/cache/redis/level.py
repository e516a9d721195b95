"""The shared level of the response cache on one Redis or Valkey server."""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import redis

from fairground.platform.cache.levels import Backlog, Claim, Found, LevelState, LevelUnavailable, Notice, TagListener
from fairground.platform.cache.redis import scripts
from fairground.platform.cache.redis.audience import Audience
from fairground.platform.cache.redis.connection import Command, ServerConnection
from fairground.platform.cache.redis.doorkeeper import Doorkeeper
from fairground.platform.cache.redis.lanes import Answer, Lanes
from fairground.platform.cache.redis.session import Session
from fairground.platform.cache.redis.subscription import released_message, tags_message

ENTRY_MAX_BYTES: Final = 1024 * 1024
# Longer than any entry stays; a token that is gone costs a miss.
_TOKEN_SECONDS: Final = 7 * 24 * 3600
_TOKEN_BYTES: Final = 9
_RUN_ID_BYTES: Final = 12


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
            reads.append(("MGET", *map(self._token, tags)))
        answer = await self._ask(*reads)
        stored = answer.replies[0]
        tokens = _tokens(answer, answer.replies[1]) if tags else ()
        return Found(fields=tuple(stored), tokens=tokens)

    async def claim(
        self, key: str, *, owner: str, seconds: float, fields: Sequence[str], tags: Sequence[str], anyhow: bool
    ) -> Claim:
        self._doorkeeper.saw(key)
        keys = [self._lease(key), self._entry(key), *map(self._token, tags)]
        words: Command = (owner, _milliseconds(seconds), os.urandom(_TOKEN_BYTES), _TOKEN_SECONDS, int(anyhow), *fields)
        answer = await self._ask(("EVAL", scripts.CLAIM, len(keys), *keys, *words))
        is_ours, others, stored, tokens = answer.replies[0]
        found = Found(fields=tuple(stored), tokens=_tokens(answer, tokens))
        return Claim(found=found, is_ours=bool(is_ours), others_seconds=None if others < 0 else others / 1000)

    async def store(self, key: str, *, owner: str, fields: Mapping[str, bytes], ttl_seconds: float) -> None:
        """Replace an entry. One above 1 MiB is not kept; one that was asked for once only is not kept for long."""
        release = self._release_of(key, owner=owner)
        if sum(len(value) for value in fields.values()) > ENTRY_MAX_BYTES:
            await self._ask(release)
            return
        stay_seconds = self._doorkeeper.stay_seconds(key, ttl_seconds=ttl_seconds)
        words = [word for field in fields.items() for word in field]
        replace: Command = ("EVAL", scripts.REPLACE, 1, self._entry(key), _milliseconds(stay_seconds), *words)
        await self._ask(replace, release)

    async def invalidate_tags(self, tags: Collection[str]) -> None:
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
        self._audience.tags_invalidated(tags)

    async def renew_lease(self, key: str, *, owner: str, seconds: float) -> bool:
        renew: Command = ("EVAL", scripts.RENEW_LEASE, 1, self._lease(key), owner, _milliseconds(seconds))
        return bool((await self._ask(renew)).replies[0])

    async def release_lease(self, key: str, *, owner: str) -> None:
        await self._ask(self._release_of(key, owner=owner))

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
        told = str(refusal)
        # Before Redis 7 what a script may not do is a mistake of the script, of which only the words tell.
        if isinstance(refusal, redis.ReadOnlyError) or "-READONLY " in told:
            # Somebody else is the primary now; a new connection may find it.
            self._session.give_up(told)
        elif not isinstance(refusal, redis.OutOfMemoryError) and "-OOM " not in told:
            self._session.failed(told)
        raise LevelUnavailable(told)

    def _entry(self, key: str) -> str:
        return f"{self._namespace}:entry:{key}"

    def _token(self, tag: str) -> str:
        return f"{self._namespace}:tag:{tag}"

    def _lease(self, key: str) -> str:
        return f"{self._namespace}:lease:{key}"

    def _release_of(self, key: str, *, owner: str) -> Command:
        told = released_message(key)
        return ("EVAL", scripts.RELEASE_LEASE, 1, self._lease(key), owner, self._session.channel, told)


def _tokens(answer: Answer, stored: Sequence[bytes | None]) -> tuple[bytes | None, ...]:
    run = answer.run_id[:_RUN_ID_BYTES]
    return tuple(None if token is None else run + token for token in stored)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
