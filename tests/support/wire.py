"""A server of an ASGI application in this process, and requests to it as bytes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx
import uvicorn
from starlette.types import ASGIApp

from fairground.entrypoints.connections import Connections
from fairground.entrypoints.server import make_protocol
from fairground.entrypoints.settings import Settings

KEEP_ALIVE_SECONDS: Final = 1
ANSWER_SECONDS: Final = 60
"""Far more than an answer takes: a loaded machine must not fail a test."""


@asynccontextmanager
async def serving(
    app: ASGIApp, *, connections: Connections | None = None, keep_alive_seconds: int = KEEP_ALIVE_SECONDS
) -> AsyncIterator[int]:
    """Serve on a free port of loopback. Without `connections` nothing is limited, for nothing sweeps."""
    limits = Connections(Settings(), trusted=[], most=10_000) if connections is None else connections
    protocol = make_protocol(app, connections=limits)
    config = uvicorn.Config(
        app, http=protocol, log_config=None, lifespan="off", port=0, timeout_keep_alive=keep_alive_seconds
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    ticking = asyncio.create_task(server.main_loop())
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await ticking
    await server.shutdown()


async def exchange(port: int, *pieces: bytes, pause_seconds: float = 0.02) -> bytes:
    """Send pieces with a pause between them over one connection, say that no more will come, and read to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(pause_seconds)
            writer.write(piece)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await reader.read()
    finally:
        writer.close()


def parse(wire: bytes, *, methods: Sequence[str] = ()) -> list[httpx.Response]:
    """Return the answers that a connection has sent; to HEAD there is no body."""
    found: list[httpx.Response] = []
    at = 0
    while at < len(wire):
        end = wire.index(b"\r\n\r\n", at)
        status, *lines = wire[at:end].decode("latin-1").split("\r\n")
        headers = httpx.Headers([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
        method = methods[len(found)] if len(found) < len(methods) else "GET"
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        body, at = wire[end + 4 : end + 4 + length], end + 4 + length
        assert status.startswith("HTTP/1.1 "), status
        assert len(body) == length
        found.append(httpx.Response(int(status.split()[1]), headers=headers, content=body))
    return found
