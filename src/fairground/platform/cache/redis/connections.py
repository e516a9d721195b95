"""Connections to a Redis server with our time limits, and a few that many callers share."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import redis
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url

from fairground.platform.cache.redis.protocol import Command, Reply, ServerProtocol
from fairground.platform.cache.shared_level import LevelUnavailable

ANSWER_SECONDS: Final = 0.05
CONNECT_SECONDS: Final = 0.1
PIPELINE_COUNT: Final = 4  # so that one large entry does not delay all callers
_LATE_SECONDS: Final = 0.01
_RESTARTS_MAX: Final = 5

# TimeoutError is an OSError; the protocol raises ValueError for bytes that no Redis sends.
_FAILURES: Final = (redis.RedisError, OSError, EOFError, ValueError)


class _TimeLimit:
    """Calls a function after some seconds, unless it is cancelled before.

    If the event loop itself was late, the reply may have come and not been read: then the time starts again, a few
    times at most.
    """

    def __init__(self, seconds: float, expire: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._expire = expire
        self._restarts = _RESTARTS_MAX
        self._start()

    def _start(self) -> None:
        self._timer = self._loop.call_later(self._seconds, self._expire_or_restart)

    def _expire_or_restart(self) -> None:
        if self._restarts and self._loop.time() - self._timer.when() > _LATE_SECONDS:
            self._restarts -= 1
            self._start()
        else:
            self._expire()

    def cancel(self) -> None:
        self._timer.cancel()


@asynccontextmanager
async def _done_within(seconds: float) -> AsyncIterator[None]:
    """Leave the block with TimeoutError when it takes longer than that."""
    async with asyncio.timeout(None) as timeout:
        limit = _TimeLimit(seconds, lambda: timeout.reschedule(asyncio.get_running_loop().time()))
        try:
            yield
        finally:
            limit.cancel()


@dataclass(frozen=True, slots=True)
class Replies:
    run_id: bytes
    """Of the server that replied."""
    values: list[Reply]


class ServerConnection:
    """One connection, which several callers use at once.

    The first exchange opens it, and so does the next one after a failure. redis-py reads the URL; its own connection
    would take several times as long for an exchange, and its retries would hide lost messages.
    """

    def __init__(self, url: str) -> None:
        """Parse the URL.

        Raises:
            ValueError: The URL cannot be used.
        """
        arguments: dict[str, Any] = {**parse_url(url)}
        make = arguments.pop("connection_class", Connection)
        try:
            self._options: Connection | UnixDomainSocketConnection = make(**arguments)
        except TypeError as error:
            raise ValueError(f"an option in its query is unknown: {error}") from error
        self._protocol = ServerProtocol()
        self._opening: asyncio.Event | None = None
        self._refusal = ""
        self._closings = 0
        self.run_id = b""
        """Of the server process behind the open connection. Another process may have other data."""

    @property
    def calls(self) -> int:
        """How many calls wait for replies."""
        return self._protocol.calls

    async def exchange(self, commands: Sequence[Command]) -> Replies:
        """Send the commands together, and return the reply to each.

        Raises:
            LevelUnavailable: No connection, or no reply in time. It is unknown whether the commands were executed.
        """
        if not self._protocol.is_open:
            await self.open()
        protocol, run_id = self._protocol, self.run_id
        limit = _TimeLimit(ANSWER_SECONDS, lambda: protocol.close(TimeoutError()))
        try:
            return Replies(run_id, await protocol.call(commands))
        except _FAILURES as error:
            raise _unavailable(error) from error
        finally:
            limit.cancel()

    async def open(self) -> None:
        """Connect, unless connected. The time limit is a little longer than that of an exchange.

        Raises:
            LevelUnavailable: There is no connection.
        """
        if self._protocol.is_open:
            return
        if self._opening is None:
            await self._open_for_all()
            return
        await self._opening.wait()
        if not self._protocol.is_open:
            raise LevelUnavailable(self._refusal)

    async def _open_for_all(self) -> None:
        """Make the one attempt that all callers wait for: one after the other they would wait for a time limit each."""
        opening = self._opening = asyncio.Event()
        self._refusal = "The caller that connected was cancelled."
        try:
            await self._open()
        except _FAILURES as error:
            refusal = _unavailable(error)
            self._refusal = str(refusal)
            raise refusal from error
        except LevelUnavailable as refusal:
            self._refusal = str(refusal)
            raise
        finally:
            self._opening = None
            opening.set()

    async def _open(self) -> None:
        options, closings = self._options, self._closings
        loop = asyncio.get_running_loop()
        async with _done_within(CONNECT_SECONDS):
            if isinstance(options, UnixDomainSocketConnection):
                _, protocol = await loop.create_unix_connection(ServerProtocol, options.path)
            else:
                context = options.ssl_context.get() if isinstance(options, SSLConnection) else None
                transport, protocol = await loop.create_connection(
                    ServerProtocol, options.host, options.port, ssl=context
                )
                _keep_alive(transport.get_extra_info("socket"), options)
            try:
                run_id = await _greet(protocol, options)
                if closings != self._closings:
                    raise ConnectionError("The connection was closed while it was opened.")
            except BaseException as error:
                protocol.close(error)
                raise
        self._protocol, self.run_id = protocol, run_id

    async def send(self, command: Command) -> None:
        """Send a command whose reply `receive` returns.

        Raises:
            LevelUnavailable: It could not be sent.
        """
        try:
            self._protocol.send([command])
        except _FAILURES as error:
            raise _unavailable(error) from error

    async def receive(self, *, timeout_seconds: float) -> Reply:
        """Return the next reply or message of the server; None after the timeout.

        Raises:
            LevelUnavailable: The connection was lost.
        """
        protocol = self._protocol
        timeout = asyncio.timeout(timeout_seconds)
        try:
            async with timeout:
                return await protocol.receive()
        except _FAILURES as error:
            if timeout.expired():
                return None
            raise _unavailable(error) from error

    def close(self, reason: str = "The connection was closed.") -> None:
        """Close it; all calls that wait are refused."""
        self._closings += 1
        self._protocol.close(ConnectionError(reason))


def _keep_alive(connected: socket.socket, options: Connection) -> None:
    """Let the system notice that the server is away, although nothing is sent."""
    if options.socket_keepalive:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in cast("dict[int, int]", options.socket_keepalive_options).items():
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


async def _greet(protocol: ServerProtocol, options: Connection | UnixDomainSocketConnection) -> bytes:
    """Authenticate and choose the database; return the id of the server's run."""
    hello: Command = ("HELLO", 3)
    if options.username or options.password:
        hello += ("AUTH", options.username or "default", options.password or "")
    if options.client_name:
        hello += ("SETNAME", options.client_name)
    for refusal in await protocol.call([hello, ("SELECT", options.db)]):
        if isinstance(refusal, redis.ResponseError):
            raise refusal
    [information] = await protocol.call([("INFO", "server")])
    return _run_id(information)


def _run_id(information: Reply) -> bytes:
    if isinstance(information, redis.ResponseError):
        raise LevelUnavailable(f"The server refused INFO: {information}")
    line = next((line for line in bytes(information).splitlines() if line.startswith(b"run_id:")), b"")
    if not line:
        raise LevelUnavailable("INFO contains no run_id, so a server that restores an older copy would not be noticed.")
    return line.removeprefix(b"run_id:")


def _unavailable(error: BaseException) -> LevelUnavailable:
    return LevelUnavailable(str(error) or ("No answer in time" if isinstance(error, TimeoutError) else repr(error)))


class Pipelines:
    """A few connections for any number of callers, which wait for milliseconds at most.

    A thousand callers need no more, and a burst never waits for a hundred handshakes.
    """

    def __init__(self, connect: Callable[[], ServerConnection]) -> None:
        self._connections = [connect() for _ in range(PIPELINE_COUNT)]

    async def execute(self, *commands: Command) -> Replies:
        """Send commands, in this order and without others between them.

        Raises:
            LevelUnavailable: No reply; it is unknown whether they were executed.
        """
        return await min(self._connections, key=_calls_of).exchange(commands)

    def reset(self, reason: str) -> None:
        """Refuse all calls that wait, and connect again: the host name may now lead to another server."""
        for connection in self._connections:
            connection.close(reason)


def _calls_of(connection: ServerConnection) -> int:
    return connection.calls
