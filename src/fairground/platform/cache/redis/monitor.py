"""Monitors the server of the shared level in the background, so that no request waits for a server that is away."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Final

import redis
import structlog

from fairground.platform.cache.redis.channel import Subscribers, Subscription
from fairground.platform.cache.redis.connections import Pipelines, ServerConnection
from fairground.platform.cache.redis.protocol import Command
from fairground.platform.cache.shared_level import Backlog, LevelState, LevelUnavailable
from fairground.platform.db.dialect.base import DatabaseUnavailable

PROBE_SECONDS: Final = 1.0
FAILURES_IN_A_ROW: Final = 5
_FEWEST_CALLS: Final = 10  # of fewer calls, a half is no evidence
_OTHERS_SECONDS: Final = 1.5  # in which every process has tried to connect to the server
_SETTLE_SECONDS: Final = 0.2

log = structlog.get_logger()


class CircuitBreaker:
    """Opens after five failures in a row, or when half of the calls of the last two seconds failed."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        self._in_a_row = 0
        self._second = 0
        self._now, self._before = [0, 0], [0, 0]  # calls and failures, in this second and in the one before

    def record_success(self) -> None:
        self._in_a_row = 0
        self._count(failures=0)

    def record_failure(self) -> None:
        self._in_a_row += 1
        self._count(failures=1)

    @property
    def is_open(self) -> bool:
        calls, failures = (sum(pair) for pair in zip(self._now, self._before, strict=True))
        return self._in_a_row >= FAILURES_IN_A_ROW or (calls >= _FEWEST_CALLS and 2 * failures >= calls)

    def _count(self, *, failures: int) -> None:
        second = int(self._clock())
        if second != self._second:
            self._before = self._now if second == self._second + 1 else [0, 0]
            self._now, self._second = [0, 0], second
        self._now[0] += 1
        self._now[1] += failures


class ServerMonitor:
    """Keeps `state` up to date.

    An outage is any time in which an invalidation may have been missed, by this process or another: the server did not
    answer, the subscription was lost, or an invalidation of this process failed. After an outage the level settles: it
    is not read before the backlog of invalidations is empty.
    """

    def __init__(
        self,
        *,
        connect: Callable[[], ServerConnection],
        namespace: str,
        pipelines: Pipelines,
        backlog: Backlog,
        subscribers: Subscribers,
    ) -> None:
        self.state = LevelState.OFF
        self.reason = "it was not reached yet"
        """Why it is off, or was off last."""
        self.run_id = b""
        """Of the server that all connections lead to."""
        self.channel = f"{namespace}:messages"
        self._connect = connect
        # A write, because a replica replies to reads; and one that a full server accepts.
        self._probe: Command = ("DEL", f"{namespace}:greeting")
        self._pipelines = pipelines
        self._backlog = backlog
        self._subscribers = subscribers
        self._breaker = CircuitBreaker()
        self._connected: asyncio.Timeout | None = None
        self._misses = 0
        self._is_unsettled = asyncio.Event()
        self._settled_from = 0.0

    def record_success(self) -> None:
        self._breaker.record_success()

    def record_failure(self, reason: str) -> None:
        """Count a call without a reply."""
        self._breaker.record_failure()
        if self._breaker.is_open:
            self.switch_off(reason)

    def switch_off(self, reason: str) -> None:
        """Stop using the server, at once."""
        if self.state is not LevelState.OFF:
            self.state, self.reason = LevelState.OFF, reason
            if self._connected is not None:
                self._connected.reschedule(0)

    def invalidation_missed(self) -> None:
        """Stop reading until the backlog of invalidations is known to be empty."""
        self._misses += 1
        self._is_unsettled.set()
        if self.state is LevelState.ON:
            self.state = LevelState.SETTLING

    async def run(self) -> None:
        """Try to connect each second, and stay connected as long as the server answers."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._settle())
            group.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_at, reason_before = loop.time(), self.reason
            try:
                await self._stay_connected()
            except LevelUnavailable as error:
                self.reason = str(error)
            except Exception as error:
                # An error of ours or of the library: the program goes on without the level, and this task retries.
                self.reason = repr(error)
                log.exception("cache.session_failed")
            if self.reason != reason_before:
                log.warning("cache.level_lost", reason=self.reason)
            pause = PROBE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
            await asyncio.sleep(began_at + pause - loop.time())

    async def _stay_connected(self) -> None:
        subscription = Subscription(self._connect())
        try:
            await subscription.open(self.channel)
            await self._probe_server()
            self._begin(subscription.run_id)
            # Ends with the connection, or when `switch_off` expires the timeout.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None) as self._connected:
                    await subscription.run(
                        on_tags=self._subscribers.tags_invalidated, on_released=self._subscribers.lease_released
                    )
        finally:
            self.state = LevelState.OFF
            self._pipelines.reset("The server did not answer.")
            self._subscribers.disconnected()
            subscription.close()

    async def _probe_server(self) -> None:
        replies = await self._pipelines.execute(self._probe)
        if isinstance(refusal := replies.values[0], redis.ResponseError):
            raise LevelUnavailable(str(refusal))

    def _begin(self, run_id: bytes) -> None:
        self._breaker.reset()
        if self.run_id:
            # Not the first connection. Other processes may reconnect a little later; until then what they invalidate
            # is in the backlog only.
            self._settled_from = asyncio.get_running_loop().time() + _OTHERS_SECONDS
        self.run_id = run_id
        self.state = LevelState.SETTLING
        self.invalidation_missed()
        self._subscribers.connected()

    async def _settle(self) -> None:
        while True:
            await self._is_unsettled.wait()
            await asyncio.sleep(self._settled_from - asyncio.get_running_loop().time())
            misses = self._misses
            is_applied = await self._is_backlog_applied()
            if self.state is LevelState.OFF:
                self._is_unsettled.clear()  # the next connection sets it again
            elif is_applied and misses == self._misses:
                self._is_unsettled.clear()
                self.state, self.reason = LevelState.ON, ""
                log.info("cache.level_on")
            else:
                await asyncio.sleep(_SETTLE_SECONDS)

    async def _is_backlog_applied(self) -> bool:
        try:
            return await self._backlog.is_applied()
        except DatabaseUnavailable:
            return False
        except Exception:
            log.exception("cache.backlog_failed")  # as in `_reconnect`
            return False
