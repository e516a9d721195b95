"""What the processes tell each other: which tags were renewed, which leases were released."""

from collections.abc import Callable, Collection
from typing import Final

from fairground.platform.cache.levels import LevelUnavailable
from fairground.platform.cache.redis.connection import CONNECT_SECONDS, ServerConnection

SILENCE_SECONDS: Final = 1.0  # after which the server is asked for a sign of life, and has as long to give it

_TAGS, _RELEASED = "tags", "released"


def tags_message(tags: Collection[str]) -> bytes:
    return "\n".join([_TAGS, *tags]).encode()


def released_message(key: str) -> bytes:
    return f"{_RELEASED}\n{key}".encode()


class Subscription:
    """One subscribed connection. It is never mended: with it, messages were lost, and only its end says so."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    @property
    def run_id(self) -> bytes:
        """Of the server that it is open to."""
        return self._connection.run_id

    async def open(self, channel: str) -> None:
        """Subscribe. Messages published from now on will be received.

        Raises:
            LevelUnavailable: That did not succeed.
        """
        await self._connection.open()
        await self._connection.send(("SUBSCRIBE", channel))
        confirmed = await self._connection.receive(timeout_seconds=CONNECT_SECONDS)
        if not isinstance(confirmed, list) or confirmed[0] != b"subscribe":
            raise LevelUnavailable(f"The server did not confirm the subscription, but said {confirmed!r}.")

    async def run(self, *, on_tags: Callable[[Collection[str]], None], on_released: Callable[[str], None]) -> None:
        """Pass messages on, until the connection is lost or silent.

        Raises:
            LevelUnavailable: It is over.
        """
        is_asked = False
        while True:
            said = await self._connection.receive(timeout_seconds=SILENCE_SECONDS)
            if said is None:
                if is_asked:
                    raise LevelUnavailable("The server has fallen silent.")
                await self._connection.send(("PING",))
            is_asked = said is None
            match said:
                case [b"message", _, bytes(message)]:
                    kind, *words = message.decode(errors="replace").split("\n")
                    if kind == _TAGS:
                        on_tags(words)
                    elif kind == _RELEASED:
                        on_released(words[0] if words else "")
                case _:
                    pass  # a sign of life

    async def close(self) -> None:
        await self._connection.close()
