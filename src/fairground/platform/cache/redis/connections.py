"""Connections to a Redis server: redis-py's protocol with our time limits, and pipelines that many callers share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis
import structlog
from redis.asyncio.connection import Connection, parse_url

from fairground.platform.cache.shared_level import LevelUnavailable

ANSWER_SECONDS: Final = 0.05
CONNECT_SECONDS: Final = 0.1
PIPELINE_COUNT: Final = 4  # so that one large entry does not delay all callers
_BATCH_MAX: Final = 64
_LATE_SECONDS: Final = 0.01
_RESTARTS_MAX: Final = 5

Command = tuple[str | bytes | int, ...]
Reply = Any
"""A reply as redis-py parses it: bytes, int, list, dict or None; `redis.ResponseError` for an error."""

# TimeoutError is an OSError; redis-py raises ValueError for lines that no Redis sends.
_FAILURES: Final = (redis.RedisError, OSError, EOFError, ValueError)

log = structlog.get_logger()


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Leave the block with TimeoutError when it takes longer than that.

    If the event loop itself was late, the reply may have come and not been read: then the time starts again, a few
    times at most.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        restarts = _RESTARTS_MAX
        timer: asyncio.TimerHandle

        def expire_or_restart() -> None:
            nonlocal restarts, timer
            if restarts and loop.time() - timer.when() > _LATE_SECONDS:
                restarts -= 1
                timer = loop.call_later(seconds, expire_or_restart)
            else:
                limit.reschedule(loop.time())

        timer = loop.call_later(seconds, expire_or_restart)
        try:
            yield
        finally:
            timer.cancel()


class ServerConnection:
    """One connection without redis-py's retries, which would wait and hide lost messages.

    The first exchange opens it, and so does the next one after a failure.
    """

    def __init__(self, url: str) -> None:
        """Parse the URL.

        Raises:
            ValueError: The URL cannot be used.
        """
        arguments: dict[str, Any] = {**parse_url(url)}
        make = arguments.pop("connection_class", Connection)
        try:
            self._connection: Connection = make(**arguments, protocol=3, socket_timeout=None, driver_info=None)
        except TypeError as error:
            raise ValueError(f"an option in its query is unknown: {error}") from error
        self.run_id = b""
        """Of the server process behind the open connection. Another process may have other data."""

    async def exchange(self, commands: Sequence[Command]) -> list[Reply]:
        """Send the commands together, and return the reply to each.

        Raises:
            LevelUnavailable: No connection, or no reply in time. It is unknown whether the commands were executed.
        """
        try:
            await self.open()
            async with answered_within(ANSWER_SECONDS):
                return await self._exchange(commands)
        except BaseException as error:
            await self.close()
            if isinstance(error, _FAILURES):
                raise _unavailable(error) from error
            raise

    async def open(self) -> None:
        """Connect, unless connected. The time limit is a little longer than that of an exchange.

        Raises:
            LevelUnavailable: There is no connection.
        """
        if self._connection.is_connected:
            return
        try:
            async with answered_within(CONNECT_SECONDS):
                await self._connection.connect()  # type: ignore[no-untyped-call] # theirs has no annotations
                [information] = await self._exchange([("INFO", "server")])
        except BaseException as error:
            await self.close()
            if isinstance(error, _FAILURES):
                raise _unavailable(error) from error
            raise
        self.run_id = _run_id(information)

    async def send(self, command: Command) -> None:
        """Send a command whose reply `receive` returns.

        Raises:
            LevelUnavailable: It could not be sent.
        """
        try:
            async with answered_within(ANSWER_SECONDS):
                await self._connection.send_packed_command(self._connection.pack_command(*command), check_health=False)
        except _FAILURES as error:
            raise _unavailable(error) from error

    async def receive(self, *, timeout_seconds: float) -> Reply:
        """Return the next reply or message of the server; None after the timeout.

        Raises:
            LevelUnavailable: The connection was lost.
        """
        try:
            return await self._connection.read_response(timeout=timeout_seconds, push_request=True)
        except _FAILURES as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        await self._connection.disconnect(nowait=True)

    async def _exchange(self, commands: Sequence[Command]) -> list[Reply]:
        await self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)
        return [await self._read() for _ in commands]

    async def _read(self) -> Reply:
        try:
            return await self._connection.read_response()
        except redis.ResponseError as refusal:
            return refusal


def _run_id(information: Reply) -> bytes:
    if isinstance(information, redis.ResponseError):
        raise LevelUnavailable(f"The server refused INFO: {information}")
    line = next((line for line in bytes(information).splitlines() if line.startswith(b"run_id:")), b"")
    if not line:
        raise LevelUnavailable("INFO contains no run_id, so a server that restores an older copy would not be noticed.")
    return line.removeprefix(b"run_id:")


def _unavailable(error: BaseException) -> LevelUnavailable:
    return LevelUnavailable(str(error) or ("No answer in time" if isinstance(error, TimeoutError) else repr(error)))


@dataclass(frozen=True, slots=True)
class Replies:
    run_id: bytes
    """Of the server that replied."""
    values: list[Reply]


@dataclass(frozen=True, slots=True)
class _Call:
    commands: Sequence[Command]
    replies: "asyncio.Future[Replies]"


class Pipelines:
    """Executes commands on a few connections. Callers wait for a batch, which ends or fails within milliseconds.

    Commands that are queued while all connections are busy go out together in the next batch.
    """

    def __init__(self, connect: Callable[[], ServerConnection]) -> None:
        self._connect = connect
        self._calls: asyncio.Queue[_Call] = asyncio.Queue()
        self._generation = 0

    async def execute(self, *commands: Command) -> Replies:
        """Send commands, in this order and without others between them.

        Raises:
            LevelUnavailable: No reply; it is unknown whether they were executed.
        """
        call = _Call(commands, asyncio.get_running_loop().create_future())
        self._calls.put_nowait(call)
        return await call.replies

    def reset(self) -> None:
        """Refuse the queued calls, and connect again: the host name may now lead to another server."""
        self._generation += 1
        while not self._calls.empty():
            _refuse(self._calls.get_nowait(), "The server did not answer.")

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(PIPELINE_COUNT):
                    group.create_task(self._run_pipeline(self._connect()))
        finally:
            self.reset()

    async def _run_pipeline(self, connection: ServerConnection) -> None:
        generation = self._generation
        try:
            while True:
                batch = [await self._calls.get()]
                if generation != self._generation:
                    generation = self._generation
                    await connection.close()
                await self._execute_batch(connection, batch)
        finally:
            await connection.close()

    async def _execute_batch(self, connection: ServerConnection, batch: list[_Call]) -> None:
        while len(batch) < _BATCH_MAX and not self._calls.empty():
            batch.append(self._calls.get_nowait())
        try:
            replies = await connection.exchange([command for call in batch for command in call.commands])
        except LevelUnavailable as error:
            for call in batch:
                _refuse(call, str(error))
            return
        except asyncio.CancelledError:
            for call in batch:
                _refuse(call, "The level was closed.")
            raise
        except Exception:
            # An error of ours or of the library: requests go on without the level, and so does the program.
            log.exception("cache.turn_failed", commands=len(batch))
            for call in batch:
                _refuse(call, "The level has failed.")
            return
        for call in batch:
            count = len(call.commands)
            own, replies = replies[:count], replies[count:]
            if not call.replies.done():
                call.replies.set_result(Replies(connection.run_id, own))


def _refuse(call: _Call, reason: str) -> None:
    if not call.replies.done():
        call.replies.set_exception(LevelUnavailable(reason))
