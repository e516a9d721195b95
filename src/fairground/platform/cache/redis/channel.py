"""The channel on which processes publish invalidated tags and released leases, and its subscribers in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Final

from fairground.platform.cache.redis.connections import CONNECT_SECONDS, ServerConnection
from fairground.platform.cache.shared_level import LevelUnavailable, TagListener

SILENCE_SECONDS: Final = 1.0  # after which a PING is sent, which has as long to be answered

_TAGS, _RELEASED = "tags", "released"


def tags_message(tags: Collection[str]) -> bytes:
    return "\n".join([_TAGS, *tags]).encode()


def released_message(key: str) -> bytes:
    return f"{_RELEASED}\n{key}".encode()


class Subscription:
    """One subscribed connection. It never reconnects, because messages would be lost without an error."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    @property
    def run_id(self) -> bytes:
        """Of the server that it is open to."""
        return self._connection.run_id

    async def open(self, channel: str) -> None:
        """Subscribe. Messages published from now on will be received.

        Raises:
            LevelUnavailable: There is no subscription.
        """
        await self._connection.open()
        await self._connection.send(("SUBSCRIBE", channel))
        confirmation = await self._connection.receive(timeout_seconds=CONNECT_SECONDS)
        if not isinstance(confirmation, list) or confirmation[0] != b"subscribe":
            raise LevelUnavailable(f"The server did not confirm the subscription, but replied {confirmation!r}.")

    async def run(self, *, on_tags: Callable[[Collection[str]], None], on_released: Callable[[str], None]) -> None:
        """Dispatch messages until the connection is lost or silent.

        Raises:
            LevelUnavailable: The subscription has ended.
        """
        is_ping_sent = False
        while True:
            received = await self._connection.receive(timeout_seconds=SILENCE_SECONDS)
            if received is None:
                if is_ping_sent:
                    raise LevelUnavailable("The server has fallen silent.")
                await self._connection.send(("PING",))
            is_ping_sent = received is None
            match received:
                case [b"message", _, bytes(message)]:
                    kind, *words = message.decode(errors="replace").split("\n")
                    if kind == _TAGS:
                        on_tags(words)
                    elif kind == _RELEASED:
                        on_released(words[0] if words else "")
                case _:
                    pass  # the reply to PING

    def close(self) -> None:
        self._connection.close()


class ReleaseWaiter:
    """A `LeaseWaiter`."""

    def __init__(self) -> None:
        self._released = asyncio.Event()

    def notify(self) -> None:
        self._released.set()

    async def wait(self, *, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._released.wait()
        except TimeoutError:
            return
        self._released.clear()


class Subscribers:
    """The receivers of messages in this process: one listener to tags, and the waiters for leases by key.

    Every process receives every release, so a new waiter sends nothing to the server.
    """

    def __init__(self) -> None:
        self._listener: TagListener | None = None
        self._waiters: dict[str, set[ReleaseWaiter]] = {}

    def add(self, listener: TagListener) -> None:
        self._listener = listener

    @asynccontextmanager
    async def lease_waiter(self, key: str) -> AsyncIterator[ReleaseWaiter]:
        waiter = ReleaseWaiter()
        self._waiters.setdefault(key, set()).add(waiter)
        try:
            yield waiter
        finally:
            waiters = self._waiters[key]
            waiters.remove(waiter)
            if not waiters:
                del self._waiters[key]

    def lease_released(self, key: str) -> None:
        for waiter in self._waiters.get(key, ()):
            waiter.notify()

    def tags_invalidated(self, tags: Collection[str]) -> None:
        if self._listener is not None:
            self._listener.tags_invalidated(tags)

    def connected(self) -> None:
        if self._listener is not None:
            self._listener.connected()

    def disconnected(self) -> None:
        if self._listener is not None:
            self._listener.disconnected()
        # A release may have been missed, so all waiters look up their entries.
        for key in self._waiters:
            self.lease_released(key)
