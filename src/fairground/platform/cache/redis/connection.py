"""One connection to a server: redis-py's protocol, and none of its retries, which would wait and hide lost messages."""

from collections.abc import Sequence
from typing import Any, Final

import redis
from redis.asyncio.connection import Connection, parse_url

from fairground.platform.cache.levels import LevelUnavailable
from fairground.platform.cache.redis.deadline import answered_within

ANSWER_SECONDS: Final = 0.05
CONNECT_SECONDS: Final = 0.1

Command = tuple[str | bytes | int, ...]
Reply = Any
"""What redis-py makes of an answer: bytes, int, list, dict or None; `redis.ResponseError` for a refusal."""

# TimeoutError is an OSError; ValueError is what the stream says of lines that no Redis sends.
_TROUBLES: Final = (redis.RedisError, OSError, EOFError, ValueError)


class ServerConnection:
    """Opened by the first exchange, and anew by the next one after a trouble."""

    def __init__(self, url: str) -> None:
        """Prepare it.

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
        """Of the server process behind the open connection: another one may have another past."""

    async def exchange(self, commands: Sequence[Command]) -> list[Reply]:
        """Send the commands together, and return the answer to each.

        Raises:
            LevelUnavailable: No connection, or no answer in time. Whether the commands were carried out is not known.
        """
        try:
            await self.open()
            async with answered_within(ANSWER_SECONDS):
                return await self._exchange(commands)
        except BaseException as error:
            await self.close()
            if isinstance(error, _TROUBLES):
                raise _unavailable(error) from error
            raise

    async def open(self) -> None:
        """Connect, unless connected; in a little longer than an exchange may take.

        Raises:
            LevelUnavailable: That did not succeed.
        """
        if self._connection.is_connected:
            return
        try:
            async with answered_within(CONNECT_SECONDS):
                await self._connection.connect()  # type: ignore[no-untyped-call] # theirs has no annotations
                [told] = await self._exchange([("INFO", "server")])
        except BaseException as error:
            await self.close()
            if isinstance(error, _TROUBLES):
                raise _unavailable(error) from error
            raise
        self.run_id = _run_id(told)

    async def send(self, command: Command) -> None:
        """Send a command whose answer comes by `receive`.

        Raises:
            LevelUnavailable: It could not be sent.
        """
        try:
            async with answered_within(ANSWER_SECONDS):
                await self._connection.send_packed_command(self._connection.pack_command(*command), check_health=False)
        except _TROUBLES as error:
            raise _unavailable(error) from error

    async def receive(self, *, timeout_seconds: float) -> Reply:
        """Return the next thing that the server says, messages included; None when it says nothing for so long.

        Raises:
            LevelUnavailable: The connection was lost.
        """
        try:
            return await self._connection.read_response(timeout=timeout_seconds, push_request=True)
        except _TROUBLES as error:
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


def _run_id(told: Reply) -> bytes:
    if isinstance(told, redis.ResponseError):
        raise LevelUnavailable(f"The server refused INFO: {told}")
    line = next((line for line in bytes(told).splitlines() if line.startswith(b"run_id:")), b"")
    if not line:
        raise LevelUnavailable("The server tells no run_id in INFO, so copies that it restores would not be noticed.")
    return line.removeprefix(b"run_id:")


def _unavailable(error: BaseException) -> LevelUnavailable:
    return LevelUnavailable(str(error) or ("No answer in time" if isinstance(error, TimeoutError) else repr(error)))
