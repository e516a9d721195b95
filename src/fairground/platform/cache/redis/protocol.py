"""The protocol of Redis, RESP3: commands as bytes, replies as values, and the socket between them."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import redis

Command = tuple[str | bytes | int, ...]
Reply = Any
"""bytes, int, float, bool, list, dict or None; `redis.ResponseError` for an error."""

_END: Final = b"\r\n"
_LINE_MAX_BYTES: Final = 64 * 1024  # without its end is no reply of a Redis
_INCOMPLETE: Final = object()
_PUSH: Final = ord(">")


def encode_commands(commands: Sequence[Command]) -> bytes:
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for word in command:
            value = word if isinstance(word, bytes) else _encode_word(word)
            parts += (b"$%d\r\n" % len(value), value, _END)
    return b"".join(parts)


def _encode_word(word: str | int) -> bytes:
    if isinstance(word, str):
        return word.encode()
    if isinstance(word, int):
        return b"%d" % word
    raise ValueError(f"Invalid input: a command contains a {type(word).__name__}.")


def read_reply(buffer: bytes, at: int) -> tuple[Reply, int]:
    """Return the reply that begins at an index, and where the next one begins.

    The reply is `_INCOMPLETE` while its last bytes have not come.

    Raises:
        ValueError: No Redis sends such bytes.
    """
    end = buffer.find(_END, at)
    if end < 0:
        if len(buffer) - at > _LINE_MAX_BYTES:
            raise ValueError("a line without an end")
        return _INCOMPLETE, at
    kind, line, after = buffer[at : at + 1], buffer[at + 1 : end], end + 2
    read_scalar = _SCALARS.get(kind)
    if read_scalar is not None:
        return read_scalar(line), after
    count = int(line)
    if count < 0:
        return None, after
    if kind in b"$=!":
        return _read_text(buffer, kind, after, count)
    if kind in b"*~>%":
        return _read_members(buffer, kind, after, 2 * count if kind == b"%" else count)
    raise ValueError(f"a reply that begins with {kind!r}")


def _read_text(buffer: bytes, kind: bytes, at: int, size: int) -> tuple[Reply, int]:
    if len(buffer) < at + size + len(_END):
        return _INCOMPLETE, at
    text, after = buffer[at : at + size], at + size + len(_END)
    if kind == b"!":
        return _read_refusal(text), after
    return text[len(b"txt:") :] if kind == b"=" else text, after


def _read_members(buffer: bytes, kind: bytes, at: int, count: int) -> tuple[Reply, int]:
    members = []
    for _ in range(count):
        member, at = read_reply(buffer, at)
        if member is _INCOMPLETE:
            return _INCOMPLETE, at
        members.append(member)
    return dict(zip(members[::2], members[1::2], strict=True)) if kind == b"%" else members, at


def _read_refusal(text: bytes) -> redis.ResponseError:
    return redis.ResponseError(text.decode(errors="replace"))


_SCALARS: Final[dict[bytes, Callable[[bytes], Reply]]] = {
    b"+": bytes,
    b"-": _read_refusal,
    b":": int,
    b"_": lambda _: None,
    b"#": lambda line: line == b"t",
    b",": float,
    b"(": int,
}


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
        self._buffer = b""
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
        self._buffer = self._buffer + data if self._buffer else data
        at = 0
        try:
            while at < len(self._buffer):
                is_push = self._buffer[at] == _PUSH
                reply, after = read_reply(self._buffer, at)
                if reply is _INCOMPLETE:
                    break
                at = after
                self._dispatch(reply, is_push=is_push)
        except (ValueError, TypeError) as error:
            self.close(ValueError(f"The server sends what no Redis does: {error}"))
        self._buffer = self._buffer[at:]

    def _dispatch(self, reply: Reply, *, is_push: bool) -> None:
        if is_push or not self._calls:
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
