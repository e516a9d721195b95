"""Whether the level can be used: found out in the background, so that no request waits for a server that is away."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

import redis
import structlog

from fairground.platform.cache.levels import Backlog, LevelState, LevelUnavailable
from fairground.platform.cache.redis.audience import Audience
from fairground.platform.cache.redis.breaker import Breaker
from fairground.platform.cache.redis.connection import Command, ServerConnection
from fairground.platform.cache.redis.lanes import Lanes
from fairground.platform.cache.redis.subscription import Subscription
from fairground.platform.db.dialect.base import DatabaseUnavailable

PROBE_SECONDS: Final = 1.0
_OTHERS_SECONDS: Final = 1.5  # in which every process has looked for the server
_SETTLE_SECONDS: Final = 0.2

log = structlog.get_logger()


class Session:
    """Keeps `state` true to what is known.

    An outage is any time in which a renewal may have been missed, here or elsewhere: the server did not answer, the
    subscription broke, or a renewal of this process failed. After one, the database is asked what is still to be done.
    """

    def __init__(
        self,
        *,
        connect: Callable[[], ServerConnection],
        namespace: str,
        lanes: Lanes,
        backlog: Backlog,
        audience: Audience,
    ) -> None:
        self.state = LevelState.OFF
        self.reason = "it was not reached yet"
        """Why it is off, or was off last."""
        self.run_id = b""
        """Of the server that all are connected to."""
        self.channel = f"{namespace}:told"
        self._connect = connect
        # Something that writes, because a replica answers reads; and that a full server takes, too.
        self._greeting: Command = ("DEL", f"{namespace}:greeting")
        self._lanes = lanes
        self._backlog = backlog
        self._audience = audience
        self._breaker = Breaker()
        self._stay: asyncio.Timeout | None = None
        self._doubts = 0
        self._doubted = asyncio.Event()
        self._trusted_from = 0.0

    def succeeded(self) -> None:
        self._breaker.succeeded()

    def failed(self, reason: str) -> None:
        """Count a call that was not answered."""
        self._breaker.failed()
        if self._breaker.is_open:
            self.give_up(reason)

    def give_up(self, reason: str) -> None:
        """Leave the server alone, at once."""
        if self.state is not LevelState.OFF:
            self.state, self.reason = LevelState.OFF, reason
            if self._stay is not None:
                self._stay.reschedule(0)

    def doubt(self) -> None:
        """Stop reading until it is known that no renewal is missing."""
        self._doubts += 1
        self._doubted.set()
        if self.state is LevelState.ON:
            self.state = LevelState.SETTLING

    async def run(self) -> None:
        """Look for the server each second, and stay with it as long as it is there."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._settle())
            group.create_task(self._look())

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_at, reason_before = loop.time(), self.reason
            try:
                await self._hold()
            except LevelUnavailable as error:
                self.reason = str(error)
            except Exception as error:
                # Our mistake or the library's: the program goes on without the level, and this looks on.
                self.reason = repr(error)
                log.exception("cache.session_failed")
            if self.reason != reason_before:
                log.warning("cache.level_lost", reason=self.reason)
            pause = PROBE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
            await asyncio.sleep(began_at + pause - loop.time())

    async def _hold(self) -> None:
        subscription = Subscription(self._connect())
        try:
            await subscription.open(self.channel)
            await self._greet()
            self._begin(subscription.run_id)
            # It ends when the connection does, or when the requests have given the server up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None) as self._stay:
                    await subscription.run(
                        on_tags=self._audience.tags_invalidated, on_released=self._audience.lease_released
                    )
        finally:
            self.state = LevelState.OFF
            self._lanes.start_anew()
            self._audience.disconnected()
            await subscription.close()

    async def _greet(self) -> None:
        answer = await self._lanes.ask(self._greeting)
        if isinstance(refusal := answer.replies[0], redis.ResponseError):
            raise LevelUnavailable(str(refusal))

    def _begin(self, run_id: bytes) -> None:
        self._breaker.reset()
        if self.run_id:
            # It is not the first time. Others may find the server a little later, and what they are to renew meanwhile
            # is only in the backlog.
            self._trusted_from = asyncio.get_running_loop().time() + _OTHERS_SECONDS
        self.run_id = run_id
        self.state = LevelState.SETTLING
        self.doubt()
        self._audience.connected()

    async def _settle(self) -> None:
        while True:
            await self._doubted.wait()
            await asyncio.sleep(self._trusted_from - asyncio.get_running_loop().time())
            doubts = self._doubts
            is_settled = await self._is_settled()
            if self.state is LevelState.OFF:
                self._doubted.clear()  # the next beginning doubts again
            elif is_settled and doubts == self._doubts:
                self._doubted.clear()
                self.state, self.reason = LevelState.ON, ""
                log.info("cache.level_on")
            else:
                await asyncio.sleep(_SETTLE_SECONDS)

    async def _is_settled(self) -> bool:
        try:
            return await self._backlog.is_settled()
        except DatabaseUnavailable:
            return False
        except Exception:
            log.exception("cache.backlog_failed")  # as above
            return False
