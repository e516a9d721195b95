"""Answers that leave in one piece: their head and what there is of their body by then, in one system call."""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HELD_MAX_BYTES: Final = 64 * 1024  # what streams is not gathered in memory


class WholeAnswers(HttpToolsProtocol):
    """uvicorn's protocol, which writes the head of an answer and its body one after the other.

    Each of them would be a packet of its own, and the second system call costs as much as all that the cache does for
    an answer that it has.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        joined = JoinedWrites(cast("asyncio.Transport", transport))
        super().connection_made(cast("asyncio.Transport", joined))


class JoinedWrites:
    """A transport that writes at the end of the event loop's turn what it was given during it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, piece: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes > HELD_MAX_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(b"".join(self._held))
        self._held.clear()
        self._held_bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Return everything else from the transport as it is."""
        return getattr(self._transport, name)
