"""Who hears in this process what the processes tell each other: keepers of copies, and who waits for a lease."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fairground.platform.cache.levels import TagListener


class OpenNotice:
    def __init__(self) -> None:
        self._released = asyncio.Event()

    def ring(self) -> None:
        self._released.set()

    async def wait(self, *, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._released.wait()
        except TimeoutError:
            return
        self._released.clear()


class Audience:
    """The one listener to tags, and the open notices by key.

    Every process hears of every release, so that opening a notice asks nothing of the server.
    """

    def __init__(self) -> None:
        self._listener: TagListener | None = None
        self._open: dict[str, set[OpenNotice]] = {}

    def add(self, listener: TagListener) -> None:
        self._listener = listener

    @asynccontextmanager
    async def notice(self, key: str) -> AsyncIterator[OpenNotice]:
        notice = OpenNotice()
        self._open.setdefault(key, set()).add(notice)
        try:
            yield notice
        finally:
            notices = self._open[key]
            notices.remove(notice)
            if not notices:
                del self._open[key]

    def lease_released(self, key: str) -> None:
        for notice in self._open.get(key, ()):
            notice.ring()

    def tags_invalidated(self, tags: Collection[str]) -> None:
        if self._listener is not None:
            self._listener.tags_invalidated(tags)

    def connected(self) -> None:
        if self._listener is not None:
            self._listener.connected()

    def disconnected(self) -> None:
        if self._listener is not None:
            self._listener.disconnected()
        # What they wait for may have gone by unheard, so everybody looks again.
        for key in self._open:
            self.lease_released(key)
