"""The protocol of Redis, RESP3, by hiredis: commands as bytes, replies as values, and the socket between them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import hiredis
import redis

Command = tuple[str | bytes | int, ...]
Reply = Any
"""bytes, int, float, bool, list, dict or None; `redis.ResponseError` for an error."""

_INCOMPLETE: Final = object()


def encode_commands(commands: Sequence[Command]) -> bytes:
    """Return the bytes of commands; raise ValueError for a word that is neither text nor bytes nor a number."""
    try:
        return b"".join([hiredis.pack_command(cast("Any", command)) for command in commands])
    except TypeError as error:
        raise ValueError(f"Invalid input: {error}") from error


@dataclass(slots=True, eq=False)
class _Call:
    """Commands that were sent, and their replies so far."""

    count: int
    done: "asyncio.Future[list[Reply]]"
    replies: list[Reply] = field(default_factory=list)


class ServerProtocol(asyncio.Protocol):
    """One socket to a server. Commands are sent at once, however many others wait: replies come in the same order."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(
            protocolError=ValueError, replyError=redis.ResponseError, notEnoughData=_INCOMPLETE
        )
        self._calls: deque[_Call] = deque()
        self._messages: asyncio.Queue[Reply] = asyncio.Queue()
        self._failure: BaseException | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and self._failure is None

    @property
    def calls(self) -> int:
        """How many calls wait for replies."""
        return len(self._calls)

    def call(self, commands: Sequence[Command]) -> "asyncio.Future[list[Reply]]":
        """Send commands, in this order and without others between them; the future gets the reply to each.

        It gets an OSError or ValueError when the connection is lost or damaged first.
        """
        call = _Call(len(commands), asyncio.get_running_loop().create_future())
        self.send(commands)
        self._calls.append(call)
        return call.done

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands whose replies are messages.

        Raises:
            OSError, ValueError: The connection was lost or damaged.
        """
        if self._transport is None or self._failure is not None:
            raise self._failure or ConnectionError("The connection is not open.")
        self._transport.write(encode_commands(commands))

    async def receive(self) -> Reply:
        """Return the next message: what the server pushes, and replies that no call waits for.

        Raises:
            OSError, ValueError: The connection was lost or damaged.
        """
        if self._failure is not None and self._messages.empty():
            raise self._failure
        message = await self._messages.get()
        if isinstance(message, BaseException) and not isinstance(message, redis.ResponseError):
            raise message
        return message

    def close(self, failure: BaseException) -> None:
        """Close the connection; all who wait get the failure, unless there was an earlier one."""
        if self._failure is None:
            self._failure = failure
            self._messages.put_nowait(failure)
            for call in self._calls:
                if not call.done.done():
                    call.done.set_exception(failure)
            self._calls.clear()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not _INCOMPLETE:
                self._dispatch(reply)
        except (ValueError, TypeError) as error:
            self.close(ValueError(f"The server sends what no Redis does: {error}"))

    def _dispatch(self, reply: Reply) -> None:
        if isinstance(reply, hiredis.PushNotification) or not self._calls:
            self._messages.put_nowait(reply)
            return
        call = self._calls[0]
        call.replies.append(reply)
        if len(call.replies) == call.count:
            self._calls.popleft()
            if not call.done.done():
                call.done.set_result(call.replies)

    def connection_lost(self, exc: Exception | None) -> None:
        self.close(exc if isinstance(exc, OSError) else ConnectionError("Connection closed by server."))
