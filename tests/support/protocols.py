"""The HTTP protocol of the server without sockets: bytes in, bytes out, on a clock that the test sets."""

import asyncio
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from fairground.entrypoints.buffered_protocol import BufferedHttpProtocol
from fairground.entrypoints.connections import Connections
from fairground.entrypoints.settings import Settings
from fairground.platform.http.caching.head_cache import HeadCache

TURNS_MAX: Final = 2_000
"""Turns of the event loop that a response may take."""


class MemoryTransport(asyncio.Transport):
    """Collects what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = bytearray()
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.is_closed:
            self.sent += data

    def close(self) -> None:
        self.is_closed = True

    abort = close
    write_eof = close

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 40_000), "sockname": ("127.0.0.1", 80)}.get(name, default)

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Server:
    """Connections to one application, all with the same Date."""

    def __init__(self, app: ASGIApp, *, heads: HeadCache | None) -> None:
        self.heads = heads
        self.state = ServerState()
        self._config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False)
        self._config.load()
        self._limits = Connections(Settings(), trusted=["*"], most=10_000)
        self.set_date("then")

    def set_date(self, date: str) -> None:
        """Begin another second: uvicorn makes a new list of its headers for each."""
        self.state.default_headers = [(b"date", date.encode())]

    def connect(self) -> "Connection":
        return Connection(self)

    def make_protocol(self) -> BufferedHttpProtocol:
        return BufferedHttpProtocol(self._config, self.state, {}, connections=self._limits, heads=self.heads)


class Connection:
    """One connection, on which requests follow each other."""

    def __init__(self, server: Server) -> None:
        self.protocol = server.make_protocol()
        self.transport = MemoryTransport()
        self.protocol.connection_made(self.transport)

    @property
    def is_open(self) -> bool:
        return not self.transport.is_closed

    async def send(self, *pieces: bytes) -> bytes:
        """Deliver the pieces one after the other, and return what is sent once nothing is left to do."""
        before = len(self.transport.sent)
        for piece in pieces:
            if self.is_open:
                self.protocol.data_received(piece)
        for _ in range(TURNS_MAX):
            await asyncio.sleep(0)
            if not self.is_open or not self._is_busy():
                break
        await asyncio.sleep(0)
        return bytes(self.transport.sent[before:])

    def _is_busy(self) -> bool:
        cycle = cast("Any", self.protocol.cycle)
        return bool(self.protocol.pipeline) or (cycle is not None and not cycle.response_complete and _is_whole(cycle))

    def close(self) -> None:
        self.transport.close()
        self.protocol.connection_lost(None)


def _is_whole(cycle: Any) -> bool:
    """Return whether the request has arrived, so that an answer must follow."""
    return not cycle.more_body
