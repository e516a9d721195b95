"""A server on loopback that answers with the bytes that a test gives it, and counts its connections."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    answer: Answer
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    """The head of each request."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Whole responses by path. Where there are any, `answer` is that for other paths."""

    @property
    def paths(self) -> list[str]:
        """What was asked for."""
        return [head.split()[1].decode() for head in self.requests]

    async def on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            file = self.files.get(self.requests[-1].split()[1].decode())
            await (self.answer(writer) if file is None else answer_with(file)(writer))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def answer_with(*parts: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


def ok(body: bytes, *headers: str, media_type: str = "image/png") -> bytes:
    """Return a whole response with its length."""
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {media_type}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def serving(
    answer: Answer, *, hosts: tuple[str, ...] = ("127.0.0.1",), tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[RawServer]:
    """Serve at one port of each host while the block runs."""
    server, opened = RawServer(answer, port), []
    try:
        for host in hosts:
            opened.append(await asyncio.start_server(server.on_connection, host, server.port, ssl=tls))
            server.port = opened[-1].sockets[0].getsockname()[1]
        yield server
    finally:
        for each in opened:
            each.close()
